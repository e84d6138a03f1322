/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An engine that fails as it is told
 *
 * Really writes to the file it is given, so that what a test sees is what a reader of the file would. A
 * request is carried out when its result is reaped, and its bytes must still be what they were: whoever
 * changes a buffer that is under way is found out.
 */

#include "storage/engine.h"

#include <stdatomic.h>

struct fault_script {
        /* what goes wrong, 0: nothing; atomic where a test changes it while another thread runs the engine */
        size_t write_max;                    /* bytes a write takes at most */
        int write_error;                     /* negative errno of … */
        _Atomic unsigned int n_write_errors; /* … so many writes to come */
        int sync_error;
        _Atomic unsigned int n_sync_errors;
        int allocate_error;             /* of every allocation */
        _Atomic uint64_t space;         /* bytes of room for the file; UINT64_MAX: no end */
        int space_error;                /* what there is no room for fails with, -ENOSPC or -EDQUOT */
        unsigned int n_delays;          /* so many times reap() finds nothing yet */
        _Atomic unsigned int n_submits; /* the engine breaks after so many more submits; UINT32_MAX: never */
        unsigned int n_reaps;           /* the same for reaping */
        int broken;                     /* what it breaks with */
        _Atomic bool is_hanging;        /* nothing is ever done: reap() finds nothing yet */

        /* what it saw */
        uint64_t allocated; /* up to this offset */
        unsigned int n_writes;
        unsigned int n_syncs;
        unsigned int n_allocations;
        unsigned int n_freed;
};

#define FAULT_SCRIPT_INIT                                                                                    \
        (struct fault_script) {                                                                              \
                .space = UINT64_MAX, .space_error = -ENOSPC, .n_submits = UINT32_MAX, .n_reaps = UINT32_MAX, \
        }

/* For engine_factory; @userdata is a struct fault_script, which the test may change at any time. */
int fault_engine_new(
                struct engine **enginep, const struct iovec *buffers, unsigned int n_buffers, void *userdata);
