/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Records that wait for their turn
 *
 * A heap of a fixed capacity. What comes out first is what has the smallest key, and of equal keys the one
 * that was published first: the order depends on what went in, never on when.
 */

#include "i4.h"

#include <stdbool.h>

struct holdback_entry {
        uint64_t key; /* a time or a count: whatever the owner releases by */
        struct i4_record record;
};

struct holdback {
        struct holdback_entry *entries;
        size_t n, capacity;
};

/* -ENOMEM */
int holdback_init(struct holdback *holdback, size_t capacity);
void holdback_deinit(struct holdback *holdback);

/* Not if it is full. */
void holdback_push(struct holdback *holdback, uint64_t key, const struct i4_record *record);

/* The next one to come out if its key is at most @key. */
bool holdback_pop(struct holdback *holdback, uint64_t key, struct i4_record *recordp);

static inline bool holdback_is_full(const struct holdback *holdback) {
        return holdback->n == holdback->capacity;
}
