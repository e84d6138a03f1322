/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The reading half of the ring protocol
 *
 * Shared by libi4's reader and the daemon's recorder. The geometry is read from the mapping once, checked,
 * and never looked at again: whoever writes the memory later cannot turn it into a bad pointer.
 */

#include "ring/layout.h"
#include "ring/slots.h"
#include "util/macros.h"

#include <errno.h>

struct ring_view {
        const struct ring_header *header;
        const struct i4_record *records;
        const struct ring_statistics *statistics;
        const struct ring_consumer *consumers;
        const void *catalog;
        uint64_t n_records;
        uint64_t first_sequence;
        uint32_t n_consumers;
        uint32_t statistics_size;
        size_t catalog_size;
        size_t size;
};

/*
 * The size of the memory in @fd, which has all of @seals, F_SEAL_SHRINK among them: what could shrink could
 * kill who looks at it. -EBADMSG: it has not, or is too small. Never blocks, whatever @fd is.
 */
int ring_memory_verify(int fd, int seals, size_t *sizep);

/*
 * Checks @size bytes at @memory. -EBADMSG: not a ring, or damaged; -EPROTONOSUPPORT: another layout version,
 * byte order or word size; -EAGAIN: it is being made this moment.
 */
int ring_view_init(struct ring_view *view, const void *memory, size_t size);

/* The sequence of the next record to be published. */
static inline uint64_t ring_view_get_published(const struct ring_view *view) {
        return atomic_load_explicit(&view->header->published, memory_order_acquire);
}

/* The oldest sequence that a writer which has claimed up to @claimed cannot be overwriting. */
static inline uint64_t ring_view_oldest_for(const struct ring_view *view, uint64_t claimed) {
        return claimed - view->first_sequence > view->n_records ? claimed - view->n_records
                                                                : view->first_sequence;
}

/* The sequence of the oldest record that is whole. */
static inline uint64_t ring_view_get_oldest(const struct ring_view *view) {
        /* Pairs with the release of the claim in ring_claim(). */
        return ring_view_oldest_for(view, atomic_load_explicit(&view->header->claimed, memory_order_acquire));
}

static inline void ring_view_copy(
                const struct ring_view *view, uint64_t sequence, struct i4_record *records, size_t n) {
        uint64_t index = sequence & (view->n_records - 1);
        size_t n_before_wrap = MIN(n, view->n_records - index);

        slots_load(records, view->records + index, n_before_wrap);
        if (unlikely(n > n_before_wrap))
                slots_load(records + n_before_wrap, view->records, n - n_before_wrap);
}

/* Of ring_view_read(): what follows when the writer was faster. */
int ring_view_skip(const struct ring_view *view, uint64_t *cursor, uint64_t oldest, uint64_t margin,
                uint64_t *lost);

/*
 * Copies up to @n_records records at *@cursor and moves it on. Here, and not called: a reader that spins has
 * a record in little more time than its cache lines take.
 *
 * Return: 1 … @n_records copied, 0 nothing new, -EOVERFLOW if the writer was faster: *@lost grew by the exact
 *         number skipped and *@cursor stands at the oldest record that was safe; -EBADMSG if the ring runs
 *         backwards. @margin: how many records beyond the oldest one to skip, see i4_reader_read().
 */
static inline int ring_view_read(const struct ring_view *view, uint64_t *cursor, struct i4_record *records,
                size_t n_records, uint64_t margin, uint64_t *lost) {
        uint64_t published, oldest;
        size_t n;

        /* Pairs with the release in ring_publish(): what is published can be copied. */
        published = ring_view_get_published(view);
        if (*cursor == published)
                return 0;
        if (*cursor > published)
                return -EBADMSG;

        n = MIN(MIN(n_records, (size_t) INT32_MAX), MIN(published - *cursor, view->n_records));
        ring_view_copy(view, *cursor, records, n);

        /*
         * Pairs with the fence in ring_claim(): if the copy holds one word of a later record, then the claim
         * that preceded this word is visible here.
         */
        atomic_thread_fence(memory_order_acquire);
        oldest = ring_view_oldest_for(
                        view, atomic_load_explicit(&view->header->claimed, memory_order_relaxed));
        if (unlikely(*cursor < oldest))
                return ring_view_skip(view, cursor, oldest, margin, lost);

        *cursor += n;
        return (int) n;
}
