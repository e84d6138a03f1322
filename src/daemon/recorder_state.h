/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The position of storage, in memory that outlives the process
 *
 * Who stores notes after each completed write which file it was, and up to where its lines are which records.
 * What a successor finds here is whole, whenever its predecessor was killed.
 */

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Where the next line goes, and in which file. */
struct recorder_position {
        uint64_t sequence; /* of the first record not stored */
        uint64_t offset;   /* at which its line begins */
        uint64_t device;
        uint64_t inode;
};

/*
 * Lies in memory that survives the process; all zero is a valid beginning, and what to set it to when the
 * sequence starts anew. Two copies, so that a kill at any instruction leaves a whole one.
 */
struct recorder_state {
        uint64_t magic; /* 0: nothing noted yet */
        _Atomic uint64_t selected;
        struct recorder_position positions[2];
};

static_assert(sizeof(struct recorder_state) == 80, "outlives the process that wrote it");

/* One thread only. */
void recorder_state_store(struct recorder_state *state, const struct recorder_position *position);

/* False: nothing was noted yet. */
bool recorder_state_load(const struct recorder_state *state, struct recorder_position *positionp);
