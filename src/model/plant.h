/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the network consists of, beyond the names in the catalog
 *
 * Where each pipeline runs, where its pumping stations stand, and which limits an operator has set for each
 * type of sensor. Plain data: what happens on it is the business of the other files.
 */

#include "lib/catalog.h"

#define PLANT_WAY_POINTS_MAX 16u
#define PLANT_STATIONS_MAX   32u

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

struct plant {
        struct plant_pipeline *pipelines; /* as many as in the catalog, and in its order */
        struct plant_limits *limits;      /* as many as types */
};

/*
 * What i4 ships for the pipelines and types of its own catalog, by their names. Others get a straight route
 * of 250 miles somewhere in the middle of the United States, decided by their name, and the limits that their
 * range suggests. -ENOMEM.
 */
int plant_new(struct plant **plantp, const struct i4_catalog *catalog);
struct plant *plant_free(struct plant *plant);

/* Where a mile post is. The way points divide the length as their distances on the map do. */
struct plant_way_point plant_pipeline_locate(const struct plant_pipeline *pipeline, uint32_t mile_post_e2);

/* The last station at or before a mile post, and where its stretch ends: the next one's, or the pipeline's.
 */
uint32_t plant_pipeline_find_station(const struct plant_pipeline *pipeline, uint32_t mile_post_e2);
uint32_t plant_pipeline_get_stretch_end_e2(const struct plant_pipeline *pipeline, uint32_t station);

static inline void plant_freep(struct plant **plant) {
        if (*plant)
                (void) plant_free(*plant);
}
