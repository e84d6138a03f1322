/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/report.h"

#include "daemon/entry.h"
#include "daemon/limiter.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

struct report {
        report_sink_t *sink;
        void *userdata;
        pthread_mutex_t lock;
        struct limiter limiters[N_CONDITIONS];
};

/* sinks */

static struct iovec entry_get_message(const struct iovec *fields, size_t n_fields) {
        struct iovec field = fields[n_fields - 1];
        size_t n = strlen("MESSAGE=");

        return (struct iovec){ (char *) field.iov_base + n, field.iov_len - n };
}

static void sink_stderr(void *userdata, const struct iovec *fields, size_t n_fields) {
        struct iovec message = entry_get_message(fields, n_fields);

        (void) fprintf(stderr, "i4d: %.*s\n", (int) message.iov_len, (const char *) message.iov_base);
}

static void sink_journal(void *userdata, const struct iovec *fields, size_t n_fields) {
        /* Too many or too large for a journal that is not there: then at least what stderr leads to. */
        if (sd_journal_sendv(fields, (int) n_fields) < 0)
                sink_stderr(NULL, fields, n_fields);
}

/* Whoever started us says which stream is the journal; a redirected stderr is another one. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
                return false;

        return fstat(STDERR_FILENO, &st) >= 0 && st.st_dev == device && st.st_ino == inode;
}

int report_new(struct report **reportp, report_sink_t *sink, void *userdata) {
        struct report *report;

        report = calloc(1, sizeof(*report));
        if (!report)
                return -ENOMEM;

        report->sink = sink ? sink : stderr_is_journal() ? sink_journal : sink_stderr;
        report->userdata = userdata;
        (void) pthread_mutex_init(&report->lock, NULL);

        *reportp = report;
        return 0;
}

struct report *report_free(struct report *report) {
        if (report)
                (void) pthread_mutex_destroy(&report->lock);
        free(report);
        return NULL;
}

/* how often */

/* Is it told? Then *@n_held_backp are those that were not, before it. */
static bool report_admit(struct report *report, enum condition condition, uint64_t *n_held_backp) {
        bool is_admitted;

        (void) pthread_mutex_lock(&report->lock);
        is_admitted = limiter_admit(&report->limiters[condition], condition_get_burst(condition),
                        clock_now_ns(CLOCK_MONOTONIC), n_held_backp);
        (void) pthread_mutex_unlock(&report->lock);

        return is_admitted;
}

static uint64_t report_take_held_back(struct report *report) {
        uint64_t n = 0;

        (void) pthread_mutex_lock(&report->lock);
        for (size_t i = 0; i < N_CONDITIONS; ++i)
                n += TAKE(report->limiters[i].n_held_back, 0);
        (void) pthread_mutex_unlock(&report->lock);

        return n;
}

static void report_send(struct report *report, struct entry *entry, const char *format, ...) _printf_(3, 4);

static void report_send(struct report *report, struct entry *entry, const char *format, ...) {
        uint64_t n_held_back = 0;
        va_list args;

        if (!report_admit(report, entry->condition, &n_held_back))
                return;

        va_start(args, format);
        entry_end(entry, n_held_back, format, args);
        va_end(args);

        report->sink(report->userdata, entry->fields, entry->n_fields);
}

/* For messages: a person needs no nanoseconds. Fields have the exact value. */
static const char *format_span_coarse(uint64_t ns, char buffer[static FORMAT_MAX]) {
        uint64_t unit = ns < 10 * NSEC_PER_SEC ? NSEC_PER_MSEC : NSEC_PER_SEC;

        return format_span(ns == NSEC_INFINITY ? ns : ns - ns % unit, buffer);
}

/* the daemon */

void report_started(struct report *report, struct rate rate, uint32_t n_sensors, uint64_t seed,
                uint64_t sequence) {
        char text[FORMAT_MAX];
        struct entry entry;

        format_rate(rate, text);
        entry_init(&entry, CONDITION_STARTED);
        entry_add(&entry, "SENSOR_RATE", "%s", text);
        entry_add_number(&entry, "SENSOR_COUNT", n_sensors);
        entry_add_number(&entry, "SENSOR_SEED", seed);
        entry_add_number(&entry, "RING_SEQUENCE", sequence);
        entry_add(&entry, "DAEMON_VERSION", "%s", I4_VERSION);
        report_send(report, &entry, "Ready: %" PRIu32 " sensors, Rate=%s, from reading %" PRIu64 " on",
                        n_sensors, text, sequence);
}

void report_stopping(struct report *report, uint64_t n_made, uint64_t n_left) {
        struct entry entry;

        entry_init(&entry, CONDITION_STOPPING);
        entry_add_number(&entry, "SENSOR_ACHIEVED_RECORDS", n_made);
        entry_add_number(&entry, "STORAGE_LEFT_RECORDS", n_left);
        report_send(report, &entry, "Stopping after %" PRIu64 " readings, %" PRIu64 " of them not stored",
                        n_made, n_left);
}

void report_failed(struct report *report, int error, const char *reason, const char *what) {
        struct entry entry;

        entry_init(&entry, CONDITION_FAILED);
        entry_add_error(&entry, error);
        entry_add(&entry, "DAEMON_TASK", "%s", what);
        report_send(report, &entry, "%s: %s", what, reason);
}

void report_hung(struct report *report, const char *who, uint64_t since_ns) {
        char span[FORMAT_MAX];
        struct entry entry;

        entry_init(&entry, CONDITION_HUNG);
        entry_add(&entry, "DAEMON_THREAD", "%s", who);
        entry_add_span(&entry, "DAEMON_HUNG_SINCE", since_ns);
        report_send(report, &entry, "The %s has made no progress for %s; the watchdog is no longer answered",
                        who, format_span_coarse(since_ns, span));
}

static double stats_get_rate(const struct i4_stats *now, const struct i4_stats *before, uint64_t elapsed_ns) {
        if (elapsed_ns == 0 || now->achieved_records < before->achieved_records)
                return 0;

        return (double) (now->achieved_records - before->achieved_records) * (double) NSEC_PER_SEC /
               (double) elapsed_ns;
}

static void entry_add_generator(struct entry *entry, const struct i4_stats *stats, double rate) {
        char text[FORMAT_MAX];

        entry_add(entry, "SENSOR_RATE", "%s",
                        format_rate((struct rate){ stats->rate_records, stats->rate_period_ns }, text));
        entry_add(entry, "SENSOR_ACHIEVED_PER_SECOND", "%.3f", rate);
        entry_add_number(entry, "SENSOR_TARGET_RECORDS", stats->target_records);
        entry_add_number(entry, "SENSOR_ACHIEVED_RECORDS", stats->achieved_records);
        entry_add_number(entry, "SENSOR_BEHIND_RECORDS", stats->behind_records);
        entry_add_number(entry, "SENSOR_BEHIND_MAX_RECORDS", stats->behind_max_records);
        entry_add_number(entry, "SENSOR_SKIPPED_RECORDS", stats->skipped_records);
}

static void entry_add_ring(struct entry *entry, const struct i4_stats *stats) {
        entry_add_number(entry, "RING_OLDEST", stats->ring_oldest);
        entry_add_number(entry, "RING_NEXT", stats->ring_next);
        entry_add_number(entry, "RING_READERS", stats->n_readers);
        entry_add_number(entry, "RING_READERS_REFUSED", stats->readers_refused);
        entry_add_number(entry, "RING_READERS_LOST_RECORDS", stats->readers_lost_records);
}

static void entry_add_storage(struct entry *entry, const struct i4_stats *stats) {
        const char *state = i4_storage_state_to_string(stats->storage_state);

        entry_add(entry, "STORAGE_STATE", "%s", state ? state : "unknown");
        entry_add(entry, "STORAGE_ENGINE", "%s",
                        stats->storage_state == I4_STORAGE_OFF ? "none"
                        : stats->storage_is_uring              ? "io_uring"
                                                               : "pwrite");
        entry_add_number(entry, "STORAGE_NEXT", stats->storage_next);
        entry_add_number(entry, "STORAGE_RECORDS", stats->storage_records);
        entry_add_number(entry, "STORAGE_BYTES", stats->storage_bytes);
        entry_add_number(entry, "STORAGE_DROPPED_RECORDS", stats->storage_dropped_records);
        entry_add_number(entry, "STORAGE_ERRORS", stats->storage_errors);
        entry_add_number(entry, "STORAGE_SEGMENTS", stats->storage_segments);
        entry_add_number(entry, "STORAGE_USE_BYTES", stats->storage_use_bytes);
        entry_add_number(entry, "STORAGE_LIMIT_BYTES", stats->storage_limit_bytes);
}

void report_statistics(struct report *report, const struct i4_stats *now, const struct i4_stats *before,
                uint64_t elapsed_ns) {
        uint64_t n_held_back = report_take_held_back(report);
        double rate = stats_get_rate(now, before, elapsed_ns);
        char use[FORMAT_MAX];
        struct entry entry;

        entry_init(&entry, CONDITION_STATISTICS);
        entry_add_span(&entry, "STATS_INTERVAL", elapsed_ns);
        entry_add_generator(&entry, now, rate);
        entry_add_ring(&entry, now);
        entry_add_storage(&entry, now);
        entry_add_number(&entry, "STATS_HELD_BACK", n_held_back);
        report_send(report, &entry,
                        "%.*f readings a second, %" PRIu64 " behind, %" PRIu32 " readers, %" PRIu64
                        " stored, %" PRIu64 " dropped, %s in use",
                        rate < 100 ? 2 : 0, rate, now->behind_records, now->n_readers, now->storage_records,
                        now->storage_dropped_records,
                        format_size(now->storage_use_bytes - now->storage_use_bytes % 1048576, use));
}

/* settings */

void report_settings_reloaded(struct report *report) {
        struct entry entry;

        entry_init(&entry, CONDITION_SETTINGS_RELOADED);
        report_send(report, &entry, "New settings are in force");
}

void report_settings_mistake(void *userdata, const char *file, unsigned int line, const char *text) {
        struct report *report = userdata;
        struct entry entry;

        entry_init(&entry, CONDITION_SETTINGS_MISTAKE);
        entry_add(&entry, "CONFIG_FILE", "%s", file);
        entry_add(&entry, "CONFIG_LINE", "%u", line);
        entry_add(&entry, "CONFIG_MISTAKE", "%s", text);
        if (line)
                report_send(report, &entry, "%s:%u: %s", file, line, text);
        else
                report_send(report, &entry, "%s: %s", file, text);
}

void report_settings_kept(struct report *report, unsigned int n_mistakes) {
        struct entry entry;

        entry_init(&entry, CONDITION_SETTINGS_KEPT);
        entry_add_number(&entry, "CONFIG_MISTAKES", n_mistakes);
        report_send(report, &entry, "New settings refused for %u mistake%s; those from before stay in force",
                        n_mistakes, n_mistakes == 1 ? "" : "s");
}

void report_settings_pending(struct report *report, const char *section, const char *key, bool is_new_ring) {
        struct entry entry;

        entry_init(&entry, CONDITION_SETTINGS_PENDING);
        entry_add(&entry, "CONFIG_SECTION", "%s", section);
        entry_add(&entry, "CONFIG_KEY", "%s", key);
        entry_add(&entry, "CONFIG_EFFECT", "%s",
                        is_new_ring ? "makes a new ring, to which readers reattach"
                                    : "leaves readers attached");
        report_send(report, &entry, "[%s] %s= was changed and waits for a restart%s", section, key,
                        is_new_ring ? ", which makes a new ring" : "");
}

/* generator */

void report_anchor(struct report *report, uint64_t step, uint64_t sequence, uint64_t time_ns,
                struct rate rate, const char *why) {
        char text[FORMAT_MAX];
        struct entry entry;

        format_rate(rate, text);
        entry_init(&entry, CONDITION_ANCHOR);
        entry_add_number(&entry, "SENSOR_STEP", step);
        entry_add_number(&entry, "RING_SEQUENCE", sequence);
        entry_add_number(&entry, "SENSOR_TIME_NSEC", time_ns);
        entry_add(&entry, "SENSOR_RATE", "%s", text);
        entry_add(&entry, "SENSOR_REASON", "%s", why);
        report_send(report, &entry, "Anchor (%s): step %" PRIu64 ", reading %" PRIu64 ", Rate=%s", why, step,
                        sequence, text);
}

void report_anchor_not_noted(struct report *report, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_ANCHOR_NOT_NOTED);
        entry_add_error(&entry, error);
        report_send(report, &entry, "An anchor could not be noted in anchors.jsonl: %s", strerror(-error));
}

void report_order_not_recorded(struct report *report, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_ORDER_NOT_RECORDED);
        entry_add_error(&entry, error);
        report_send(report, &entry, "What was ordered cannot be recorded in injected.jsonl: %s",
                        strerror(-error));
}

void report_events_not_written(struct report *report, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_EVENTS_NOT_WRITTEN);
        entry_add_error(&entry, error);
        report_send(report, &entry, "Incidents cannot be listed in events.jsonl: %s", strerror(-error));
}

void report_resumed(struct report *report, uint64_t n_due) {
        struct entry entry;

        entry_init(&entry, CONDITION_RESUMED);
        entry_add_number(&entry, "SENSOR_DUE_RECORDS", n_due);
        report_send(report, &entry, "The schedule from before goes on; %" PRIu64 " readings are made up for",
                        n_due);
}

void report_behind(struct report *report, uint64_t n_behind, uint64_t behind_ns) {
        char span[FORMAT_MAX];
        struct entry entry;

        format_span_coarse(behind_ns, span);
        entry_init(&entry, CONDITION_BEHIND);
        entry_add_number(&entry, "SENSOR_BEHIND_RECORDS", n_behind);
        entry_add_span(&entry, "SENSOR_BEHIND", behind_ns);
        report_send(report, &entry, "Behind schedule by %s, %" PRIu64 " readings", span, n_behind);
}

void report_caught_up(struct report *report, uint64_t n_behind_max) {
        struct entry entry;

        entry_init(&entry, CONDITION_CAUGHT_UP);
        entry_add_number(&entry, "SENSOR_BEHIND_MAX_RECORDS", n_behind_max);
        report_send(report, &entry, "On schedule again, after having been %" PRIu64 " readings behind",
                        n_behind_max);
}

void report_skipped(struct report *report, uint64_t n_skipped, uint64_t skipped_ns) {
        char span[FORMAT_MAX];
        struct entry entry;

        format_span_coarse(skipped_ns, span);
        entry_init(&entry, CONDITION_SKIPPED);
        entry_add_number(&entry, "SENSOR_SKIPPED_RECORDS", n_skipped);
        entry_add_span(&entry, "SENSOR_SKIPPED", skipped_ns);
        report_send(report, &entry, "Skipped %s, %" PRIu64 " readings", span, n_skipped);
}

void report_clock_stepped(struct report *report, int64_t step_ns) {
        uint64_t distance_ns = step_ns < 0 ? -(uint64_t) step_ns : (uint64_t) step_ns;
        const char *direction = step_ns < 0 ? "back" : "forward";
        char span[FORMAT_MAX];
        struct entry entry;

        entry_init(&entry, CONDITION_CLOCK_STEPPED);
        entry_add_span(&entry, "SENSOR_CLOCK_STEP", distance_ns);
        entry_add(&entry, "SENSOR_CLOCK_DIRECTION", "%s", direction);
        report_send(report, &entry, "The clock was set %s by %s", direction,
                        format_span_coarse(distance_ns, span));
}

/* ring */

static void entry_add_instance(struct entry *entry, const uint8_t instance[static 16]) {
        char text[33];

        for (size_t i = 0; i < 16; ++i)
                (void) snprintf(text + 2 * i, 3, "%02x", instance[i]);
        entry_add(entry, "RING_INSTANCE", "%s", text);
}

void report_injected(struct report *report, uint32_t event, const char *kind, const char *what) {
        struct entry entry;

        entry_init(&entry, CONDITION_INJECTED);
        entry_add_number(&entry, "SENSOR_EVENT", event);
        entry_add(&entry, "SENSOR_FAULT", "%s", kind);
        report_send(report, &entry, "Incident ordered: {%s}", what);
}

void report_ring_new(struct report *report, const uint8_t instance[static 16], uint64_t n_records,
                uint64_t sequence) {
        struct entry entry;

        entry_init(&entry, CONDITION_RING_NEW);
        entry_add_instance(&entry, instance);
        entry_add_number(&entry, "RING_RECORDS", n_records);
        entry_add_number(&entry, "RING_SEQUENCE", sequence);
        report_send(report, &entry, "New ring of %" PRIu64 " records, from reading %" PRIu64 " on", n_records,
                        sequence);
}

void report_ring_adopted(struct report *report, const uint8_t instance[static 16], uint64_t sequence) {
        struct entry entry;

        entry_init(&entry, CONDITION_RING_ADOPTED);
        entry_add_instance(&entry, instance);
        entry_add_number(&entry, "RING_SEQUENCE", sequence);
        report_send(report, &entry, "Took over the ring, goes on with reading %" PRIu64, sequence);
}

void report_ring_retired(struct report *report, const char *why) {
        struct entry entry;

        entry_init(&entry, CONDITION_RING_RETIRED);
        entry_add(&entry, "RING_REASON", "%s", why);
        report_send(report, &entry, "Retired the ring from before: %s", why);
}

void report_ring_not_kept(struct report *report, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_RING_NOT_KEPT);
        entry_add_error(&entry, error);
        report_send(report, &entry, "The service manager does not keep the ring over a restart: %s",
                        strerror(-error));
}

/* readers */

void report_readers_not_told(struct report *report, const char *path, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_READERS_NOT_TOLD);
        entry_add(&entry, "RING_SOCKET", "%s", path);
        entry_add_error(&entry, error);
        report_send(report, &entry, "Cannot set the time of %s, by which readers see that i4d is there: %s",
                        path, strerror(-error));
}

static void entry_add_reader(struct entry *entry, const char *name, pid_t pid) {
        entry_add(entry, "RING_READER_NAME", "%s", name);
        entry_add(entry, "RING_READER_PID", "%jd", (intmax_t) pid);
}

void report_reader_attached(struct report *report, const char *name, pid_t pid, uid_t uid) {
        struct entry entry;

        entry_init(&entry, CONDITION_READER_ATTACHED);
        entry_add_reader(&entry, name, pid);
        entry_add_number(&entry, "RING_READER_UID", uid);
        report_send(report, &entry, "Reader attached: %s (pid %jd)", name, (intmax_t) pid);
}

void report_reader_left(
                struct report *report, const char *name, pid_t pid, uint64_t cursor, uint64_t n_lost) {
        struct entry entry;

        entry_init(&entry, CONDITION_READER_LEFT);
        entry_add_reader(&entry, name, pid);
        entry_add_number(&entry, "RING_READER_CURSOR", cursor);
        entry_add_number(&entry, "RING_READER_LOST_RECORDS", n_lost);
        report_send(report, &entry, "Reader left: %s (pid %jd), at reading %" PRIu64 ", %" PRIu64 " lost",
                        name, (intmax_t) pid, cursor, n_lost);
}

void report_reader_refused(struct report *report, const char *name, pid_t pid, const char *why) {
        struct entry entry;

        entry_init(&entry, CONDITION_READER_REFUSED);
        entry_add_reader(&entry, name, pid);
        entry_add(&entry, "RING_REASON", "%s", why);
        report_send(report, &entry, "Reader refused: %s (pid %jd): %s", name, (intmax_t) pid, why);
}

void report_reader_lost(
                struct report *report, const char *name, pid_t pid, uint64_t n_lost, uint64_t n_total) {
        struct entry entry;

        entry_init(&entry, CONDITION_READER_LOST);
        entry_add_reader(&entry, name, pid);
        entry_add_number(&entry, "RING_LOST_RECORDS", n_lost);
        entry_add_number(&entry, "RING_READER_LOST_RECORDS", n_total);
        report_send(report, &entry,
                        "Reader too slow: %s (pid %jd) lost %" PRIu64 " readings, %" PRIu64 " in all", name,
                        (intmax_t) pid, n_lost, n_total);
}

void report_reader_silent(struct report *report, const char *name, pid_t pid, uint64_t since_ns) {
        char span[FORMAT_MAX];
        struct entry entry;

        entry_init(&entry, CONDITION_READER_SILENT);
        entry_add_reader(&entry, name, pid);
        entry_add_span(&entry, "RING_READER_SILENT", since_ns);
        report_send(report, &entry, "Reader silent: %s (pid %jd) has not called for %s", name, (intmax_t) pid,
                        format_span_coarse(since_ns, span));
}

void report_readers_exhausted(struct report *report, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_READERS_EXHAUSTED);
        entry_add_error(&entry, error);
        report_send(report, &entry, "No more connections can be taken: %s", strerror(-error));
}

/* storage */

void report_storage_opened(struct report *report, const char *engine, uint64_t n_bytes, uint64_t sequence) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_OPENED);
        entry_add(&entry, "STORAGE_ENGINE", "%s", engine);
        entry_add_number(&entry, "STORAGE_BYTES", n_bytes);
        entry_add_number(&entry, "STORAGE_SEQUENCE", sequence);
        report_send(report, &entry,
                        "Storing through %s, from reading %" PRIu64 " on, behind %" PRIu64
                        " bytes that are there",
                        engine, sequence, n_bytes);
}

void report_storage_engine(struct report *report, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_ENGINE);
        entry_add_error(&entry, error);
        report_send(report, &entry, "io_uring is refused, writing with pwrite: %s", strerror(-error));
}

void report_storage_line_ended(struct report *report) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_LINE_ENDED);
        report_send(report, &entry,
                        "The last line of readings.jsonl was torn; it was ended, nothing was removed");
}

void report_storage_full(struct report *report, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_FULL);
        entry_add_error(&entry, error);
        report_send(report, &entry, "No room for readings: %s", strerror(-error));
}

void report_storage_limited(struct report *report, uint64_t limit_bytes) {
        char limit[FORMAT_MAX];
        struct entry entry;

        format_size(limit_bytes - limit_bytes % 1048576, limit);
        entry_init(&entry, CONDITION_STORAGE_LIMITED);
        entry_add_number(&entry, "STORAGE_LIMIT_BYTES", limit_bytes);
        report_send(report, &entry,
                        "No room for readings: MaxUse= and KeepFree= allow %s now, and nothing is left to delete",
                        limit);
}

void report_storage_failed(struct report *report, int error, const char *file) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_FAILED);
        entry_add_error(&entry, error);
        entry_add(&entry, "STORAGE_FILE", "%s", *file ? file : "readings.jsonl");
        report_send(report, &entry, "Readings cannot be stored: %s%s%s", strerror(-error),
                        *file ? "; suspect file: " : "", file);
}

void report_storage_hangs(struct report *report, uint64_t since_ns) {
        char span[FORMAT_MAX];
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_HANGS);
        entry_add_span(&entry, "STORAGE_HANGS_SINCE", since_ns);
        report_send(report, &entry, "The disk has not answered for %s; storage waits for it",
                        format_span_coarse(since_ns, span));
}

void report_storage_recovered(struct report *report, uint64_t after_ns) {
        char span[FORMAT_MAX];
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_RECOVERED);
        entry_add_span(&entry, "STORAGE_INTERRUPTION", after_ns);
        report_send(report, &entry, "Readings are stored again, after %s",
                        format_span_coarse(after_ns, span));
}

void report_storage_dropped(struct report *report, uint64_t n_dropped, uint64_t first_sequence) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_DROPPED);
        entry_add_number(&entry, "STORAGE_DROPPED_RECORDS", n_dropped);
        entry_add_number(&entry, "STORAGE_DROPPED_FIRST", first_sequence);
        report_send(report, &entry, "%" PRIu64 " readings were not stored, from reading %" PRIu64 " on",
                        n_dropped, first_sequence);
}

void report_storage_sealed(struct report *report, const char *file, uint64_t n_bytes) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_SEALED);
        entry_add(&entry, "STORAGE_FILE", "%s", file);
        entry_add_number(&entry, "STORAGE_BYTES", n_bytes);
        report_send(report, &entry, "Sealed %s, %" PRIu64 " bytes", file, n_bytes);
}

void report_storage_deleted(struct report *report, const char *file, uint64_t n_bytes, bool is_old) {
        const char *why = is_old ? "it is older than MaxRetentionSec=" : "MaxUse= or KeepFree= ask for room";
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_DELETED);
        entry_add(&entry, "STORAGE_FILE", "%s", file);
        entry_add_number(&entry, "STORAGE_BYTES", n_bytes);
        entry_add(&entry, "STORAGE_REASON", "%s", why);
        report_send(report, &entry, "Deleted %s, %" PRIu64 " bytes: %s", file, n_bytes, why);
}

void report_storage_replaced(struct report *report) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_REPLACED);
        report_send(report, &entry, "readings.jsonl was moved or removed by somebody; a new one was begun");
}

void report_storage_gone(struct report *report, int error) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_GONE);
        entry_add_error(&entry, error);
        report_send(report, &entry, "The directory of readings was removed, and i4d cannot make it again: %s",
                        strerror(-error));
}

void report_storage_shut_out(struct report *report) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_SHUT_OUT);
        report_send(report, &entry,
                        "The file system of the readings can be written to again, but not by i4d, which has it read-only "
                        "since its start");
}

void report_storage_cut(struct report *report, uint64_t n_bytes) {
        struct entry entry;

        entry_init(&entry, CONDITION_STORAGE_CUT);
        entry_add_number(&entry, "STORAGE_BYTES", n_bytes);
        report_send(report, &entry,
                        "readings.jsonl was cut short by somebody; what is stored from now on follows");
}
