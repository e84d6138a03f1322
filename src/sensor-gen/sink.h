/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Records to the output
 *
 * Clean lines go through the writer, as the daemon's do. Dirty ones are no function of single records any
 * more, which is what the writer lives by, so they are written as they come out.
 */

#include "sensor-gen/options.h"
#include "sensor-gen/output.h"

#include "dirt/dirt.h"
#include "storage/writer.h"

struct sink {
        int fd;
        bool is_stream;
        struct writer *writer; /* NULL: lines are to be dirty */

        struct dirt *dirt;
        FILE *log;
        const char *log_path;
        char *buffer;
        uint64_t offset; /* in a file, of the next line */
        uint64_t n_records, n_bytes;
};

#define SINK_INIT                                                                                            \
        { .fd = -1 }

struct sink_counters {
        uint64_t n_records; /* completely written, or held back as dirt may be */
        uint64_t n_bytes;   /* written */
};

/* @output stays the caller's; the first record has the number @sequence. What is wrong with the log has been
 * told: -EINVAL. */
int sink_init(struct sink *sink, const struct options *options, const struct i4_catalog *catalog,
                const struct output *output, uint64_t sequence);
void sink_deinit(struct sink *sink);

/* Takes all @n records, fewer only if a stop is asked for meanwhile, or on an error, which it returns. */
int sink_put(struct sink *sink, const struct i4_record *records, size_t n, size_t *n_takenp);

/* Sleeps until CLOCK_MONOTONIC says @deadline_ns, or less long if there is something to see to. */
int sink_wait(struct sink *sink, uint64_t deadline_ns, uint64_t now_ns);

/* Writes what is left. A reader that does not read is waited for until a stop is asked for once more. */
int sink_finish(struct sink *sink);

/* After an error: takes note of what is under way, and of the whole lines that still find room. */
void sink_settle(struct sink *sink);

struct sink_counters sink_get_counters(const struct sink *sink);
