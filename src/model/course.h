/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A schedule whose rate changes
 *
 * What a profile makes due, as a row of stretches of constant rate, each with an anchor that follows from the
 * one before. The daemon walks it as time passes and notes each anchor; who makes the past walks it at once.
 */

#include "model/profile.h"
#include "model/schedule.h"

struct course {
        const struct profile *profile; /* must outlive it */
        uint64_t origin_ns;            /* CLOCK_REALTIME at which the profile began */
        struct rate rate;              /* before it has begun, and after its end */
        struct anchor anchor;          /* of this stretch */
        uint64_t until_ns;             /* CLOCK_REALTIME of the next one; 0: there is none */
};

/* The stretch in which @time_ns lies begins with @step, due then. */
void course_begin(struct course *course, uint64_t step, uint64_t time_ns);

/* The first step that does not belong to this stretch; UINT64_MAX if it has no end. */
uint64_t course_get_end(const struct course *course);

/* On to the next stretch, which there has to be. */
void course_advance(struct course *course);
