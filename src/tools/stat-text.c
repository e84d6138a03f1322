/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A report for a person: one screen
 */

#include "tools/outlets.h"
#include "tools/sample.h"
#include "tools/text.h"
#include "util/clock.h"
#include "util/macros.h"

#include <inttypes.h>
#include <string.h>

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
