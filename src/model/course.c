/* SPDX-License-Identifier: Apache-2.0 */

#include "model/course.h"

#include "util/macros.h"

#include <assert.h>

typedef unsigned __int128 uint128;

/* What holds from @time_ns on, by the profile or @course->rate, and until when. */
static void course_take_rate(struct course *course, uint64_t time_ns) {
        struct rate rate = course->rate;
        uint64_t until_ns = 0;

        if (profile_get_rate(course->profile, course->origin_ns, time_ns, &rate, &until_ns) &&
                        until_ns == UINT64_MAX)
                until_ns = 0;

        course->anchor.rate = rate;
        course->until_ns = until_ns;
}

void course_begin(struct course *course, uint64_t step, uint64_t time_ns) {
        course->anchor = (struct anchor){ .step = step, .time_ns = time_ns };
        course_take_rate(course, time_ns);
}

uint64_t course_get_end(const struct course *course) {
        return course->until_ns > 0 ? anchor_get_due(&course->anchor, course->until_ns - 1) : UINT64_MAX;
}

/* What is left of an interval of @old, as a part of the interval of @rate. */
static uint64_t interval_scale(const struct rate *old, uint64_t rest_ns, const struct rate *rate) {
        uint128 part_e32;

        /* Where a profile gives way to Rate=max: at once. */
        if (old->period_ns == 0 || rate->period_ns == 0)
                return 0;

        part_e32 = (((uint128) rest_ns * old->n_records) << 32) / old->period_ns;
        return (uint64_t) ((part_e32 * rate->period_ns / rate->n_records) >> 32);
}

/*
 * The part of an interval that has passed when the rate changes counts: the next reading comes after the rest
 * of it, at the new rate.
 */
void course_advance(struct course *course) {
        struct anchor old = course->anchor, *anchor = &course->anchor;
        uint64_t until_ns = course->until_ns, step = course_get_end(course);

        assert(until_ns > 0);

        course_take_rate(course, until_ns);
        anchor->step = step;
        anchor->time_ns = until_ns +
                          interval_scale(&old.rate, anchor_get_time(&old, step) - until_ns, &anchor->rate);
}
