/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Copies between slots and private memory
 *
 * A reader copies slots that the writer may be overwriting, and finds out afterwards. The copy may be torn,
 * so nothing looks at it before that check; but each of its words must be read once, before the fence that
 * follows. A call of memcpy() gives that with the widest loads the machine has: an opaque call whose result
 * escapes cannot be split or repeated by the compiler, and the fence orders it. The language has no word for
 * such a copy, so under the thread sanitizer it is spelled in relaxed atomic words, which means the same.
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

static inline void slots_load(struct i4_record *records, const struct i4_record *slots, size_t n) {
#if SLOTS_ATOMIC
        const _Atomic uint64_t *from = (const void *) slots;
        uint64_t *to = (void *) records;

        for (size_t i = 0; i < n * SLOT_WORDS; ++i)
                to[i] = atomic_load_explicit(&from[i], memory_order_relaxed);
#else
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
