/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A report for programs
 *
 * The keys are an interface: i4(1) lists them, none changes its meaning, new ones may come. What is not known
 * is null. Sequences and counters are exact below 2^53.
 */

#include "tools/sample.h"

#include "util/json.h"
#include "util/macros.h"
#include "util/timestamp.h"

#include <errno.h>
#include <string.h>

/* To the microsecond or its like: digits beyond that are noise. */
static void add_seconds(cJSON *object, const char *key, double seconds) {
        json_add_number(object, key, seconds < 0 ? -1 : (double) (uint64_t) (seconds * 1e6 + 0.5) / 1e6);
}

static void add_rate(cJSON *object, const char *key, double rate) {
        json_add_number(object, key, rate < 0 ? -1 : (double) (uint64_t) (rate * 1e3 + 0.5) / 1e3);
}

/* To the microsecond; 0: not known */
static void add_time(cJSON *object, const char *key, uint64_t time_ns) {
        char text[TIMESTAMP_MAX];

        if (time_ns == 0)
                (void) cJSON_AddNullToObject(object, key);
        else
                (void) cJSON_AddStringToObject(object, key, format_time(time_ns, 6, text));
}

static void add_daemon(cJSON *root, const struct report *report) {
        cJSON *object = cJSON_AddObjectToObject(root, "daemon");
        const struct i4_stats *stats = &report->sample.stats;

        (void) cJSON_AddStringToObject(object, "state", report_get_state(report));
        json_add_count(object, "pid", stats->pid);
        json_add_count(object, "generation", stats->generation);
        add_time(object, "started_at", stats->start_time_ns);
        add_seconds(object, "uptime_seconds", report->uptime_seconds);
        add_seconds(object, "heartbeat_age_seconds", report->heartbeat_seconds);
}

static void add_generator(cJSON *root, const struct report *report) {
        cJSON *object = cJSON_AddObjectToObject(root, "generator");
        const struct i4_stats *stats = &report->sample.stats;

        add_rate(object, "set_records_per_second", report->set_rate);
        add_rate(object, "records_per_second", report->rate);
        add_rate(object, "average_records_per_second", report->average_rate);
        json_add_count(object, "target_records", stats->target_records);
        json_add_count(object, "achieved_records", stats->achieved_records);
        json_add_count(object, "behind_records", stats->behind_records);
        json_add_count(object, "behind_max_records", stats->behind_max_records);
        json_add_count(object, "skipped_records", stats->skipped_records);
}

static void add_ring(cJSON *root, const struct report *report) {
        cJSON *object = cJSON_AddObjectToObject(root, "ring");
        const struct i4_stats *stats = &report->sample.stats;

        json_add_count(object, "capacity_records", stats->ring_records);
        json_add_count(object, "held_records", stats->ring_next - stats->ring_oldest);
        add_seconds(object, "held_seconds", (double) report->sample.span_ns / 1e9);
        json_add_count(object, "oldest_sequence", stats->ring_oldest);
        json_add_count(object, "next_sequence", stats->ring_next);
}

static void add_storage_limit(cJSON *object, uint64_t limit_bytes) {
        if (limit_bytes == UINT64_MAX)
                (void) cJSON_AddNullToObject(object, "limit_bytes");
        else
                json_add_count(object, "limit_bytes", limit_bytes);
}

static void add_storage(cJSON *root, const struct report *report) {
        cJSON *object = cJSON_AddObjectToObject(root, "storage");
        const struct i4_stats *stats = &report->sample.stats;

        (void) cJSON_AddStringToObject(object, "state", report_get_storage_state(report));
        (void) cJSON_AddStringToObject(object, "engine", report_get_engine(report));
        if (stats->storage_errno)
                (void) cJSON_AddStringToObject(object, "error", strerror((int) stats->storage_errno));
        else
                (void) cJSON_AddNullToObject(object, "error");
        add_rate(object, "bytes_per_second", report->storage_rate);
        add_rate(object, "average_bytes_per_second", report->average_storage_rate);
        json_add_count(object, "next_sequence", stats->storage_next);
        json_add_count(object, "lag_records", report->storage_lag_records);
        add_seconds(object, "lag_seconds", report_get_seconds(report, report->storage_lag_records));
        json_add_count(object, "written_records", stats->storage_records);
        json_add_count(object, "written_bytes", stats->storage_bytes);
        json_add_count(object, "dropped_records", stats->storage_dropped_records);
        json_add_count(object, "errors", stats->storage_errors);
        json_add_count(object, "sealed_files", stats->storage_segments);
        json_add_count(object, "use_bytes", stats->storage_use_bytes);
        add_storage_limit(object, stats->storage_limit_bytes);
}

/* Names are printable, but may be cut in the middle of a character. */
static void add_name(cJSON *object, const char *name) {
        char ascii[sizeof(((struct i4_peer *) NULL)->name)] = "";

        for (size_t i = 0; i + 1 < sizeof(ascii) && name[i]; ++i)
                ascii[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
        (void) cJSON_AddStringToObject(object, "name", ascii);
}

static void add_peer(cJSON *list, const struct report *report, const struct i4_peer *peer) {
        cJSON *object = cJSON_CreateObject();

        (void) cJSON_AddItemToArray(list, object);
        json_add_count(object, "pid", peer->pid);
        json_add_count(object, "uid", peer->uid);
        add_name(object, peer->name);
        add_time(object, "attached_at", peer->since_ns);
        json_add_count(object, "next_sequence", peer->cursor);
        json_add_count(object, "lag_records", peer->lag_records);
        add_seconds(object, "lag_seconds", report_get_seconds(report, peer->lag_records));
        json_add_count(object, "lost_records", peer->lost_records);
        add_seconds(object, "silent_seconds", report_get_silence(report, peer));
}

static void add_readers(cJSON *root, const struct report *report) {
        cJSON *object = cJSON_AddObjectToObject(root, "readers");
        const struct i4_stats *stats = &report->sample.stats;
        cJSON *list;

        json_add_count(object, "attached", stats->n_readers);
        json_add_count(object, "refused", stats->readers_refused);
        json_add_count(object, "lost_records", stats->readers_lost_records);

        list = cJSON_AddArrayToObject(object, "list");
        for (size_t i = 0; i < report->n_peers; ++i)
                add_peer(list, report, &report->peers[i]);
}

int report_print_json(const struct report *report, FILE *file, bool is_line) {
        _cleanup_(json_freep) cJSON *root = cJSON_CreateObject();
        _cleanup_(json_text_freep) char *text = NULL;

        add_time(root, "time", report->sample.realtime_ns);
        (void) cJSON_AddStringToObject(root, "socket", report->path);
        add_seconds(root, "sample_seconds", report->sample_seconds);
        add_daemon(root, report);
        add_generator(root, report);
        add_ring(root, report);
        add_storage(root, report);
        add_readers(root, report);
        (void) cJSON_AddItemReferenceToObject(root, "outlets", report->outlets);

        /* cJSON leaves out what it has no memory for; then most likely here too. */
        text = is_line ? cJSON_PrintUnformatted(root) : cJSON_Print(root);
        if (!text)
                return -ENOMEM;

        fprintf(file, "%s\n", text);
        return 0;
}
