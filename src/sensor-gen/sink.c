/* SPDX-License-Identifier: Apache-2.0 */

#include "sensor-gen/sink.h"

#include "sensor-gen/signals.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define WRITER_BLOCK_SIZE ((size_t) 1 << 20)
#define WRITER_N_BLOCKS   4u

/* A stream is written to while nothing else goes on, and takes its bytes out of the cache if they are still
 * there. */
#define STREAM_BLOCK_SIZE ((size_t) 1 << 18)
#define STREAM_N_BLOCKS   2u

#define WRITER_FLUSH_NS  (250 * NSEC_PER_MSEC)
#define WRITER_WAIT_NS   (100 * NSEC_PER_MSEC)
#define WRITER_SETTLE_NS NSEC_PER_SEC

#define DIRTY_BUFFER_SIZE ((size_t) 1 << 18)

static int sink_start_writer(struct sink *sink, const struct options *options,
                const struct i4_catalog *catalog, const struct output *output, uint64_t sequence) {
        struct writer_settings settings = {
                .engine = ENGINE_AUTO,
                .block_size = output->is_stream ? STREAM_BLOCK_SIZE : WRITER_BLOCK_SIZE,
                .n_blocks = output->is_stream ? STREAM_N_BLOCKS : WRITER_N_BLOCKS,
                .flush_ns = WRITER_FLUSH_NS,
                .sync_ns = NSEC_INFINITY,
                .extras = options->extras,
                .stride = options->n_shards,
        };
        struct writer_position position = { .sequence = sequence, .offset = output->offset };
        int r;

        r = writer_new(&sink->writer, &settings, catalog);
        if (r < 0)
                return r;

        file_widen_pipe(output->fd);
        return writer_set_file(sink->writer, output->fd, output->is_stream, position);
}

static int log_fail(const char *path, int error) {
        (void) fprintf(stderr, "sensor-gen: %s: %s\n", path, strerror(-error));
        return -EINVAL;
}

static int sink_start_dirt(
                struct sink *sink, const struct options *options, const struct i4_catalog *catalog) {
        struct dirt_settings settings = options->dirt;

        if (!settings.has_seed)
                settings.seed = options->seed;

        if (options->dirty_log_path) {
                sink->log_path = options->dirty_log_path;
                sink->log = fopen(sink->log_path, options->is_append ? "ae" : "we");
                if (!sink->log)
                        return log_fail(sink->log_path, -errno);
        }

        sink->buffer = malloc(DIRTY_BUFFER_SIZE);
        if (!sink->buffer)
                return -ENOMEM;

        return dirt_new(&sink->dirt, &settings, catalog, options->extras, sink->log);
}

int sink_init(struct sink *sink, const struct options *options, const struct i4_catalog *catalog,
                const struct output *output, uint64_t sequence) {
        *sink = (struct sink){ .fd = output->fd, .is_stream = output->is_stream, .offset = output->offset };

        return options->is_dirty ? sink_start_dirt(sink, options, catalog)
                                 : sink_start_writer(sink, options, catalog, output, sequence);
}

void sink_deinit(struct sink *sink) {
        (void) writer_free(sink->writer);
        (void) dirt_free(sink->dirt);
        if (sink->log)
                (void) fclose(sink->log);
        free(sink->buffer);
        *sink = (struct sink) SINK_INIT;
}

/* dirty lines */

static int dirty_write_some(struct sink *sink, const char *bytes, size_t n) {
        ssize_t n_written;

        if (sink->is_stream)
                signals_allow();
        n_written = sink->is_stream ? write(sink->fd, bytes, n)
                                    : pwrite(sink->fd, bytes, n, (off_t) sink->offset);
        if (sink->is_stream)
                signals_defer();

        return n_written < 0 ? -errno : (int) n_written;
}

/* Of a line that found no room nothing stays. */
static int dirty_fail(struct sink *sink, const char *bytes, size_t n_written, int error) {
        const char *end = memrchr(bytes, '\n', n_written);
        size_t n_whole = end ? (size_t) (end + 1 - bytes) : 0;

        if (!sink->is_stream && ftruncate(sink->fd, (off_t) (sink->offset - (n_written - n_whole))) == 0)
                sink->n_bytes -= n_written - n_whole;

        return error;
}

/* A reader that does not read is waited for until a stop is asked for beyond @n_stops. */
static int dirty_write(struct sink *sink, size_t n, int n_stops) {
        size_t n_written = 0;
        int r;

        while (n_written < n) {
                r = dirty_write_some(sink, sink->buffer + n_written, n - n_written);
                if (r == -EINTR && signals_get_n_stops() <= n_stops)
                        continue;
                if (r < 0)
                        return dirty_fail(sink, sink->buffer, n_written, r);

                n_written += (size_t) r;
                sink->offset += (uint64_t) r;
                sink->n_bytes += (uint64_t) r;
        }

        return 0;
}

static int dirty_put(struct sink *sink, const struct i4_record *records, size_t n, size_t *n_takenp) {
        size_t n_bytes, n_taken;
        int r;

        for (*n_takenp = 0; *n_takenp < n; *n_takenp += n_taken) {
                n_bytes = dirt_encode(sink->dirt, records + *n_takenp, n - *n_takenp, sink->buffer,
                                DIRTY_BUFFER_SIZE, &n_taken);
                /* The second stop does not wait for anybody. */
                r = dirty_write(sink, n_bytes, 1);
                if (r < 0)
                        return r;
                sink->n_records += n_taken;
        }

        return 0;
}

static int dirty_finish(struct sink *sink) {
        size_t n;
        int r;

        while ((n = dirt_finish(sink->dirt, sink->buffer, DIRTY_BUFFER_SIZE)) > 0) {
                r = dirty_write(sink, n, 1);
                if (r < 0)
                        return r;
        }

        if (sink->log && fclose(TAKE_PTR(sink->log)) != 0)
                return log_fail(sink->log_path, -errno);

        return 0;
}

/* clean lines */

/* What the writer overcomes by itself, sooner or later. */
static bool error_is_passing(int error) {
        return error == -EINTR || error == -EAGAIN || error == -ENOMEM || error == -ENOBUFS ||
               error == -ETIMEDOUT;
}

/* A run of the writer that a stop may interrupt where it could wait for a reader. */
static int writer_step(struct sink *sink, uint64_t timeout_ns) {
        int r = 0, n_stops = signals_get_n_stops();

        if (sink->is_stream)
                signals_allow();
        /* Not when one has come in just now: it could not interrupt what has not begun. */
        if (signals_get_n_stops() == n_stops)
                r = writer_run(sink->writer, timeout_ns);
        if (sink->is_stream)
                signals_defer();

        return error_is_passing(r) ? 0 : r;
}

static int writer_put(struct sink *sink, const struct i4_record *records, size_t n, size_t *n_takenp) {
        size_t n_taken = 0;
        int r;

        for (;;) {
                n_taken += writer_append(sink->writer, records + n_taken, n - n_taken);
                r = writer_step(sink, n_taken < n ? WRITER_WAIT_NS : 0);
                if (r < 0 || n_taken == n || signals_get_n_stops() > 0)
                        break;
        }

        *n_takenp = n_taken;
        return r;
}

static bool writer_is_finished(const struct sink *sink) {
        return writer_get_position(sink->writer).offset == writer_get_end(sink->writer).offset;
}

static int writer_finish(struct sink *sink) {
        int r, n_stops = signals_get_n_stops();

        while (!writer_is_finished(sink) && signals_get_n_stops() < 2) {
                uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

                writer_flush(sink->writer);
                r = writer_step(sink, WRITER_WAIT_NS);
                if (r < 0)
                        return r;
                if (writer_get_deadline(sink->writer) > now_ns && !writer_is_finished(sink))
                        signals_sleep(MIN(writer_get_deadline(sink->writer), now_ns + WRITER_WAIT_NS),
                                        n_stops);
        }

        return 0;
}

/* both */

int sink_put(struct sink *sink, const struct i4_record *records, size_t n, size_t *n_takenp) {
        int r;

        r = sink->dirt ? dirty_put(sink, records, n, n_takenp) : writer_put(sink, records, n, n_takenp);
        return error_is_passing(r) ? 0 : r;
}

int sink_wait(struct sink *sink, uint64_t deadline_ns, uint64_t now_ns) {
        uint64_t writer_ns = sink->dirt ? NSEC_INFINITY : writer_get_deadline(sink->writer);

        if (sink->dirt) {
                signals_sleep(deadline_ns, 0);
                return 0;
        }

        if (writer_ns > now_ns) {
                signals_sleep(MIN(deadline_ns, writer_ns), 0);
                return writer_step(sink, 0);
        }

        /* A write that holds up the next one. */
        return writer_step(sink, deadline_ns > now_ns ? MIN(deadline_ns - now_ns, WRITER_WAIT_NS) : 0);
}

int sink_finish(struct sink *sink) {
        int r;

        r = sink->dirt ? dirty_finish(sink) : writer_finish(sink);
        return error_is_passing(r) ? 0 : r;
}

void sink_settle(struct sink *sink) {
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + WRITER_SETTLE_NS;

        if (sink->dirt)
                return;

        while (writer_is_busy(sink->writer) && clock_now_ns(CLOCK_MONOTONIC) < deadline_ns)
                (void) writer_step(sink, WRITER_WAIT_NS);
}

struct sink_counters sink_get_counters(const struct sink *sink) {
        struct writer_counters counters;

        if (sink->dirt)
                return (struct sink_counters){ .n_records = sink->n_records, .n_bytes = sink->n_bytes };

        counters = writer_get_counters(sink->writer);
        return (struct sink_counters){ .n_records = counters.n_records, .n_bytes = counters.n_bytes };
}
