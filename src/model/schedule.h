/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When readings are due
 *
 * Pure arithmetic on an anchor: reading n after it is due at time_ns + n × period / records, rounded down,
 * exactly, for ever. Nothing here looks at a clock, so live running, catching up and backfill are the same
 * function.
 */

#include "util/parse.h"

#include <stdint.h>

struct anchor {
        uint64_t step;    /* readings that were due before it */
        uint64_t time_ns; /* CLOCK_REALTIME at which @step is due */
        struct rate rate; /* period_ns 0 is not a schedule */
};

/* The number of steps due at or before @time_ns, counted as anchor.step is: 1 + the last due step. */
uint64_t anchor_get_due(const struct anchor *anchor, uint64_t time_ns);

/* When @step is due. @step is at least anchor.step. */
uint64_t anchor_get_time(const struct anchor *anchor, uint64_t step);

/* Walks due times, of every step or of one in so many, without a division each. */
struct timeline {
        uint64_t time_ns;
        uint64_t stride; /* steps from one to the next */
        uint64_t quotient_ns, remainder, divisor, fraction;
};

void timeline_init(struct timeline *timeline, const struct anchor *anchor, uint64_t step);

/* Steps @step, @step + @stride, …: the share of one of @stride machines. */
void timeline_init_share(
                struct timeline *timeline, const struct anchor *anchor, uint64_t step, uint64_t stride);

/* @n readings spread evenly over (@from_ns, @to_ns], for Rate=max. */
void timeline_init_span(struct timeline *timeline, uint64_t from_ns, uint64_t to_ns, uint64_t n);

/* The due time of the current step; moves on to the next. The carry of an odd rate is too irregular to branch
 * on. */
static inline uint64_t timeline_next(struct timeline *timeline) {
        uint64_t time_ns = timeline->time_ns, carry;

        timeline->fraction += timeline->remainder;
        carry = timeline->fraction >= timeline->divisor;
        timeline->fraction -= timeline->divisor & -carry;
        timeline->time_ns += timeline->quotient_ns + carry;

        return time_ns;
}
