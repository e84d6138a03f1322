/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's counters, and what two looks at them tell
 *
 * Readings are published in batches. A look that falls anywhere between two of them would make a rate wrong
 * by a batch, so each waits for the next one, if it comes soon: the rate of a short while is then exact.
 */

#include "i4.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct sample {
        struct i4_stats stats;
        uint64_t taken_ns;    /* CLOCK_MONOTONIC */
        uint64_t span_ns;     /* between the oldest and the newest record in the ring */
        uint64_t realtime_ns; /* CLOCK_REALTIME */
        uint64_t boottime_ns; /* CLOCK_BOOTTIME */
};

/* What cannot be known is negative. */
struct report {
        const char *path;
        struct sample sample;
        bool is_alive;               /* the daemon says that it runs, and shows signs of life */
        double sample_seconds;       /* between the two looks */
        double rate;                 /* records a second in between */
        double average_rate;         /* records a second since the daemon started */
        double set_rate;             /* records a second; negative: as fast as the machine goes */
        double average_storage_rate; /* bytes a second since the daemon started */
        double storage_rate;         /* bytes a second in between */
        double uptime_seconds;
        double heartbeat_seconds; /* since the last sign of life */
        uint64_t storage_lag_records;
        struct i4_peer *peers; /* the furthest behind first */
        size_t n_peers;
        struct cJSON *outlets; /* an array, see outlets.h */
};

/* 0; -ESTALE, -EPIPE: as i4_reader_read(), the sample is taken all the same. @reader is moved about. */
int sample_take(struct sample *sample, i4_reader *reader);

/* -ENOMEM. */
int report_init(struct report *report, const i4_reader *reader, const char *path, const struct sample *before,
                const struct sample *after);
void report_deinit(struct report *report);

/* How long @n_records take to come at the rate of the report, negative if that is not known. */
double report_get_seconds(const struct report *report, uint64_t n_records);
double report_get_silence(const struct report *report, const struct i4_peer *peer);

/* "running", "stopped", "retired", or "silent" if it says that it runs and gives no sign of life. */
const char *report_get_state(const struct report *report);
/* As i4_storage_state_to_string(), or "unknown". */
const char *report_get_storage_state(const struct report *report);
/* "io_uring", "pwrite" */
const char *report_get_engine(const struct report *report);

/* the two forms of a report */

/* At most @n_rows lines. */
void report_print_text(const struct report *report, FILE *file, size_t n_rows);
/* One object; one line if @is_line. -ENOMEM. */
int report_print_json(const struct report *report, FILE *file, bool is_line);
