/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A report for a person: one screen
 */

#include "tools/outlets.h"
#include "tools/sample.h"
#include "util/clock.h"
#include "util/macros.h"

#include <inttypes.h>
#include <string.h>

/* Texts of one line, by value: they live as long as the expression that prints them. */
struct text {
        char text[48];
};

/* "95,678,234" */
static struct text count_text(uint64_t count) {
        struct text digits, text = {};
        size_t n, k = 0;

        n = (size_t) snprintf(digits.text, sizeof(digits.text), "%" PRIu64, count);
        for (size_t i = 0; i < n; ++i) {
                if (i > 0 && (n - i) % 3 == 0)
                        text.text[k++] = ',';
                text.text[k++] = digits.text[i];
        }

        return text;
}

static struct text rate_text(double rate) {
        struct text text;

        if (rate < 0)
                (void) snprintf(text.text, sizeof(text.text), "-");
        else if (rate >= 1e5)
                (void) snprintf(text.text, sizeof(text.text), "%.40s/s", count_text((uint64_t) rate).text);
        else
                (void) snprintf(text.text, sizeof(text.text), "%.*f/s", rate < 10 ? 3 : 1, rate);

        return text;
}

/* Base 1024 for what lies on a disk, as MaxUse= counts. */
static struct text size_text(uint64_t bytes) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        double value = (double) bytes;
        struct text text;
        size_t i = 0;

        for (; value >= 1024 && i + 1 < ELEMENTSOF(units); ++i)
                value /= 1024;

        (void) snprintf(text.text, sizeof(text.text), "%.*f %s", i == 0 || value >= 100 ? 0 : 1, value,
                        units[i]);
        return text;
}

/* The two largest units, as precise as a person needs. */
static struct text span_text(double seconds) {
        uint64_t s = seconds > 0 ? (uint64_t) seconds : 0;
        struct text text;

        if (seconds < 0)
                (void) snprintf(text.text, sizeof(text.text), "-");
        else if (seconds < 10)
                (void) snprintf(text.text, sizeof(text.text), "%.2f s", seconds);
        else if (s < 60)
                (void) snprintf(text.text, sizeof(text.text), "%.1f s", seconds);
        else if (s < 3600)
                (void) snprintf(text.text, sizeof(text.text), "%" PRIu64 "min %" PRIu64 "s", s / 60, s % 60);
        else if (s < 86400)
                (void) snprintf(text.text, sizeof(text.text), "%" PRIu64 "h %" PRIu64 "min", s / 3600,
                                s % 3600 / 60);
        else
                (void) snprintf(text.text, sizeof(text.text), "%" PRIu64 "d %" PRIu64 "h", s / 86400,
                                s % 86400 / 3600);

        return text;
}

static void print_daemon(const struct report *report, FILE *file) {
        const struct i4_stats *stats = &report->sample.stats;

        fprintf(file, "%-10s pid %" PRIu32 ", ", "i4d", stats->pid);
        if (report->is_alive)
                fprintf(file, "running for %s", span_text(report->uptime_seconds).text);
        else
                fprintf(file, "%s, last sign of life %s ago", report_get_state(report),
                                span_text(report->heartbeat_seconds).text);
        fprintf(file, "; %s\n", report->path);
}

static void print_generator(const struct report *report, FILE *file) {
        const struct i4_stats *stats = &report->sample.stats;

        fprintf(file, "%-10s %s now, %s since the start; ", "rate", rate_text(report->rate).text,
                        rate_text(report->average_rate).text);
        if (report->set_rate < 0)
                fprintf(file, "set to as fast as it goes\n");
        else
                fprintf(file, "set to %s\n", rate_text(report->set_rate).text);

        fprintf(file, "%-10s %s made, %s due; %s behind (%s at most), %s skipped\n", "readings",
                        count_text(stats->achieved_records).text, count_text(stats->target_records).text,
                        count_text(stats->behind_records).text, count_text(stats->behind_max_records).text,
                        count_text(stats->skipped_records).text);
}

static void print_ring(const struct report *report, FILE *file) {
        const struct i4_stats *stats = &report->sample.stats;

        fprintf(file, "%-10s %s of %s records, %s", "ring",
                        count_text(stats->ring_next - stats->ring_oldest).text,
                        count_text(stats->ring_records).text,
                        span_text((double) report->sample.span_ns / 1e9).text);
        if (stats->ring_next > stats->ring_oldest)
                fprintf(file, "; sequence %" PRIu64 " to %" PRIu64, stats->ring_oldest, stats->ring_next - 1);
        fprintf(file, "\n");
}

static void print_storage(const struct report *report, FILE *file) {
        const struct i4_stats *stats = &report->sample.stats;

        if (stats->storage_state == I4_STORAGE_OFF) {
                fprintf(file, "%-10s off\n", "storage");
                return;
        }

        fprintf(file, "%-10s %s through %s", "storage", report_get_storage_state(report),
                        report_get_engine(report));
        if (stats->storage_errno)
                fprintf(file, " (%s)", strerror((int) stats->storage_errno));
        fprintf(file, "; %s records behind (%s)\n", count_text(report->storage_lag_records).text,
                        span_text(report_get_seconds(report, report->storage_lag_records)).text);

        fprintf(file, "%-10s %s records, %s written, %s/s since the start; %s records dropped, %s errors\n",
                        "", count_text(stats->storage_records).text, size_text(stats->storage_bytes).text,
                        size_text((uint64_t) MAX(report->average_storage_rate, 0)).text,
                        count_text(stats->storage_dropped_records).text,
                        count_text(stats->storage_errors).text);
        fprintf(file, "%-10s %s used of %s, %s sealed files\n", "", size_text(stats->storage_use_bytes).text,
                        stats->storage_limit_bytes == UINT64_MAX ? "what there is"
                                                                 : size_text(stats->storage_limit_bytes).text,
                        count_text(stats->storage_segments).text);
}

static void print_readers(const struct report *report, FILE *file) {
        const struct i4_stats *stats = &report->sample.stats;

        fprintf(file, "%-10s %s attached, %s refused; %s records lost\n", "readers",
                        count_text(stats->n_readers).text, count_text(stats->readers_refused).text,
                        count_text(stats->readers_lost_records).text);
}

static void print_peer(const struct report *report, const struct i4_peer *peer, FILE *file) {
        double attached = report->sample.realtime_ns > peer->since_ns
                                          ? (double) (report->sample.realtime_ns - peer->since_ns) / 1e9
                                          : 0;

        fprintf(file, "%8" PRIu32 "  %-20.31s %12s %11s %12s  %11s %10s\n", peer->pid, peer->name,
                        count_text(peer->lag_records).text,
                        span_text(report_get_seconds(report, peer->lag_records)).text,
                        count_text(peer->lost_records).text, span_text(attached).text,
                        span_text(report_get_silence(report, peer)).text);
}

#define ROWS_ABOVE_PEERS 10u /* all lines but theirs, with the one that tells of the rest */

void report_print_text(const struct report *report, FILE *file, size_t n_rows) {
        size_t n_above = ROWS_ABOVE_PEERS + (size_t) cJSON_GetArraySize(report->outlets);
        size_t n_listed = report->n_peers;

        print_daemon(report, file);
        print_generator(report, file);
        print_ring(report, file);
        print_storage(report, file);
        outlets_print(report->outlets, file);
        print_readers(report, file);
        if (report->n_peers == 0)
                return;

        if (n_listed + n_above > n_rows)
                n_listed = n_rows > n_above + 1 ? n_rows - n_above - 1 : 1;

        fprintf(file, "\n%8s  %-20s %12s %11s %12s  %11s %10s\n", "PID", "NAME", "LAG RECORDS", "LAG TIME",
                        "LOST", "ATTACHED", "SILENT");
        for (size_t i = 0; i < n_listed; ++i)
                print_peer(report, &report->peers[i], file);
        if (n_listed < report->n_peers)
                fprintf(file, "%8s  and %zu more that are less behind\n", "", report->n_peers - n_listed);
}
