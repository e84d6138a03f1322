/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/limiter.h"

#include "daemon/condition.h"
#include "util/clock.h"
#include "util/macros.h"

#define WINDOW_NS (30 * NSEC_PER_SEC)

bool limiter_admit(struct limiter *limiter, unsigned int burst, uint64_t now_ns, uint64_t *n_held_backp) {
        if (now_ns >= limiter->window_end_ns) {
                limiter->window_end_ns = now_ns + WINDOW_NS;
                limiter->n_told = 0;
        }

        if (burst != CONDITION_UNLIMITED && limiter->n_told >= burst) {
                ++limiter->n_held_back;
                return false;
        }

        ++limiter->n_told;
        *n_held_backp = TAKE(limiter->n_held_back, 0);
        return true;
}
