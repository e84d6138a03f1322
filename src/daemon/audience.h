/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is to be woken
 *
 * The publisher knows who reads, on the main loop's thread; the generator has something new, on its own.
 * These two words are all that passes between them. No one is woken who does not sleep, nothing is asked of
 * the kernel while nobody reads.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct audience {
        _Atomic uint32_t n_readers; /* attached; any of them may sleep on the ring's futex */
        _Atomic uint32_t is_armed;  /* some reader asked for a message when more is published */
};

/* Publisher. */
static inline void audience_set_readers(struct audience *audience, uint32_t n_readers) {
        /* A reader is counted before it is welcomed, so before its first sleep. */
        atomic_store_explicit(&audience->n_readers, n_readers, memory_order_relaxed);
}

/* Publisher. What is published has to be looked at after this call, or a reader sleeps on. */
static inline void audience_arm(struct audience *audience) {
        atomic_store_explicit(&audience->is_armed, 1, memory_order_relaxed);
        /* Pairs with the fence in audience_take_arm(): one of us sees what the other has just written. */
        atomic_thread_fence(memory_order_seq_cst);
}

/* Generator. */
static inline uint32_t audience_get_readers(const struct audience *audience) {
        return atomic_load_explicit(&audience->n_readers, memory_order_relaxed);
}

/* Generator, after it has published. The publisher has to hear of it if this is true. */
static inline bool audience_take_arm(struct audience *audience) {
        /* Pairs with the fence in audience_arm(). */
        atomic_thread_fence(memory_order_seq_cst);
        return atomic_load_explicit(&audience->is_armed, memory_order_relaxed) &&
               atomic_exchange_explicit(&audience->is_armed, 0, memory_order_relaxed);
}
