/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the network consists of, beyond the names in the catalog
 *
 * Where each pipeline runs, where its pumping stations stand, which limits an operator has set for each type
 * of sensor, and where sensors of it are found. Plain data: what happens on it is the business of the other
 * files.
 */

#include "lib/catalog.h"

#define PLANT_WAY_POINTS_MAX 64u
#define PLANT_STATIONS_MAX   128u

#define PLANT_LENGTH_MAX_E2  UINT32_C(500000) /* hundredths of a mile */
/* Friction would take all of the pressure on a longer stretch, at the highest load. */
#define PLANT_STRETCH_MAX_E2 UINT32_C(7500)

struct plant_way_point {
        int32_t latitude_e6;
        int32_t longitude_e6;
};

struct plant_pipeline {
        uint32_t length_e2; /* hundredths of a mile, along the pipe */
        uint32_t flow_e2;   /* hundredths of a barrel an hour, at its design load */
        uint32_t n_way_points;
        uint32_t n_stations;
        struct plant_way_point way_points[PLANT_WAY_POINTS_MAX];
        uint32_t stations_e2[PLANT_STATIONS_MAX]; /* mile posts, ascending, the first at 0 */
};

/* Hundredths of the type's unit. A limit that does not exist is beyond what a record can hold. */
struct plant_limits {
        int32_t low_low_e2, low_e2, high_e2, high_high_e2;
        int32_t deadband_e2;
};

#define PLANT_NO_LOW  INT32_MIN
#define PLANT_NO_HIGH INT32_MAX

enum plant_site {
        PLANT_LINE,    /* anywhere along the line */
        PLANT_STATION, /* at a station */
        PLANT_N_SITES,
};

struct plant_type {
        struct plant_limits limits;
        enum plant_site site;
};

struct plant {
        uint32_t n_pipelines, n_types; /* as many as in the catalog, and in its order */
        struct plant_pipeline *pipelines;
        struct plant_type *types;
};

/*
 * What i4 ships for the pipelines and types of its own catalog, by their names. Others get a straight route
 * of 250 miles somewhere in the middle of the United States, decided by their name, and the limits that their
 * range suggests. -ENOMEM.
 */
int plant_new(struct plant **plantp, const struct i4_catalog *catalog);
/* -ENOMEM. */
int plant_copy(const struct plant *plant, struct plant **copyp);
struct plant *plant_free(struct plant *plant);

/* One pipeline or type as plant_new() makes it. */
void plant_pipeline_init(struct plant_pipeline *pipeline, const char *id);
void plant_type_init(struct plant_type *type, const struct catalog_type *named);
/* The deadband where nothing is said. */
int32_t plant_get_usual_deadband_e2(const struct catalog_type *type);

/* The length of the way points' legs on the map, in hundredths of a mile: no pipe between them is shorter. */
uint32_t plant_pipeline_measure_route_e2(const struct plant_pipeline *pipeline);
/* Evenly along its length, some 50 miles apart, none at the end. */
void plant_pipeline_set_stations(struct plant_pipeline *pipeline);

/* A pipeline's route, measured once for any number of mile posts. @pipeline has to outlive it, as it is. */
struct plant_route {
        const struct plant_pipeline *pipeline;
        uint64_t legs_e6[PLANT_WAY_POINTS_MAX]; /* to each way point from the one before, as length_e6 */
        uint64_t length_e6;                     /* millionths of a degree of latitude */
};

void plant_route_init(struct plant_route *route, const struct plant_pipeline *pipeline);

/* Where a mile post is. The way points divide the length as their distances on the map do. */
struct plant_way_point plant_route_locate(const struct plant_route *route, uint32_t mile_post_e2);

/* The last station at or before a mile post, and where its stretch ends: the next one's, or the pipeline's.
 */
uint32_t plant_pipeline_find_station(const struct plant_pipeline *pipeline, uint32_t mile_post_e2);
uint32_t plant_pipeline_get_stretch_end_e2(const struct plant_pipeline *pipeline, uint32_t station);

static inline void plant_freep(struct plant **plant) {
        if (*plant)
                (void) plant_free(*plant);
}
