/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Records to lines to a file
 *
 * Encodes spans of records into large aligned blocks and writes them through an engine: io_uring, or pwrite
 * where that is refused, or plain writes where the output cannot seek. The next block is encoded while the
 * last one is on its way. One write is in flight at a time: a short write must never leave a hole behind it.
 *
 * The bytes are a function of the records alone, never of when a block was flushed. So the position of the
 * last completed write (the sequence of the next record and the offset at which its line begins) is all that
 * a successor needs: it writes the same bytes again from there.
 *
 * One thread uses a writer. No call blocks but writer_run() with a timeout and writer_drain().
 */

#include "lib/catalog.h"

#include <stdbool.h>

struct engine_factory;
struct writer;

enum engine_kind {
        ENGINE_AUTO, /* io_uring, else pwrite */
        ENGINE_URING,
        ENGINE_PWRITE,
};

/* Whether blocks go around the page cache. */
enum direct_io {
        DIRECT_IO_AUTO, /* while more of them wait than are under way */
        DIRECT_IO_YES,
        DIRECT_IO_NO,
};

struct writer_settings {
        enum engine_kind engine;
        enum direct_io direct_io;
        size_t block_size;     /* bytes, a multiple of 4096 */
        unsigned int n_blocks; /* at least 2 */
        uint64_t flush_ns;     /* a record is on its way this long after it was appended, at the latest */
        uint64_t sync_ns;      /* fdatasync this often while there is something to sync; UINT64_MAX: never */
        unsigned int extras;   /* of lines, enum i4_extra */
        /* Of all records only one in so many is appended here, and positions count those; 0: all are. */
        uint64_t stride;
        const struct engine_factory *factory; /* makes the engine instead (tests), NULL: see @engine */
};

struct writer_position {
        uint64_t sequence; /* of the first record that is not completely written */
        uint64_t offset;   /* in the file, at which its line begins */
};

int writer_new(struct writer **writerp, const struct writer_settings *settings,
                const struct i4_catalog *catalog);
/* Drops what is not written. The file it was set to must still be open: what was allocated in advance goes
 * back. */
struct writer *writer_free(struct writer *writer);

/* Which engine it became, "io_uring" or "pwrite", and the errno that refused io_uring, 0 if none did. */
const char *writer_get_engine(const struct writer *writer, int *refusedp);

/*
 * Lends @fd (stays the caller's) and says where the next line goes. What was appended and not written is
 * dropped: drain first, or append again from writer_get_position(). Gives back what was allocated in advance
 * to the file before, which must still be open. @is_stream: @fd cannot seek; offsets are then only counted.
 * @fd -1: none, for before the file is closed.
 */
int writer_set_file(struct writer *writer, int fd, bool is_stream, struct writer_position position);

/* Live settings. */
void writer_set_intervals(struct writer *writer, uint64_t flush_ns, uint64_t sync_ns);

/*
 * The next record will be @sequence: some were skipped. -EBUSY unless all that was appended is written, so
 * that lines behind a position are always consecutive records and can be counted.
 */
int writer_skip(struct writer *writer, uint64_t sequence);

/*
 * Space is allocated in pieces of at most @chunk bytes (0: not in advance), of 16 MiB while that lasts for a
 * tenth of a second, but not beyond the offset @end if avoidable.
 */
void writer_set_allocation(struct writer *writer, uint64_t chunk, uint64_t end);

/* Encodes up to @n records, consecutive; how many were taken, fewer (even 0) while all blocks are busy. Never
 * blocks. */
size_t writer_append(struct writer *writer, const struct i4_record *records, size_t n);

/*
 * Makes progress: submits what is full or due, takes in completions, retries after errors with a growing
 * pause, and waits up to @timeout_ns for something in flight. 0, or the negative errno of what holds it up
 * now: -ENOSPC, -EDQUOT (no room; no byte of the pending block may have been written), -EIO and others.
 * Nothing that was appended is ever dropped or torn by an error; it goes out when the cause is gone. A signal
 * that interrupts a write into a pipe ends the call.
 */
int writer_run(struct writer *writer, uint64_t timeout_ns);

/* All that was appended is due now. */
void writer_flush(struct writer *writer);

/* A write, a sync or an allocation is under way. */
bool writer_is_busy(const struct writer *writer);

/* A write or a sync failed for another reason than room: begin another file. A failed sync is not repeated.
 */
bool writer_is_suspect(const struct writer *writer);

/* When writer_run() has to be called next at the latest, CLOCK_MONOTONIC; NSEC_INFINITY: nothing pending. */
uint64_t writer_get_deadline(const struct writer *writer);

/* Writes all that was appended and, if @sync, makes it durable. Gives up at @deadline_ns: -ETIMEDOUT or the
 * cause. */
int writer_drain(struct writer *writer, bool sync, uint64_t deadline_ns);

/* The last completed position, and the one after all that was appended. */
struct writer_position writer_get_position(const struct writer *writer);
struct writer_position writer_get_end(const struct writer *writer);

struct writer_counters {
        uint64_t n_records; /* completely written */
        uint64_t n_bytes;   /* written */
        uint64_t n_writes;
        uint64_t n_direct_writes; /* of them */
        uint64_t n_syncs;
        uint64_t n_errors; /* failed writes, allocations and syncs */
};

struct writer_counters writer_get_counters(const struct writer *writer);

static inline void writer_freep(struct writer **writer) {
        if (*writer)
                (void) writer_free(*writer);
}
