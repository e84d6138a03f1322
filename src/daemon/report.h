/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What an administrator is told
 *
 * Each condition that somebody may act on is one function here, one message id, and one text in the journal
 * catalog (units/i4.catalog), which explains it and says what to do. Under systemd entries are structured;
 * by hand they are lines on stderr.
 *
 * A condition that repeats fast is told a few times, then only counted; the count comes with its next entry,
 * or with the next statistics. Any thread may report; none of this belongs into a hot path.
 *
 * Errors are negative errno values, spans nanoseconds.
 */

#include "daemon/condition.h"
#include "i4.h"
#include "util/parse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct report;

/* Where entries go; the last field is the message. For tests, else NULL: the journal or stderr. */
typedef void report_sink_t(void *userdata, const struct iovec *fields, size_t n_fields);

int report_new(struct report **reportp, report_sink_t *sink, void *userdata);
struct report *report_free(struct report *report);

/* the daemon */

void report_started(struct report *report, struct rate rate, uint32_t n_sensors, uint64_t seed,
                uint64_t sequence);
/* @n_left: made, but not stored */
void report_stopping(struct report *report, uint64_t n_made, uint64_t n_left);
/* An error that ends the daemon. @reason: in words; @what: "Cannot listen on /run/i4/ring.sock" */
void report_failed(struct report *report, int error, const char *reason, const char *what);
/* The watchdog is about to strike. @who: "generator", "storage" */
void report_hung(struct report *report, const char *who, uint64_t since_ns);
/* @before: an interval of @elapsed_ns ago, all zero the first time */
void report_statistics(struct report *report, const struct i4_stats *now, const struct i4_stats *before,
                uint64_t elapsed_ns);

/* settings */

void report_settings_reloaded(struct report *report);
/* A report function of struct complaints; @userdata is the report. */
void report_settings_mistake(void *userdata, const char *file, unsigned int line, const char *text);
/* The new settings had @n_mistakes, the old ones stay. */
void report_settings_kept(struct report *report, unsigned int n_mistakes);
/* A changed setting waits for a restart; @is_new_ring: which makes readers reattach. */
void report_settings_pending(struct report *report, const char *section, const char *key, bool is_new_ring);

/* generator */

/* From @step on readings are due from @time_ns (CLOCK_REALTIME) at @rate. @why: "start", "rate change", … */
void report_anchor(struct report *report, uint64_t step, uint64_t sequence, uint64_t time_ns,
                struct rate rate, const char *why);
/* The list of anchors beside the readings, or of what was ordered, cannot be written. */
void report_anchor_not_noted(struct report *report, int error);
void report_order_not_recorded(struct report *report, int error);
/* The list of incidents beside the readings cannot be written. */
void report_events_not_written(struct report *report, int error);
/* The schedule of a daemon before this one goes on; @n_due readings were due in between and are made now. */
void report_resumed(struct report *report, uint64_t n_due);
void report_behind(struct report *report, uint64_t n_behind, uint64_t behind_ns);
void report_caught_up(struct report *report, uint64_t n_behind_max);
void report_skipped(struct report *report, uint64_t n_skipped, uint64_t skipped_ns);
/* @step_ns: how far CLOCK_REALTIME was moved, negative: back */
void report_clock_stepped(struct report *report, int64_t step_ns);
/* An incident was ordered. @what: all of it, as members of a JSON object */
void report_injected(struct report *report, uint32_t event, const char *kind, const char *what);

/* ring: @instance are its 16 random bytes */

void report_ring_new(struct report *report, const uint8_t instance[static 16], uint64_t n_records,
                uint64_t sequence);
void report_ring_adopted(struct report *report, const uint8_t instance[static 16], uint64_t sequence);
/* The ring handed back by systemd was not taken. @why: "it holds 1024 records, Records= asks for 4096" */
void report_ring_retired(struct report *report, const char *why);
/* systemd does not keep the ring's descriptors: the next start makes a new one. */
void report_ring_not_kept(struct report *report, int error);

/* readers; @pid 0: unknown */

/* The time of the socket at @path cannot be set, by which they see that there is a daemon. */
void report_readers_not_told(struct report *report, const char *path, int error);

void report_reader_attached(struct report *report, const char *name, pid_t pid, uid_t uid);
void report_reader_left(struct report *report, const char *name, pid_t pid, uint64_t cursor, uint64_t n_lost);
void report_reader_refused(struct report *report, const char *name, pid_t pid, const char *why);
/* @n_lost: since its last report; @n_total: since it attached */
void report_reader_lost(
                struct report *report, const char *name, pid_t pid, uint64_t n_lost, uint64_t n_total);
void report_reader_silent(struct report *report, const char *name, pid_t pid, uint64_t since_ns);
/* No descriptor or memory for another connection; told once, until there is. */
void report_readers_exhausted(struct report *report, int error);

/* storage; file names are relative to the directory of readings */

/* @engine: "io_uring", "pwrite" */
void report_storage_opened(struct report *report, const char *engine, uint64_t n_bytes, uint64_t sequence);
/* io_uring was refused by @error, at the start or later, and pwrite does its work. */
void report_storage_engine(struct report *report, int error);
void report_storage_line_ended(struct report *report);
void report_storage_full(struct report *report, int error);
/* MaxUse= or KeepFree=, as they are now, leave no room. */
void report_storage_limited(struct report *report, uint64_t limit_bytes);
/* @file: sealed as suspect, or "" */
void report_storage_failed(struct report *report, int error, const char *file);
/* A system call has not come back for @since_ns. */
void report_storage_hangs(struct report *report, uint64_t since_ns);
void report_storage_recovered(struct report *report, uint64_t after_ns);
void report_storage_dropped(struct report *report, uint64_t n_dropped, uint64_t first_sequence);
void report_storage_sealed(struct report *report, const char *file, uint64_t n_bytes);
void report_storage_deleted(struct report *report, const char *file, uint64_t n_bytes, bool is_old);
void report_storage_replaced(struct report *report);
/* The directory of readings was removed, and @error is why it cannot be made again. */
void report_storage_gone(struct report *report, int error);
/* The file system of the readings can be written to again, but not through the mount that i4d has. */
void report_storage_shut_out(struct report *report);
/* @n_bytes: that are missing at the end; 0: in the middle */
void report_storage_cut(struct report *report, uint64_t n_bytes);

static inline void report_freep(struct report **report) {
        if (*report)
                (void) report_free(*report);
}
