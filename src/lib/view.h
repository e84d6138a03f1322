/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The reading half of the ring protocol
 *
 * Shared by libi4's reader and the daemon's recorder. The geometry is read from the mapping once, checked,
 * and never looked at again: whoever writes the memory later cannot turn it into a bad pointer.
 */

#include "ring/layout.h"

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

/*
 * Copies up to @n_records records at *@cursor and moves it on.
 *
 * Return: 1 … @n_records copied, 0 nothing new, -EOVERFLOW if the writer was faster: *@lost grew by the exact
 *         number skipped and *@cursor stands at the oldest record that was safe; -EBADMSG if the ring runs
 *         backwards. @margin: how many records beyond the oldest one to skip, see i4_reader_read().
 */
int ring_view_read(const struct ring_view *view, uint64_t *cursor, struct i4_record *records,
                size_t n_records, uint64_t margin, uint64_t *lost);

/* The sequence of the oldest record that is whole, and of the next one to be published. */
uint64_t ring_view_get_oldest(const struct ring_view *view);
uint64_t ring_view_get_published(const struct ring_view *view);
