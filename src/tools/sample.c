/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/sample.h"

#include "tools/outlets.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>

/* Longer than a batch of the default, and short for a person. */
#define BATCH_TIMEOUT_NS (300 * NSEC_PER_MSEC)
#define BATCH_POLL_NS    (200 * NSEC_PER_USEC)

/* A daemon beats several times a second, however slow its rate. */
#define SILENCE_NS (10 * NSEC_PER_SEC)

/* An observer is not woken for a batch: it looks. */
static void wait_for_batch(const i4_reader *reader) {
        const struct timespec pause = timespec_from_ns(BATCH_POLL_NS);
        uint64_t newest = i4_reader_get_newest(reader);
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + BATCH_TIMEOUT_NS;

        while (i4_reader_get_newest(reader) == newest && clock_now_ns(CLOCK_MONOTONIC) < deadline_ns)
                (void) nanosleep(&pause, NULL);
}

/* The oldest record may be overwritten while it is looked at: libi4 then moves on to one that is not. */
static uint64_t time_at(i4_reader *reader, uint64_t sequence) {
        struct i4_record record;

        if (i4_reader_seek(reader, sequence) < 0)
                return 0;

        for (unsigned int i = 0; i < 8; ++i)
                if (i4_reader_read(reader, &record, 1) == 1)
                        return record.time_ns;

        return 0;
}

static uint64_t ring_get_span(i4_reader *reader, const struct i4_stats *stats) {
        uint64_t oldest_ns, newest_ns;

        if (stats->ring_next == stats->ring_oldest)
                return 0;

        oldest_ns = time_at(reader, I4_OLDEST);
        newest_ns = time_at(reader, stats->ring_next - 1);
        return oldest_ns != 0 && newest_ns > oldest_ns ? newest_ns - oldest_ns : 0;
}

int sample_take(struct sample *sample, i4_reader *reader) {
        int r;

        wait_for_batch(reader);
        sample->taken_ns = clock_now_ns(CLOCK_MONOTONIC);
        sample->realtime_ns = clock_now_ns(CLOCK_REALTIME);
        sample->boottime_ns = clock_now_ns(CLOCK_BOOTTIME);
        (void) i4_reader_get_stats(reader, &sample->stats, sizeof(sample->stats));
        sample->span_ns = ring_get_span(reader, &sample->stats);

        /* Nothing to read: the answer is about the ring alone. */
        (void) i4_reader_seek(reader, I4_NEWEST);
        r = i4_reader_wait(reader, 0);
        return r == -ESTALE || r == -EPIPE ? r : 0;
}

static double seconds_between(uint64_t from_ns, uint64_t to_ns) {
        return to_ns > from_ns ? (double) (to_ns - from_ns) / 1e9 : 0;
}

static double rate_between(uint64_t from, uint64_t to, double seconds) {
        return to > from && seconds > 0 ? (double) (to - from) / seconds : 0;
}

static int peer_compare(const void *a, const void *b) {
        const struct i4_peer *p = a, *q = b;

        if (p->lag_records != q->lag_records)
                return p->lag_records < q->lag_records ? 1 : -1;

        return (p->pid > q->pid) - (p->pid < q->pid);
}

static int report_read_peers(struct report *report, const i4_reader *reader) {
        /* Some may have come since they were counted. */
        size_t n_max = report->sample.stats.n_readers + 64;

        report->peers = calloc(n_max, sizeof(*report->peers));
        if (!report->peers)
                return -ENOMEM;

        report->n_peers = (size_t) i4_reader_get_peers(reader, report->peers, sizeof(*report->peers), n_max);
        qsort(report->peers, report->n_peers, sizeof(*report->peers), peer_compare);
        return 0;
}

static void report_set_rates(struct report *report, const struct sample *before, const struct sample *after) {
        const struct i4_stats *stats = &after->stats;

        report->sample_seconds = seconds_between(before->taken_ns, after->taken_ns);
        report->rate = rate_between(before->stats.ring_next, stats->ring_next, report->sample_seconds);
        report->storage_rate = rate_between(
                        before->stats.storage_bytes, stats->storage_bytes, report->sample_seconds);
        report->set_rate = stats->rate_period_ns > 0 ? (double) stats->rate_records * 1e9 /
                                                                       (double) stats->rate_period_ns
                                                     : -1;
        report->heartbeat_seconds = seconds_between(stats->heartbeat_ns, after->boottime_ns);
        report->is_alive = stats->state == I4_RING_RUNNING && report->heartbeat_seconds * 1e9 < SILENCE_NS;
        report->uptime_seconds = report->is_alive && stats->start_time_ns > 0
                                                 ? seconds_between(stats->start_time_ns, after->realtime_ns)
                                                 : -1;
        report->average_rate = report->uptime_seconds > 0
                                               ? (double) stats->achieved_records / report->uptime_seconds
                                               : -1;
        report->average_storage_rate =
                        report->uptime_seconds > 0 ? (double) stats->storage_bytes / report->uptime_seconds
                                                   : -1;
        report->storage_lag_records =
                        stats->storage_state != I4_STORAGE_OFF && stats->ring_next > stats->storage_next
                                        ? stats->ring_next - stats->storage_next
                                        : 0;
}

int report_init(struct report *report, const i4_reader *reader, const char *path, const struct sample *before,
                const struct sample *after) {
        *report = (struct report){ .path = path, .sample = *after };

        report_set_rates(report, before, after);
        report->outlets = outlets_read();
        return report_read_peers(report, reader);
}

void report_deinit(struct report *report) {
        cJSON_Delete(report->outlets);
        free(report->peers);
        *report = (struct report){};
}

double report_get_seconds(const struct report *report, uint64_t n_records) {
        if (n_records == 0)
                return 0;
        if (report->rate > 0)
                return (double) n_records / report->rate;

        return report->set_rate > 0 ? (double) n_records / report->set_rate : -1;
}

double report_get_silence(const struct report *report, const struct i4_peer *peer) {
        return seconds_between(peer->last_report_ns, report->sample.boottime_ns);
}

const char *report_get_state(const struct report *report) {
        switch (report->sample.stats.state) {
        case I4_RING_RUNNING:
                return report->is_alive ? "running" : "silent";
        case I4_RING_STOPPED:
                return "stopped";
        case I4_RING_RETIRED:
                return "retired";
        default:
                return "unknown";
        }
}

const char *report_get_storage_state(const struct report *report) {
        const char *state = i4_storage_state_to_string(report->sample.stats.storage_state);

        return state ? state : "unknown";
}

const char *report_get_engine(const struct report *report) {
        return report->sample.stats.storage_is_uring ? "io_uring" : "pwrite";
}
