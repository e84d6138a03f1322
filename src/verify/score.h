/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A detector, held against the truth
 *
 * A detection is of one reading, counted once however often it is told. It is right if something is wrong
 * with that reading; what it says is wrong need not be said, and counts for its kind alone. Delay is in the
 * readings' time: from the start of an event, or of the truth if that is later, to its first reading that was
 * detected.
 */

#include "verify/truth.h"

struct score_kind {
        uint64_t n_readings; /* with which this is wrong */
        uint64_t n_detected; /* of these */
        uint64_t n_said;     /* detections that say it is this kind, */
        uint64_t n_said_right;
        uint64_t n_events; /* that show in the truth */
        uint64_t n_events_detected;
        double median_delay_seconds; /* of these; -1: there are none */
        double longest_delay_seconds;
};

struct score_counts {
        struct score_kind kinds[I4_N_FAULT]; /* the first is the sum; said are all detections there */
        uint64_t n_repeated;                 /* detections of what had been detected before */
        uint64_t n_unknown;                  /* detections of what the truth does not have; they are wrong */
};

struct score;

/* -ENOMEM. */
int score_new(struct score **scorep, struct truth *truth);
struct score *score_free(struct score *score);

/*
 * @record: of the truth, or TABLE_NONE. @kind: the inside of a string that may name a kind, or empty.
 * -ENOMEM, or what the truth complains about.
 */
int score_take(struct score *score, uint32_t record, struct json_span kind);

/*
 * A line that names a reading, by seq, or by sensor_id and timestamp, and may say in kind or label what is
 * wrong; if it says none, or false, it is no detection. -EBADMSG: @reasonp tells what is wrong with the line;
 * or as above.
 */
int score_take_line(struct score *score, struct json_span line, const char **reasonp);

/* When nothing more comes. -ENOMEM. */
int score_finish(struct score *score);

const struct score_counts *score_get_counts(const struct score *score);

/* Shares of 1, -1 if of nothing. */
double score_kind_get_precision(const struct score_kind *kind);
double score_kind_get_recall(const struct score_kind *kind);
double score_kind_get_event_recall(const struct score_kind *kind);

static inline void score_freep(struct score **score) {
        if (*score)
                (void) score_free(*score);
}
