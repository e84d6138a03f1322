/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Copies between slots and private memory
 *
 * A reader copies slots that the writer may be overwriting, and finds out afterwards. The copy may be torn,
 * so nothing looks at it before that check; but each of its words must be read once, before the fence that
 * follows. A call of memcpy() gives that with the widest loads the machine has: an opaque call whose result
 * escapes cannot be split or repeated by the compiler, and the fence orders it. One record, what a reader
 * that spins gets, is not worth a call: volatile loads say the same. The language has no word for such a
 * copy, so under the thread sanitizer it is spelled in relaxed atomic words.
 */

#include "ring/layout.h"

#include <string.h>

#if defined(__SANITIZE_THREAD__)
#define SLOTS_ATOMIC 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLOTS_ATOMIC 1
#endif
#endif
#ifndef SLOTS_ATOMIC
#define SLOTS_ATOMIC 0
#endif

#define SLOT_WORDS (sizeof(struct i4_record) / sizeof(uint64_t))

/* As wide as every processor can load at once. */
typedef uint64_t slot_quarter __attribute__((vector_size(16), aligned(8), may_alias));

static inline void slots_load_one(struct i4_record *record, const struct i4_record *slot) {
        const volatile slot_quarter *from = (const void *) slot;
        slot_quarter *to = (void *) record;

        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
        to[3] = from[3];
}

static inline void slots_load(struct i4_record *records, const struct i4_record *slots, size_t n) {
#if SLOTS_ATOMIC
        const _Atomic uint64_t *from = (const void *) slots;
        uint64_t *to = (void *) records;

        for (size_t i = 0; i < n * SLOT_WORDS; ++i)
                to[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
#else
        if (n == 1)
                slots_load_one(records, slots);
        else
                memcpy(records, slots, n * sizeof(*records));
#endif
}

static inline void slots_store(struct i4_record *slots, const struct i4_record *records, size_t n) {
#if SLOTS_ATOMIC
        const uint64_t *from = (const void *) records;
        _Atomic uint64_t *to = (void *) slots;

        for (size_t i = 0; i < n * SLOT_WORDS; ++i)
                atomic_store_explicit(&to[i], from[i], memory_order_relaxed);
#else
        memcpy(slots, records, n * sizeof(*records));
#endif
}
