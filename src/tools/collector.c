/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/collector.h"

#include "tools/notice.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define LOOK_INTERVAL_NS NSEC_PER_SEC
#define REJECTED_SIZE    (UINT64_C(1) << 20)

#define ID_FULL     "0a3f6c41d5d24b0a9f2d6c7e8b1a4f53"
#define ID_ROOM     "5b8e2d7f1c9a4e63b0d4f8a27c5e9136"
#define ID_REJECTED "c7d1e94a6b2f4805a3e86f0b9d2c7145"

/* life cycle */

static int complain_outbox(const struct collector *collector, int error) {
        const char *who = collector->options->attachment.who, *path = collector->options->output_dir;

        if (error == -EBUSY)
                say(who, "another i4 batch delivers into %s: give each an output directory of its own", path);
        else
                say(who, "cannot use %s as output directory: %s", path, strerror(-error));

        return error;
}

int collector_init(struct collector *collector, const struct collector_options *options) {
        bool is_damaged;
        int r;

        *collector = (struct collector){ .options = options, .due_ns = NSEC_INFINITY, .uplink = UPLINK_INIT };
        progress_init(&collector->progress, options->attachment.who, options->output_dir,
                        options->is_uploading ? options->target.bucket : NULL);

        r = outbox_open(&collector->outbox, options->output_dir, options->max_use, &is_damaged);
        if (r < 0)
                return complain_outbox(collector, r);
        if (is_damaged)
                say(options->attachment.who,
                                "%s/.i4-batch.json makes no sense, so what was delivered before may be again",
                                options->output_dir);
        collector->has_position = outbox_get_position(collector->outbox, &collector->position);
        /* Until it has read something, that is where another execution goes on as well. */
        if (!collector->has_position)
                collector->position.sequence = options->attachment.program->place.sequence;

        r = batch_init(&collector->batch, &options->batch);
        if (r >= 0) {
                collector->rejected_size = REJECTED_SIZE;
                collector->rejected = malloc(collector->rejected_size);
                if (!collector->rejected)
                        r = -ENOMEM;
        }
        if (r < 0) {
                say(options->attachment.who, "%s", strerror(-r));
                return r;
        }

        /* A file has an end, and whoever gave it waits for that. */
        return options->is_uploading
                               ? uplink_start(&collector->uplink, options->attachment.who,
                                                 options->output_dir, &options->target, options->input_file)
                               : 0;
}

void collector_deinit(struct collector *collector) {
        progress_hide(&collector->progress);
        uplink_deinit(&collector->uplink);
        free(collector->rejected);
        batch_deinit(&collector->batch);
        collector->rules = rules_free(collector->rules);
        collector->outbox = outbox_close(collector->outbox);
}

int collector_set_source(struct collector *collector, const i4_catalog *catalog, const char *source,
                uint64_t sequence) {
        struct rules *rules;
        int r;

        r = rules_new(&rules, collector->options->rules, catalog);
        if (r < 0)
                return r;
        (void) rules_free(collector->rules);
        collector->rules = rules;
        collector->batch.settings.rules = rules;

        r = batch_set_source(&collector->batch, source);
        if (r < 0)
                return r;

        (void) snprintf(collector->position.source, sizeof(collector->position.source), "%s", source);
        collector->position.sequence = sequence;
        batch_begin(&collector->batch, sequence);
        return 0;
}

/* how far */

uint64_t collector_get_left(const struct collector *collector) {
        uint64_t n = collector->totals.n_records + collector->batch.n_records;

        if (collector->options->n_records == UINT64_MAX)
                return UINT64_MAX;

        return n < collector->options->n_records ? collector->options->n_records - n : 0;
}

bool collector_is_finished(const struct collector *collector) {
        return collector_get_left(collector) == 0;
}

uint64_t collector_get_room(const struct collector *collector) {
        uint64_t n_room = batch_get_room(&collector->batch), n_left = collector_get_left(collector);

        return MIN(n_room, n_left);
}

void collector_mark(struct collector *collector) {
        bool is_empty = collector->batch.n_records == 0 && collector->n_rejected == 0;

        if (collector->due_ns == NSEC_INFINITY && !is_empty && collector->options->period_ns != NSEC_INFINITY)
                collector->due_ns = clock_now_ns(CLOCK_MONOTONIC) + collector->options->period_ns;
}

uint64_t collector_get_timeout(const struct collector *collector) {
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
        uint64_t timeout_ns = collector->due_ns > now_ns ? collector->due_ns - now_ns : 0;

        return MIN(timeout_ns, LOOK_INTERVAL_NS);
}

/* room */

static const char *full_reason(int error) {
        if (error == 0)
                return NULL;

        return error == -EDQUOT ? "its limit is reached" : "no space is left on its file system";
}

static void tell_full(struct collector *collector, int error) {
        const struct collector_options *options = collector->options;
        const char *reason = full_reason(error);
        char limit[FORMAT_MAX];
        struct notice notice;

        if (collector->held_error == error)
                return;

        collector->held_error = error;
        collector->next_look_ns = 0;
        notice_init(&notice, options->attachment.who, LOG_WARNING, ID_FULL);
        notice_add(&notice, "BATCH_DIRECTORY", "%s", options->output_dir);
        notice_add(&notice, "BATCH_LIMIT", "%s", format_size(options->max_use, limit));
        notice_add(&notice, "BATCH_REASON", "%s", reason);
        notice_send(&notice, "%s is full (%s): waiting for room", options->output_dir, reason);
}

static void tell_room(struct collector *collector) {
        struct notice notice;

        if (collector->held_error == 0)
                return;

        collector->held_error = 0;
        notice_init(&notice, collector->options->attachment.who, LOG_NOTICE, ID_ROOM);
        notice_add(&notice, "BATCH_DIRECTORY", "%s", collector->options->output_dir);
        notice_send(&notice, "%s has room again", collector->options->output_dir);
}

/* Once a second: tell how it goes, and see whether the batches are still being carried away. */
static int collector_look(struct collector *collector) {
        const struct uplink_report *report = collector->uplink.pid > 0 ? &collector->uplink.report : NULL;
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

        if (now_ns < collector->next_look_ns)
                return 0;

        collector->next_look_ns = now_ns + LOOK_INTERVAL_NS;
        progress_show(&collector->progress, &collector->totals, report, full_reason(collector->held_error));
        return uplink_look(&collector->uplink);
}

static void sleep_a_while(void) {
        const struct timespec while_ = { .tv_nsec = 500 * NSEC_PER_MSEC };

        (void) nanosleep(&while_, NULL);
}

/* Nothing else is done meanwhile: what is read now could not be kept either. */
static int collector_try(struct collector *collector, int (*try)(struct collector *collector)) {
        int r;

        while ((r = try(collector)) < 0) {
                if (!error_is_full(r)) {
                        say(collector->options->attachment.who, "cannot write into %s: %s",
                                        collector->options->output_dir, strerror(-r));
                        return r;
                }

                tell_full(collector, r);
                if (stop_is_requested())
                        return -EINTR;
                r = collector_look(collector);
                if (r < 0)
                        return r;
                sleep_a_while();
        }

        tell_room(collector);
        return 0;
}

/* lines that are no records */

static int try_reject(struct collector *collector) {
        return outbox_reject(
                        collector->outbox, (struct json_span){ collector->rejected, collector->n_rejected });
}

static int collector_flush_rejected(struct collector *collector) {
        int r;

        if (collector->n_rejected == 0)
                return 0;

        r = collector_try(collector, try_reject);
        if (r >= 0)
                collector->n_rejected = 0;

        return r;
}

static void tell_rejected(struct collector *collector, uint64_t number, const char *reason) {
        struct notice notice;

        if (collector->totals.n_rejected > 0)
                return;

        notice_init(&notice, collector->options->attachment.who, LOG_WARNING, ID_REJECTED);
        notice_add(&notice, "BATCH_LINE", "%" PRIu64, number);
        notice_add(&notice, "BATCH_REASON", "%s", reason);
        notice_send(&notice, "line %" PRIu64 " is no record (%s): it and its like go to %s/rejected.jsonl",
                        number, reason, collector->options->output_dir);
}

int collector_reject(struct collector *collector, uint64_t number, uint64_t offset, const char *reason,
                struct json_span line) {
        size_t room = 1024 + JSON_ESCAPED_MAX(line.size);
        char *p;
        int r;

        assert(room <= collector->rejected_size);
        if (collector->rejected_size - collector->n_rejected < room) {
                r = collector_flush_rejected(collector);
                if (r < 0)
                        return r;
        }

        tell_rejected(collector, number, reason);
        p = collector->rejected + collector->n_rejected;
        p += sprintf(p, "{\"line\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"reason\":\"", number, offset);
        p += json_escape(p, reason, strlen(reason));
        p += sprintf(p, "\",\"text\":\"");
        p += json_escape(p, line.text, line.size);
        p += sprintf(p, "\"}\n");

        collector->n_rejected = (size_t) (p - collector->rejected);
        ++collector->totals.n_rejected;
        return 0;
}

/* delivering */

static int try_deliver(struct collector *collector) {
        struct batch *batch = &collector->batch;
        struct json_span text;
        int r;

        if (batch->n_records == 0)
                return outbox_save(collector->outbox, &collector->position);

        text = batch_close(batch, clock_now_ns(CLOCK_REALTIME));
        r = outbox_deliver(collector->outbox, text, batch->range, &collector->position);
        if (r >= 0)
                collector->totals.n_bytes += text.size;

        return r;
}

static void collector_count(struct collector *collector) {
        const struct batch *batch = &collector->batch;
        struct totals *totals = &collector->totals;

        totals->n_batches += batch->n_records > 0;
        totals->n_records += batch->n_records;
        totals->n_anomalies += batch->n_anomalies;
        totals->n_lost += batch->n_lost;

        if (collector->options->attachment.is_verbose && batch->n_records > 0)
                say(collector->options->attachment.who,
                                "%s: %" PRIu64 " records (%" PRIu64 " to %" PRIu64 "), %" PRIu64
                                " anomalies, %" PRIu64 " lost, %" PRIu64 " rejected",
                                outbox_get_name(collector->outbox), batch->n_records, batch->range.first,
                                batch->range.next - 1, batch->n_anomalies, batch->n_lost, batch->n_rejected);
}

int collector_deliver(struct collector *collector) {
        int r;

        r = collector_flush_rejected(collector);
        if (r < 0)
                return r;

        collector->position.sequence = collector->batch.range.next;
        r = collector_try(collector, try_deliver);
        if (r < 0)
                return r;

        collector_count(collector);
        if (collector->batch.n_records > 0)
                uplink_wake(&collector->uplink);
        batch_begin(&collector->batch, collector->position.sequence);
        collector->due_ns = NSEC_INFINITY;
        return 0;
}

int collector_tend(struct collector *collector) {
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);
        int r;

        if (now_ns >= collector->due_ns || collector_get_room(collector) == 0) {
                r = collector_deliver(collector);
                if (r < 0)
                        return r;
        }

        return collector_look(collector);
}

static void look_at_end(void *userdata) {
        struct collector *collector = userdata;

        progress_show(&collector->progress, &collector->totals, &collector->uplink.report, NULL);
}

int collector_finish(struct collector *collector) {
        return uplink_finish(&collector->uplink, look_at_end, collector);
}
