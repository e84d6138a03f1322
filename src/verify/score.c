/* SPDX-License-Identifier: Apache-2.0 */

#include "verify/score.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>

#define SUM I4_FAULT_NONE

struct score {
        struct truth *truth;
        struct reading_parser parser;
        struct reading reading;
        struct score_counts counts;
};

int score_new(struct score **scorep, struct truth *truth) {
        _cleanup_(score_freep) struct score *score = calloc(1, sizeof(*score));
        int r;

        if (!score)
                return -ENOMEM;

        score->truth = truth;
        r = reading_parser_init(&score->parser, "kind");
        if (r < 0)
                return r;

        *scorep = TAKE_PTR(score);
        return 0;
}

struct score *score_free(struct score *score) {
        if (score)
                reading_parser_deinit(&score->parser);
        free(score);
        return NULL;
}

static unsigned int kind_find(struct json_span text) {
        unsigned int kind = I4_FAULT_NONE + 1;

        while (kind < I4_N_FAULT && !json_string_equals(text, i4_fault_to_string(kind)))
                ++kind;

        return kind;
}

static int score_find_event(struct score *score, uint32_t record, struct event **eventp) {
        const struct reading *reading;
        uint32_t event;
        int r;

        r = truth_read(score->truth, record, &reading);
        if (r < 0)
                return r;
        r = events_find(truth_get_events(score->truth), reading,
                        table_get(truth_get_table(score->truth), record)->sensor, false, &event);
        if (r < 0)
                return r;

        *eventp = event == EVENTS_NONE ? NULL : events_get(truth_get_events(score->truth), event);
        return 0;
}

static void score_count(struct score *score, struct event *event, uint64_t time_ns, unsigned int said) {
        struct score_kind *kinds = score->counts.kinds;

        if (said < I4_N_FAULT) {
                ++kinds[said].n_said;
                kinds[said].n_said_right += event && event->kind == said;
        }
        if (!event)
                return;

        ++kinds[SUM].n_said_right;
        ++kinds[SUM].n_detected;
        ++kinds[event->kind].n_detected;
        event->detected_ns = MIN(event->detected_ns, time_ns);
}

int score_take(struct score *score, uint32_t record, struct json_span kind) {
        unsigned int said = kind_find(kind);
        struct table_record *entry;
        struct event *event;
        int r;

        if (record == TABLE_NONE) {
                ++score->counts.n_unknown;
                ++score->counts.kinds[SUM].n_said;
                if (said < I4_N_FAULT)
                        ++score->counts.kinds[said].n_said;
                return 0;
        }

        entry = table_get(truth_get_table(score->truth), record);
        if (entry->is_detected) {
                ++score->counts.n_repeated;
                return 0;
        }

        r = score_find_event(score, record, &event);
        if (r < 0)
                return r;

        entry->is_detected = true;
        ++score->counts.kinds[SUM].n_said;
        score_count(score, event, entry->time_ns, said);
        return 0;
}

/* What it says is wrong, in one word or the other. False: it says that nothing is. */
static bool reading_get_kind(const struct reading *reading, struct json_span *kindp) {
        struct json_span label = reading->values[READING_LABEL];

        *kindp = reading->detection;
        if (reading->has_verdict || !(reading->seen & READING_BIT(READING_LABEL)))
                return !reading->has_verdict || reading->is_detected;

        if (*label.text == '"')
                *kindp = (struct json_span){ label.text + 1, label.size - 2 };
        return !json_string_equals(*kindp, "none") &&
               !(label.size == strlen("false") && memcmp(label.text, "false", label.size) == 0);
}

int score_take_line(struct score *score, struct json_span line, const char **reasonp) {
        struct json_span kind;
        uint32_t record;
        int r;

        *reasonp = score->reading.reason;
        r = reading_parse(&score->parser, &score->reading, line.text, line.size);
        if (r < 0)
                return r;

        *reasonp = "this names no reading: it needs seq, or sensor_id and timestamp";
        r = truth_find(score->truth, &score->reading, &record);
        if (r < 0)
                return r;

        return reading_get_kind(&score->reading, &kind) ? score_take(score, record, kind) : 0;
}

/* delays */

static int delay_compare(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

/* @kind: SUM for all. Fills in the delays of detected events and counts the others too. */
static size_t score_collect(struct score *score, unsigned int kind, uint64_t *delays) {
        struct events *events = truth_get_events(score->truth);
        size_t n = 0;

        for (uint32_t i = 0; i < events_get_n(events); ++i) {
                const struct event *event = events_get(events, i);
                uint64_t start_ns = event->first_ns;

                if (event->first_ns == UINT64_MAX || (kind != SUM && event->kind != kind))
                        continue;

                ++score->counts.kinds[kind].n_events;
                if (event->is_listed)
                        start_ns = MAX(event->start_ns, truth_get_first_time(score->truth));
                if (event->detected_ns != UINT64_MAX)
                        delays[n++] = event->detected_ns - MIN(start_ns, event->detected_ns);
        }

        return n;
}

static void score_finish_kind(struct score *score, unsigned int kind, uint64_t *delays) {
        struct score_kind *result = &score->counts.kinds[kind];
        size_t n = score_collect(score, kind, delays), median;

        result->n_events_detected = n;
        result->median_delay_seconds = result->longest_delay_seconds = -1;
        if (n == 0)
                return;

        qsort(delays, n, sizeof(*delays), delay_compare);
        median = (n - 1) / 2;
        result->median_delay_seconds = (double) delays[median] / (double) NSEC_PER_SEC;
        result->longest_delay_seconds = (double) delays[n - 1] / (double) NSEC_PER_SEC;
}

int score_finish(struct score *score) {
        _cleanup_(freep) uint64_t *delays = NULL;

        delays = calloc(events_get_n(truth_get_events(score->truth)) + 1, sizeof(*delays));
        if (!delays)
                return -ENOMEM;

        for (unsigned int kind = 0; kind < I4_N_FAULT; ++kind) {
                uint64_t n = kind == SUM ? 0 : truth_get_n_wrong(score->truth, kind);

                score->counts.kinds[kind].n_readings += n;
                score->counts.kinds[SUM].n_readings += n;
                score_finish_kind(score, kind, delays);
        }

        return 0;
}

const struct score_counts *score_get_counts(const struct score *score) {
        return &score->counts;
}

static double share(uint64_t n, uint64_t of) {
        return of > 0 ? (double) n / (double) of : -1;
}

double score_kind_get_precision(const struct score_kind *kind) {
        return share(kind->n_said_right, kind->n_said);
}

double score_kind_get_recall(const struct score_kind *kind) {
        return share(kind->n_detected, kind->n_readings);
}

double score_kind_get_event_recall(const struct score_kind *kind) {
        return share(kind->n_events_detected, kind->n_events);
}
