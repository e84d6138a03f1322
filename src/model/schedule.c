/* SPDX-License-Identifier: Apache-2.0 */

/*
 * When readings are due
 *
 * With p = period and r = records, reading n after the anchor is due at n × p / r, rounded down. It is due at
 * or before a span t exactly when n × p / r < t + 1, that is n × p < (t + 1) × r, so the last such n is
 * ((t + 1) × r - 1) / p. The products need up to 128 bits and get them; nothing is rounded twice, so the two
 * directions are exact inverses and no error adds up however long the anchor is ago.
 *
 * At most one reading is due in a nanosecond (r ≤ p, see parse_rate()). Results beyond 64 bits saturate: the
 * clock itself ends there, in the year 2554.
 */

#include "model/schedule.h"

#include "util/macros.h"

typedef unsigned __int128 uint128;

static uint64_t add_saturated(uint64_t a, uint128 b) {
        return b > UINT64_MAX - a ? UINT64_MAX : a + (uint64_t) b;
}

uint64_t anchor_get_due(const struct anchor *anchor, uint64_t time_ns) {
        const struct rate *rate = &anchor->rate;
        uint128 last;

        assert(rate->n_records > 0 && rate->n_records <= rate->period_ns);

        if (time_ns < anchor->time_ns)
                return anchor->step;

        last = (((uint128) (time_ns - anchor->time_ns) + 1) * rate->n_records - 1) / rate->period_ns;
        return add_saturated(anchor->step, last + 1);
}

uint64_t anchor_get_time(const struct anchor *anchor, uint64_t step) {
        const struct rate *rate = &anchor->rate;

        assert(rate->n_records > 0 && rate->n_records <= rate->period_ns);
        assert(step >= anchor->step);

        return add_saturated(
                        anchor->time_ns, (uint128) (step - anchor->step) * rate->period_ns / rate->n_records);
}

void timeline_init(struct timeline *timeline, const struct anchor *anchor, uint64_t step) {
        timeline_init_share(timeline, anchor, step, 1);
}

void timeline_init_share(
                struct timeline *timeline, const struct anchor *anchor, uint64_t step, uint64_t stride) {
        const struct rate *rate = &anchor->rate;
        uint128 stride_ns = (uint128) stride * rate->period_ns;
        uint128 product = (uint128) (step - anchor->step) * rate->period_ns;

        *timeline = (struct timeline){
                .time_ns = anchor_get_time(anchor, step),
                .stride = stride,
                .quotient_ns = (uint64_t) (stride_ns / rate->n_records),
                .remainder = (uint64_t) (stride_ns % rate->n_records),
                .divisor = rate->n_records,
                .fraction = (uint64_t) (product % rate->n_records),
        };
}

void timeline_init_span(struct timeline *timeline, uint64_t from_ns, uint64_t to_ns, uint64_t n) {
        uint64_t span_ns = to_ns - from_ns;

        assert(from_ns <= to_ns);
        assert(n > 0);

        /* The same walk, begun one step in: the first reading is not due at @from_ns, the last is at @to_ns.
         */
        *timeline = (struct timeline){
                .time_ns = from_ns + span_ns / n,
                .stride = 1,
                .quotient_ns = span_ns / n,
                .remainder = span_ns % n,
                .divisor = n,
                .fraction = span_ns % n,
        };
}
