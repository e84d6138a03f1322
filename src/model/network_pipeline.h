/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A pipeline of a network, second by second
 *
 * What its sensors have in common: load and weather, an incident that spreads, and what follows from these
 * for each kind of signal.
 */

#include "model/incident.h"
#include "model/noise.h"
#include "model/plant.h"
#include "model/scenario.h"
#include "model/signal.h"
#include "util/clock.h"
#include "util/macros.h"

struct network;

/* A pipeline in one second. */
struct network_moment {
        uint64_t second; /* UINT64_MAX: none yet */
        struct incident incident;
        struct signal_surroundings surroundings;
};

struct network_pipeline {
        uint64_t calm_from_ns, calm_span_ns; /* when @shared holds */
        struct signal_shared shared[N_SIGNAL_KINDS];

        const struct plant_pipeline *plant;
        uint64_t incident_key;
        struct incident incident;
        uint64_t incident_from_ns, incident_span_ns; /* when that is the one to look at */
        struct network_moment moments[2];            /* even seconds, odd seconds */
        struct noise_series load;
        struct plant_way_point middle;
};

/* What @route is of is kept, @route is not. */
void pipeline_init(struct network_pipeline *pipeline, const struct plant_route *route, uint64_t key);

/* What it shows next depends on nothing that was looked at before. */
void pipeline_forget(struct network_pipeline *pipeline);

/* What is wrong with it according to @scenario (NULL: chance alone), and how long nothing else is. */
struct scenario_span pipeline_look_up(const struct network *network, const struct scenario *scenario,
                const struct network_pipeline *pipeline, uint64_t time_ns, struct incident *incident);

void pipeline_update(struct network *network, struct network_pipeline *pipeline,
                struct network_moment *moment, uint64_t second);

/* Two seconds are kept: a reading and the point of the grid before it are often not in the same one. */
static inline const struct network_moment *pipeline_look(
                struct network *network, struct network_pipeline *pipeline, uint64_t time_ns) {
        uint64_t second = time_ns / NSEC_PER_SEC;
        struct network_moment *moment = &pipeline->moments[second % ELEMENTSOF(pipeline->moments)];

        if (unlikely(moment->second != second))
                pipeline_update(network, pipeline, moment, second);
        return moment;
}

void pipeline_share(struct network *network, struct network_pipeline *pipeline, uint64_t time_ns);

/* Prepares for calm readings in the second of @time_ns, unless an incident goes on. */
static inline void pipeline_calm(
                struct network *network, struct network_pipeline *pipeline, uint64_t time_ns) {
        if (time_ns - pipeline->calm_from_ns >= pipeline->calm_span_ns)
                pipeline_share(network, pipeline, time_ns);
}
