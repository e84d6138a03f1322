/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Blocks and an engine, and what stands between them: when to write, allocate and sync, and what to make of
 * errors
 *
 * A full disk has to show before a byte of a line is written, or the line would stay torn for as long as the
 * disk stays full. So nothing is written that is not allocated up to the end of its last line. When the block
 * at hand does not get all its space, the whole lines that fit into what there is are written, and then it
 * waits. File systems that cannot allocate ahead are written to without; there a full disk may leave a torn
 * line until there is room for the rest of it.
 *
 * A block that is written whole and at once may go around the page cache (O_DIRECT), which spares a copy and
 * lets the disk, not the kernel's write-back, set the pace. One of which a part was written already, because
 * a flush was due, goes through the cache to its end: a follower that has seen the begun page must not see it
 * replaced underneath. So direct blocks begin on pages that nobody has touched.
 */

#include "storage/writer.h"

#include "storage/allocation.h"
#include "storage/blocks.h"
#include "storage/engine.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define RETRY_MIN_NS (100 * NSEC_PER_MSEC)
#define RETRY_MAX_NS NSEC_PER_SEC

/* For what is under way when a file is left in the middle of something. */
#define SETTLE_NS NSEC_PER_SEC

/* What is done is taken note of so much later, at the latest. */
#define NOTE_MAX_NS NSEC_PER_SEC

struct writer {
        struct blocks blocks;
        struct engine *engine;
        struct engine *seekable; /* put aside while @engine is a stream's */
        int refused;             /* positive errno of what refused io_uring */

        int fd;
        int direct_fd; /* ours; -1: none */
        enum direct_io direct_io;
        struct writer_position position;
        struct writer_counters counters;
        uint64_t stride; /* at least 1 */
        uint64_t flush_ns, sync_ns;

        struct engine_request request; /* under way */
        bool is_busy;
        bool is_interrupted; /* by a signal, of which the caller may want to know now */
        uint64_t busy_since_ns;

        struct allocation allocation; /* of space in the file */

        bool can_sync;
        bool is_dirty;        /* written and not synced */
        bool is_sync_wanted;  /* without waiting for it to be due */
        uint64_t sync_due_ns; /* if dirty */
        int sync_error;       /* stays until there is another file */

        int error; /* negative errno of what holds it up, of an @error_operation */
        enum engine_operation error_operation;
        uint64_t retry_ns, retry_pause_ns;
        bool is_suspect;
};

static int writer_make_engine(struct writer *writer, const struct writer_settings *settings) {
        _cleanup_(freep) struct iovec *buffers = calloc(settings->n_blocks, sizeof(*buffers));
        int r;

        if (!buffers)
                return -ENOMEM;
        blocks_get_buffers(&writer->blocks, buffers);

        if (settings->factory)
                return settings->factory->new (
                                &writer->engine, buffers, settings->n_blocks, settings->factory->userdata);
        if (settings->engine == ENGINE_PWRITE)
                return engine_new_pwrite(&writer->engine);

        r = engine_new_uring(&writer->engine, buffers, settings->n_blocks);
        if (r >= 0 || settings->engine == ENGINE_URING)
                return r;

        writer->refused = -r;
        return engine_new_pwrite(&writer->engine);
}

int writer_new(struct writer **writerp, const struct writer_settings *settings,
                const struct i4_catalog *catalog) {
        _cleanup_(writer_freep) struct writer *writer = NULL;
        int r;

        writer = calloc(1, sizeof(*writer));
        if (!writer)
                return -ENOMEM;

        writer->fd = writer->direct_fd = -1;
        writer->direct_io = settings->direct_io;
        writer->stride = MAX(settings->stride, UINT64_C(1));
        writer->flush_ns = settings->flush_ns;
        writer->sync_ns = settings->sync_ns;
        allocation_init(&writer->allocation);

        r = blocks_init(&writer->blocks, settings->block_size, settings->n_blocks, catalog);
        if (r < 0)
                return r;
        i4_encoder_set_extras(writer->blocks.encoder, settings->extras);
        r = writer_make_engine(writer, settings);
        if (r < 0)
                return r;

        *writerp = TAKE_PTR(writer);
        return 0;
}

const char *writer_get_engine(const struct writer *writer, int *refusedp) {
        *refusedp = writer->refused;
        return writer->engine->interface->name;
}

/* errors */

/* Says nothing about the file: worth another try on the same one. */
static bool error_is_passing(int error) {
        return error == -ENOMEM || error == -ENOBUFS || error == -EAGAIN;
}

/* Nothing happened, for no reason that would still be there. */
static bool error_is_interruption(int error) {
        return error == -EINTR || error == -ECANCELED;
}

static void writer_fail(struct writer *writer, enum engine_operation operation, int error) {
        ++writer->counters.n_errors;
        writer->error = error;
        writer->error_operation = operation;
        writer->retry_pause_ns = MIN(MAX(2 * writer->retry_pause_ns, RETRY_MIN_NS), RETRY_MAX_NS);
        writer->retry_ns = clock_now_ns(CLOCK_MONOTONIC) + writer->retry_pause_ns;

        if (!error_is_full(error) && !error_is_passing(error))
                writer->is_suspect = true;
}

static void writer_succeed(struct writer *writer, enum engine_operation operation) {
        if (writer->error_operation != operation)
                return;

        writer->error = 0;
        writer->retry_pause_ns = 0;
}

/*
 * The engine is of no use any more. The bytes are all still here, and so they go on with system calls; if the
 * kernel should carry out what was submitted after all, it writes the same to the same place.
 */
static void writer_fall_back(struct writer *writer, int error) {
        struct engine *engine = NULL;
        int r = 0;

        /* What was submitted reads the old memory, whenever that may be. */
        if (writer->is_busy)
                r = blocks_move(&writer->blocks);
        if (r >= 0)
                r = engine_new_pwrite(&engine);
        if (r < 0) {
                writer_fail(writer, ENGINE_WRITE, r);
                return;
        }

        engine_free(writer->engine);
        writer->engine = engine;
        writer->refused = -error;
        writer->is_busy = false;
        blocks_get_first(&writer->blocks)->due_ns = 0;
        (void) engine_set_file(engine, writer->fd);
        (void) engine_set_direct_file(engine, writer->direct_fd);
}

/* what has to be done next */

static bool writer_is_write_due(struct writer *writer, uint64_t now) {
        struct block *block = blocks_get_first(&writer->blocks);

        if (block->done == blocks_get_first_end(&writer->blocks))
                return false;

        return blocks_is_first_full(&writer->blocks) || block->due_ns <= now;
}

static bool writer_is_written(const struct writer *writer) {
        return writer->position.offset == blocks_get_end(&writer->blocks).offset;
}

static bool writer_is_sync_due(struct writer *writer, uint64_t now) {
        if (!writer->is_dirty || !writer->can_sync || writer->sync_error < 0)
                return false;

        return writer->sync_due_ns <= now || (writer->is_sync_wanted && writer_is_written(writer));
}

/* How far space must reach before the first block is written: to the end of the last line that begins there.
 */
static uint64_t writer_get_need(struct writer *writer) {
        struct block *block = blocks_get_first(&writer->blocks);

        return allocation_round(block->base + block->fill);
}

static struct engine_request writer_plan_allocation(struct writer *writer) {
        uint64_t begin = writer->allocation.end;

        return (struct engine_request){
                .operation = ENGINE_ALLOCATE,
                .offset = begin,
                .size = allocation_plan(&writer->allocation, writer_get_need(writer)) - begin,
        };
}

/* Only @size bytes that are a whole block: anything else would share a page with what others read. */
static bool writer_is_direct(const struct writer *writer, size_t size) {
        if (writer->direct_fd < 0 || size != writer->blocks.block_size)
                return false;

        return writer->direct_io == DIRECT_IO_YES || writer->blocks.n_used > 2;
}

static struct engine_request writer_plan_write(struct writer *writer, size_t size) {
        struct block *block = blocks_get_first(&writer->blocks);

        return (struct engine_request){
                .operation = ENGINE_WRITE,
                .buffer = writer->blocks.first,
                .data = block->data + block->done,
                .offset = block->base + block->done,
                .size = size,
                .is_direct = writer_is_direct(writer, size),
        };
}

/* The whole lines that have their space, when there is none for more. */
static bool writer_plan_remainder(struct writer *writer, struct engine_request *request) {
        struct block *block = blocks_get_first(&writer->blocks);
        const char *begin = block->data + block->done, *line;
        uint64_t offset = block->base + block->done;
        size_t size = blocks_get_first_end(&writer->blocks) - block->done;

        if (!writer->allocation.is_tight || writer->allocation.end <= offset)
                return false;

        line = memrchr(begin, '\n', MIN(size, writer->allocation.end - offset));
        if (!line)
                return false;

        *request = writer_plan_write(writer, (size_t) (line + 1 - begin));
        return true;
}

static bool writer_plan(struct writer *writer, struct engine_request *request) {
        struct block *block = blocks_get_first(&writer->blocks);
        uint64_t now = clock_now_ns(CLOCK_MONOTONIC);

        if (writer->fd < 0)
                return false;

        if (writer->error < 0 && now < writer->retry_ns)
                return writer_plan_remainder(writer, request);

        if (writer_is_sync_due(writer, now))
                *request = (struct engine_request){ .operation = ENGINE_SYNC };
        else if (!writer_is_write_due(writer, now))
                return false;
        else if (writer_plan_remainder(writer, request))
                return true;
        else if (writer->allocation.end < writer_get_need(writer))
                *request = writer_plan_allocation(writer);
        else
                *request = writer_plan_write(writer, blocks_get_first_end(&writer->blocks) - block->done);

        return true;
}

/* what became of it */

static void writer_complete_allocation(struct writer *writer, int result) {
        int r;

        r = allocation_complete(&writer->allocation, writer->request.size, writer_get_need(writer), result,
                        clock_now_ns(CLOCK_MONOTONIC));
        if (r < 0)
                writer_fail(writer, ENGINE_ALLOCATE, r);
        else if (r == 0)
                writer_succeed(writer, ENGINE_ALLOCATE);
}

static void writer_drop_direct(struct writer *writer) {
        if (writer->direct_fd < 0)
                return;

        (void) engine_set_direct_file(writer->engine, -1);
        closep(&writer->direct_fd);
        writer->direct_fd = -1;
}

static void writer_complete_write(struct writer *writer, int result) {
        struct block *block = blocks_get_first(&writer->blocks);
        uint64_t sequence = writer->position.sequence;

        /* This file does not want to be written like that, or not with our alignment. */
        if (writer->request.is_direct && (result == -EINVAL || result == -EOPNOTSUPP)) {
                writer_drop_direct(writer);
                block->due_ns = 0;
                return;
        }
        if (result <= 0) {
                block->due_ns = 0;
                writer_fail(writer, ENGINE_WRITE, result < 0 ? result : -EIO);
                return;
        }

        if ((size_t) result < writer->request.size) {
                block->due_ns = 0;
                /* A pipe that was waited for takes all, unless a signal comes. */
                writer->is_interrupted = writer->seekable;
        }
        if (!writer->is_dirty) {
                writer->is_dirty = true;
                writer->sync_due_ns = add_saturating(clock_now_ns(CLOCK_MONOTONIC), writer->sync_ns);
        }

        blocks_complete(&writer->blocks, (size_t) result, &writer->position);
        writer->counters.n_records += writer->position.sequence - sequence;
        writer->counters.n_bytes += (uint64_t) result;
        ++writer->counters.n_writes;
        writer->counters.n_direct_writes += writer->request.is_direct;
        writer_succeed(writer, ENGINE_WRITE);
}

/*
 * After a failed sync the kernel may have marked the lost pages clean, and would say of the next one that all
 * is well. So there is none.
 */
static void writer_complete_sync(struct writer *writer, int result) {
        if (result == -EINVAL || result == -EOPNOTSUPP)
                writer->can_sync = false;
        else if (result < 0) {
                ++writer->counters.n_errors;
                writer->sync_error = result;
                writer->is_suspect = true;
        } else {
                ++writer->counters.n_syncs;
                writer->is_dirty = false;
        }
}

static void writer_complete(struct writer *writer, int result) {
        writer->is_busy = false;

        writer->is_interrupted = error_is_interruption(result);
        if (writer->is_interrupted) {
                blocks_get_first(&writer->blocks)->due_ns = 0;
                return;
        }

        switch (writer->request.operation) {
        case ENGINE_ALLOCATE:
                writer_complete_allocation(writer, result);
                break;
        case ENGINE_WRITE:
                writer_complete_write(writer, result);
                break;
        case ENGINE_SYNC:
                writer_complete_sync(writer, result);
                break;
        }
}

static bool writer_is_writing_all(const struct writer *writer) {
        uint64_t end = writer->request.offset + writer->request.size;

        return writer->request.operation == ENGINE_WRITE &&
               end == blocks_get_first(&writer->blocks)->base + blocks_get_first_end(&writer->blocks);
}

static void writer_submit(struct writer *writer) {
        int r;

        r = engine_submit(writer->engine, &writer->request);
        if (r < 0) {
                writer_fall_back(writer, r);
                return;
        }

        writer->is_busy = true;
        writer->busy_since_ns = clock_now_ns(CLOCK_MONOTONIC);
        /* What is appended from now on is due in its own time. */
        if (writer_is_writing_all(writer))
                blocks_get_first(&writer->blocks)->due_ns = NSEC_INFINITY;
}

/* False if it is still under way. */
static bool writer_reap(struct writer *writer, uint64_t timeout_ns) {
        int r, result = 0;

        r = engine_reap(writer->engine, timeout_ns, &result);
        if (r < 0)
                writer_fall_back(writer, r);
        else if (r > 0)
                writer_complete(writer, result);

        return !writer->is_busy;
}

int writer_run(struct writer *writer, uint64_t timeout_ns) {
        for (;;) {
                if (!writer->is_busy) {
                        if (!writer_plan(writer, &writer->request))
                                break;
                        writer_submit(writer);
                }

                if (writer->is_busy) {
                        if (!writer_reap(writer, timeout_ns))
                                break;
                        if (TAKE(writer->is_interrupted, false))
                                break;
                        timeout_ns = 0;
                }
        }

        return writer->error < 0 ? writer->error : writer->sync_error;
}

/* Waits for what is under way, and begins nothing. */
static int writer_settle(struct writer *writer, uint64_t timeout_ns) {
        uint64_t deadline = clock_now_ns(CLOCK_MONOTONIC) + timeout_ns, now;

        while (writer->is_busy) {
                now = clock_now_ns(CLOCK_MONOTONIC);
                if (now >= deadline)
                        return -EBUSY;
                (void) writer_reap(writer, deadline - now);
        }

        return 0;
}

/* the file */

/* Truncating to the size that it has already: what lies behind the end is freed, nobody reads less. */
static void writer_give_back(struct writer *writer) {
        struct stat st;

        if (!TAKE(writer->allocation.has_surplus, false))
                return;

        if (fstat(writer->fd, &st) >= 0 && S_ISREG(st.st_mode))
                (void) !ftruncate(writer->fd, st.st_size);
}

/* Another description of the same file: flags belong to descriptions, and @fd is the caller's. */
static void writer_open_direct(struct writer *writer) {
        char path[32];

        if (writer->direct_io == DIRECT_IO_NO || writer->fd < 0)
                return;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", writer->fd);
        writer->direct_fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOCTTY);
        /* Without it everything goes through the cache, which is no worse than slow. */
        if (writer->direct_fd >= 0 && engine_set_direct_file(writer->engine, writer->direct_fd) < 0)
                writer_drop_direct(writer);
}

static int writer_choose_engine(struct writer *writer, bool is_stream) {
        struct engine *stream;
        int r;

        if (is_stream && !writer->seekable) {
                r = engine_new_stream(&stream);
                if (r < 0)
                        return r;
                writer->seekable = writer->engine;
                writer->engine = stream;
        } else if (!is_stream && writer->seekable) {
                engine_free(writer->engine);
                writer->engine = TAKE_PTR(writer->seekable);
        }

        return 0;
}

int writer_set_file(struct writer *writer, int fd, bool is_stream, struct writer_position position) {
        int r;

        r = writer_settle(writer, SETTLE_NS);
        if (r < 0)
                return r;
        writer_give_back(writer);
        writer_drop_direct(writer);
        r = writer_choose_engine(writer, is_stream);
        if (r < 0)
                return r;

        blocks_reset(&writer->blocks, position);
        writer->fd = fd;
        writer->position = position;
        allocation_begin(&writer->allocation, is_stream ? UINT64_MAX : position.offset);
        writer->can_sync = !is_stream;
        writer->is_dirty = false;
        writer->is_suspect = false;
        writer->error = writer->sync_error = 0;
        writer->retry_pause_ns = 0;

        r = engine_set_file(writer->engine, fd);
        if (r < 0)
                writer_fall_back(writer, r);
        if (!is_stream)
                writer_open_direct(writer);
        return 0;
}

struct writer *writer_free(struct writer *writer) {
        if (!writer)
                return NULL;

        if (writer->engine && writer_settle(writer, SETTLE_NS) >= 0)
                writer_give_back(writer);
        closep(&writer->direct_fd);
        engine_free(writer->engine);
        engine_free(writer->seekable);
        blocks_deinit(&writer->blocks);
        free(writer);
        return NULL;
}

/* settings */

void writer_set_intervals(struct writer *writer, uint64_t flush_ns, uint64_t sync_ns) {
        writer->flush_ns = flush_ns;
        writer->sync_ns = sync_ns;
        if (writer->is_dirty)
                writer->sync_due_ns = add_saturating(clock_now_ns(CLOCK_MONOTONIC), sync_ns);
}

void writer_set_allocation(struct writer *writer, uint64_t chunk, uint64_t end) {
        allocation_set_limits(&writer->allocation, chunk, end);
}

/* records */

int writer_skip(struct writer *writer, uint64_t sequence) {
        if (writer->is_busy || !writer_is_written(writer))
                return -EBUSY;

        writer->position.sequence = sequence;
        blocks_reset(&writer->blocks, writer->position);
        return 0;
}

size_t writer_append(struct writer *writer, const struct i4_record *records, size_t n) {
        uint64_t due_ns = add_saturating(clock_now_ns(CLOCK_MONOTONIC), writer->flush_ns);

        assert(n == 0 || records->sequence / writer->stride == blocks_get_end(&writer->blocks).sequence);

        return blocks_append(&writer->blocks, records, n, due_ns);
}

void writer_flush(struct writer *writer) {
        blocks_set_due(&writer->blocks, 0);
}

static bool writer_is_drained(struct writer *writer, bool sync) {
        if (writer->is_busy || !writer_is_written(writer))
                return false;

        return !sync || !writer->is_dirty || !writer->can_sync;
}

static void sleep_until(uint64_t time_ns) {
        struct timespec ts = timespec_from_ns(time_ns);

        (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int writer_drain_until(struct writer *writer, bool sync, uint64_t deadline_ns) {
        uint64_t now = clock_now_ns(CLOCK_MONOTONIC);
        int r;

        for (;;) {
                writer_flush(writer);
                r = writer_run(writer, deadline_ns > now ? deadline_ns - now : 0);
                if (writer_is_drained(writer, sync))
                        return 0;
                if (writer->is_suspect)
                        return r;

                now = clock_now_ns(CLOCK_MONOTONIC);
                if (now >= deadline_ns)
                        return r < 0 ? r : -ETIMEDOUT;
                if (r < 0 && !writer->is_busy)
                        sleep_until(MIN(writer->retry_ns, deadline_ns));
        }
}

int writer_drain(struct writer *writer, bool sync, uint64_t deadline_ns) {
        int r;

        writer->is_sync_wanted = sync;
        r = writer_drain_until(writer, sync, deadline_ns);
        writer->is_sync_wanted = false;
        return r;
}

/* how it stands */

bool writer_is_busy(const struct writer *writer) {
        return writer->is_busy;
}

bool writer_is_suspect(const struct writer *writer) {
        return writer->is_suspect;
}

/* When there is something to do, apart from the write that is under way; 0: as soon as it can be done */
static uint64_t writer_get_write_due(const struct writer *writer) {
        bool is_writing = writer->is_busy && writer->request.operation == ENGINE_WRITE;

        /* All but the last block are full. */
        if (writer->blocks.n_used > (is_writing ? 2 : 1) || writer->blocks.n_used == writer->blocks.n_blocks)
                return 0;

        return blocks_get_due(&writer->blocks);
}

uint64_t writer_get_deadline(const struct writer *writer) {
        uint64_t deadline_ns = NSEC_INFINITY;

        if (writer->error < 0)
                deadline_ns = writer->retry_ns;
        else {
                if (!writer_is_written(writer))
                        deadline_ns = writer_get_write_due(writer);
                if (writer->is_dirty && writer->can_sync && writer->sync_error == 0)
                        deadline_ns = MIN(deadline_ns, writer->sync_due_ns);
        }

        /* Nobody waits for what is under way, but it should be taken note of. */
        if (writer->is_busy)
                deadline_ns = MIN(deadline_ns, writer->busy_since_ns + MIN(writer->flush_ns, NOTE_MAX_NS));
        return deadline_ns;
}

struct writer_position writer_get_position(const struct writer *writer) {
        return writer->position;
}

struct writer_position writer_get_end(const struct writer *writer) {
        return blocks_get_end(&writer->blocks);
}

struct writer_counters writer_get_counters(const struct writer *writer) {
        return writer->counters;
}
