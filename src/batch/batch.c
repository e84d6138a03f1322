/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/batch.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SIZE_MIN (UINT64_C(1) << 20)

/* Of everything in the head and in a record's tail but the names. */
#define HEAD_FIXED   1024u
#define TAIL_FIXED   256u
#define REASONS_MAX  256u
#define CLOSING_SIZE 16u

/* life cycle */

static int text_escape(char **escapedp, const char *text) {
        size_t n = strlen(text);
        char *escaped;

        escaped = malloc(JSON_ESCAPED_MAX(n) + 1);
        if (!escaped)
                return -ENOMEM;

        escaped[json_escape(escaped, text, n)] = 0;
        free(*escapedp);
        *escapedp = escaped;
        return 0;
}

int batch_set_source(struct batch *batch, const char *source) {
        int r;

        r = text_escape(&batch->source, source);
        if (r < 0)
                return r;

        batch->head_size = HEAD_FIXED + strlen(batch->source) + strlen(batch->edge_node) +
                           strlen(batch->pipeline);
        batch_begin(batch, 0);
        return 0;
}

int batch_init(struct batch *batch, const struct batch_settings *settings) {
        size_t n_names;

        *batch = (struct batch){ .settings = *settings };
        if (text_escape(&batch->edge_node, settings->edge_node) < 0 ||
                        text_escape(&batch->pipeline, settings->pipeline) < 0)
                return -ENOMEM;

        n_names = strlen(batch->edge_node) + strlen(batch->pipeline);
        batch->tail = malloc(TAIL_FIXED + n_names);
        if (!batch->tail)
                return -ENOMEM;
        /* The encoder wants all of I4_LINE_MAX free, whatever it writes. */
        batch->record_size = I4_LINE_MAX + TAIL_FIXED + n_names + REASONS_MAX;

        return batch_set_source(batch, "");
}

void batch_deinit(struct batch *batch) {
        free(batch->tail);
        free(batch->text);
        free(batch->pipeline);
        free(batch->edge_node);
        free(batch->source);
        *batch = (struct batch){};
}

void batch_begin(struct batch *batch, uint64_t first) {
        batch->n = batch->head_size;
        batch->n_records = batch->n_anomalies = batch->n_lost = batch->n_rejected = 0;
        batch->range = (struct batch_range){ first, first };
        batch->score = (struct batch_score){};
}

/* Room for @size more bytes, and for the end of the text. */
static int batch_reserve(struct batch *batch, size_t size) {
        size_t needed = batch->n + size + CLOSING_SIZE;
        char *text;

        if (likely(needed <= batch->size))
                return 0;

        needed = MAX(MAX(needed, 2 * batch->size), SIZE_MIN);
        text = realloc(batch->text, needed);
        if (!text)
                return -ENOMEM;

        batch->text = text;
        batch->size = needed;
        return 0;
}

uint64_t batch_get_room(const struct batch *batch) {
        uint64_t n_bytes = batch->n < BATCH_SIZE_MAX ? (BATCH_SIZE_MAX - batch->n) / batch->record_size : 0;
        uint64_t n_records = batch->settings.n_records - batch->n_records;

        return MIN(n_bytes, n_records);
}

/* what is added to each record */

static size_t format_quality(const struct batch *batch, char *buffer, size_t size, unsigned int verdict) {
        struct json_span reasons = rules_get_reasons(batch->settings.rules, verdict);
        const char *is_anomaly = verdict ? "true" : "false";

        if (batch->settings.form == BATCH_COMPACT)
                return (size_t) snprintf(buffer, size,
                                ",\"data_quality\":{\"is_anomaly\":%s,\"validated\":true}},\n", is_anomaly);

        return (size_t) snprintf(buffer, size,
                        ",\"data_quality\":{\"is_anomaly\":%s,\"anomaly_reasons\":%.*s,\"validated\":true}},\n",
                        is_anomaly, (int) reasons.size, reasons.text);
}

/* Changes once a millisecond; a batch may be taken in within one. */
static void batch_set_time(struct batch *batch, uint64_t now_ns) {
        size_t size = TAIL_FIXED + strlen(batch->edge_node) + strlen(batch->pipeline);
        uint64_t now_ms = now_ns / NSEC_PER_MSEC;
        char time[TIMESTAMP_MAX];

        if (batch->tail_ms == now_ms && batch->n_tail > 0)
                return;

        (void) format_time(now_ns, 3, time);
        batch->n_lineage = (size_t) snprintf(batch->tail, size,
                        ",\"lineage\":{\"edge_node\":\"%s\",\"pipeline\":\"%s\",\"ingested_at\":\"%s\"}",
                        batch->edge_node, batch->pipeline, time);
        batch->n_tail = batch->n_lineage +
                        format_quality(batch, batch->tail + batch->n_lineage, size - batch->n_lineage, 0);
        batch->tail_ms = now_ms;
}

static char *put_tail(struct batch *batch, char *p, unsigned int verdict) {
        if (likely(verdict == 0))
                return mempcpy(p, batch->tail, batch->n_tail);

        ++batch->n_anomalies;
        p = mempcpy(p, batch->tail, batch->n_lineage);
        return p + format_quality(batch, p, TAIL_FIXED + REASONS_MAX, verdict);
}

/* records */

static void batch_score(struct batch *batch, bool is_faulty, unsigned int verdict) {
        batch->score.n_faulty += is_faulty;
        batch->score.n_found += is_faulty && verdict;
        batch->score.n_false += !is_faulty && verdict;
}

static char *batch_put_record(
                struct batch *batch, i4_encoder *encoder, const struct i4_record *record, char *p) {
        unsigned int verdict;
        size_t n;

        /* Ends in a brace and a newline. */
        p += i4_encoder_encode(encoder, record, 1, p, I4_LINE_MAX, &n);
        if (batch->settings.form == BATCH_PLAIN) {
                p[-1] = ',';
                *p++ = '\n';
                return p;
        }

        verdict = rules_judge(batch->settings.rules, record->type, record->value_e2 / 100.0,
                        record->quality_e4 / 10000.0);
        if (batch->settings.is_scored)
                batch_score(batch, record->fault != I4_FAULT_NONE, verdict);

        return put_tail(batch, p - 2, verdict);
}

int batch_add_records(struct batch *batch, i4_encoder *encoder, const struct i4_record *records,
                size_t n_records, uint64_t now_ns) {
        char *p;
        int r;

        r = batch_reserve(batch, n_records * batch->record_size);
        if (r < 0)
                return r;

        batch_set_time(batch, now_ns);
        p = batch->text + batch->n;
        for (size_t i = 0; i < n_records; ++i)
                p = batch_put_record(batch, encoder, &records[i], p);
        batch->n = (size_t) (p - batch->text);

        /* Records of one read have no gap between them. */
        batch->n_lost += records[0].sequence - batch->range.next;
        batch->range.next = records[0].sequence + n_records;
        batch->n_records += n_records;
        return 0;
}

int batch_add_line(struct batch *batch, const struct line *line, uint64_t now_ns) {
        const struct rules *rules = batch->settings.rules;
        unsigned int verdict;
        char *p;
        int r;

        r = batch_reserve(batch, line->text.size + batch->record_size);
        if (r < 0)
                return r;

        p = batch->text + batch->n;
        if (batch->settings.form == BATCH_PLAIN) {
                p = mempcpy(p, line->text.text, line->text.size);
                p = mempcpy(p, ",\n", 2);
        } else {
                batch_set_time(batch, now_ns);
                verdict = rules_judge(rules, rules_find_type(rules, line->type), line->value, line->quality);
                if (batch->settings.is_scored)
                        batch_score(batch, line->is_faulty, verdict);
                p += line_copy(line, p);
                p = put_tail(batch, p, verdict);
        }

        batch->n = (size_t) (p - batch->text);
        ++batch->n_records;
        ++batch->range.next;
        return 0;
}

void batch_skip_line(struct batch *batch, bool is_rejected) {
        batch->n_rejected += is_rejected;
        ++batch->range.next;
}

/* head and end */

static uint64_t rate_percent(uint64_t n, uint64_t of) {
        return of > 0 ? (100 * n + of / 2) / of : 0;
}

static size_t format_score(const struct batch *batch, char *buffer, size_t size) {
        const struct batch_score *score = &batch->score;

        return (size_t) snprintf(buffer, size,
                        ",\"score\":{\"faulty_count\":%" PRIu64 ",\"true_positives\":%" PRIu64
                        ",\"false_positives\":%" PRIu64 ",\"false_negatives\":%" PRIu64 "}",
                        score->n_faulty, score->n_found, score->n_false, score->n_faulty - score->n_found);
}

/* The reference's keys, in its order. */
static size_t format_meta(const struct batch *batch, char *buffer, size_t size, uint64_t now_ns) {
        bool has_pipeline = batch->settings.form != BATCH_COMPACT;
        char time[TIMESTAMP_MAX];

        (void) format_time(now_ns, 3, time);
        return (size_t) snprintf(buffer, size,
                        "{\"batch_meta\":{\"record_count\":%" PRIu64 ",\"anomaly_count\":%" PRIu64
                        ",\"anomaly_rate_pct\":%" PRIu64 ",\"batch_time\":\"%s\",\"edge_node\":\"%s\"%s%s%s",
                        batch->n_records, batch->n_anomalies,
                        rate_percent(batch->n_anomalies, batch->n_records), time, batch->edge_node,
                        has_pipeline ? ",\"pipeline\":\"" : "", has_pipeline ? batch->pipeline : "",
                        has_pipeline ? "\"" : "");
}

/* And ours. */
static size_t format_range(const struct batch *batch, char *buffer, size_t size) {
        return (size_t) snprintf(buffer, size,
                        ",\"source\":\"%s\",\"first_sequence\":%" PRIu64 ",\"last_sequence\":%" PRIu64
                        ",\"lost_records\":%" PRIu64 ",\"rejected_count\":%" PRIu64,
                        batch->source, batch->range.first, batch->range.next - 1, batch->n_lost,
                        batch->n_rejected);
}

static size_t format_head(const struct batch *batch, char *buffer, size_t size, uint64_t now_ns) {
        size_t n = 0;

        if (batch->settings.form == BATCH_PLAIN)
                return (size_t) snprintf(buffer, size, "[\n");

        n += format_meta(batch, buffer, size, now_ns);
        n += format_range(batch, buffer + n, size - n);
        if (batch->settings.is_scored)
                n += format_score(batch, buffer + n, size - n);
        n += (size_t) snprintf(buffer + n, size - n, "},\n\"records\":[\n");

        assert(n < size);
        return n;
}

struct json_span batch_close(struct batch *batch, uint64_t now_ns) {
        const char *closing = batch->settings.form == BATCH_PLAIN ? "\n]\n" : "\n]}\n";
        char *begin, *end;
        size_t n_head;

        assert(batch->n_records > 0);

        n_head = format_head(batch, batch->text, batch->head_size, now_ns);
        begin = batch->text + batch->head_size - n_head;
        memmove(begin, batch->text, n_head);

        /* In the place of the last comma and newline. */
        end = mempcpy(batch->text + batch->n - 2, closing, strlen(closing));
        return (struct json_span){ begin, (size_t) (end - begin) };
}
