/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/trouble.h"

#include "util/error.h"

enum trouble_kind trouble_from_error(int error) {
        return error_is_full(error) ? TROUBLE_FULL : TROUBLE_FAILING;
}

bool trouble_is(const struct trouble *trouble, enum trouble_kind kind, int error) {
        return trouble->kind == kind && trouble->error == error;
}

void trouble_begin(struct trouble *trouble, enum trouble_kind kind, int error, uint64_t n_bytes,
                uint64_t now_ns) {
        if (trouble->kind == TROUBLE_NONE)
                trouble->since_ns = now_ns;

        trouble->kind = kind;
        trouble->error = error;
        trouble->n_bytes = n_bytes;
}

uint64_t trouble_end(struct trouble *trouble, uint64_t now_ns) {
        uint64_t since_ns = trouble->since_ns;

        *trouble = (struct trouble){};
        return now_ns - since_ns;
}

enum recorder_event_kind trouble_get_event(const struct trouble *trouble) {
        static const enum recorder_event_kind events[] = {
                [TROUBLE_LIMITED] = RECORDER_LIMITED,
                [TROUBLE_FULL] = RECORDER_FULL,
                [TROUBLE_FAILING] = RECORDER_FAILING,
        };

        /* Whoever set no limit has come to the disk's. */
        return trouble->kind == TROUBLE_LIMITED && trouble->error < 0 ? RECORDER_FULL : events[trouble->kind];
}

enum i4_storage_state trouble_get_state(const struct trouble *trouble) {
        static const enum i4_storage_state states[] = {
                [TROUBLE_NONE] = I4_STORAGE_WRITING,
                [TROUBLE_LIMITED] = I4_STORAGE_FULL,
                [TROUBLE_FULL] = I4_STORAGE_FULL,
                [TROUBLE_FAILING] = I4_STORAGE_FAILED,
        };

        return states[trouble->kind];
}
