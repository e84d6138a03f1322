/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Incidents that somebody wants, beside those that are drawn
 *
 * A sorted list of what is to happen where and when. Where it has something to say it goes before chance, and
 * leaves chance as it was everywhere else. Plain data without a clock: a run with a list can be repeated from
 * seed and list.
 */

#include "model/incident.h"

#include <stddef.h>

#define SCENARIO_INCIDENTS_MAX 65536u

struct scenario_entry {
        struct incident incident; /* leaks, blockages, trips and closures happen to pipelines, the rest to
                                     sensors */
        uint64_t until_ns;        /* when its last trace has gone */
        uint32_t target;          /* pipeline: index in the catalog; sensor: number */
};

struct scenario {
        struct scenario_entry *entries; /* by target and time; none overlaps another of its target */
        size_t n_entries;
        size_t n_allocated;
};

/* What holds for a target from @from_ns to @until_ns. NULL: nothing is wanted then. */
struct scenario_span {
        const struct incident *incident;
        uint64_t from_ns, until_ns;
};

bool incident_is_of_pipeline(const struct incident *incident);

/* Gives it an id if it has none. -EBUSY: the target has another one at that time. -ENOBUFS:
 * SCENARIO_INCIDENTS_MAX. -ENOMEM. */
int scenario_add(struct scenario *scenario, const struct scenario_entry *entry);
int scenario_new(struct scenario **scenariop);
int scenario_copy(const struct scenario *scenario, struct scenario **copyp);
struct scenario *scenario_free(struct scenario *scenario);

/* @scenario may be NULL. */
struct scenario_span scenario_find(
                const struct scenario *scenario, bool is_pipeline, uint32_t target, uint64_t time_ns);

static inline void scenario_freep(struct scenario **scenario) {
        if (*scenario)
                (void) scenario_free(*scenario);
}
