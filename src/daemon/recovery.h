/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where a successor goes on
 *
 * What a process wrote and did not note any more are whole lines of the records that follow what it noted,
 * and at most one torn one, which is written again: the same record gives the same bytes.
 */

#include "daemon/recorder_state.h"
#include "storage/live.h"
#include "storage/writer.h"

/* What there is to store. */
struct recovery_range {
        uint64_t oldest;    /* that can still be read */
        uint64_t published; /* one more than the newest */
};

struct recovery {
        const struct recorder_state *state; /* as the predecessor left it */
        struct recovery_range range;        /* as it is at the start */
};

/* The first record that is not known to be stored. @counted: as the statistics have it. */
uint64_t recovery_find_sequence(const struct recovery *recovery, uint64_t counted);

/*
 * In the live file: 1 and where to go on, or 0: not known, so a torn line has to be ended as it
 * is. @position holds the sequence of recovery_find_sequence() before, and always the one to go on with
 * after; the offset with 1 only.
 */
int recovery_find_position(const struct recovery *recovery, int live_fd, const struct live_identity *identity,
                struct writer_position *position);
