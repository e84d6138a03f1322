/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/recorder_state.h"

#define STATE_MAGIC UINT64_C(0x31657461747372) /* "rstate1" */

void recorder_state_store(struct recorder_state *state, const struct recorder_position *position) {
        uint64_t selected = atomic_load_explicit(&state->selected, memory_order_relaxed) & 1;

        /* A kill leaves the order of the program: the copy in force is whole at every instruction. */
        state->positions[!selected] = *position;
        atomic_store_explicit(&state->selected, !selected, memory_order_release);
        atomic_signal_fence(memory_order_seq_cst);
        state->magic = STATE_MAGIC;
}

bool recorder_state_load(const struct recorder_state *state, struct recorder_position *positionp) {
        if (state->magic != STATE_MAGIC)
                return false;

        *positionp = state->positions[atomic_load_explicit(&state->selected, memory_order_acquire) & 1];
        return true;
}
