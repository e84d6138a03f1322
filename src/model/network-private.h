/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the parts of a network know of each other
 *
 * Laid out for the reading of a calm sensor, which is nearly every one.
 */

#include "model/alarm.h"
#include "model/hazard.h"
#include "model/model-private.h"
#include "model/network_pipeline.h"
#include "model/noise.h"
#include "model/plant.h"
#include "model/scenario.h"
#include "model/signal.h"

#include <assert.h>
#include <stdalign.h>

struct network_type {
        struct signal_type signal;
        uint64_t step_ns;     /* of the noise's grid */
        uint64_t inverse_q80; /* of it */
        struct plant_limits limits;
        struct alarm_quiet quiet;
};

/* What a calm reading needs. */
struct network_sensor {
        alignas(64) uint64_t calm_from_ns;
        uint64_t calm_span_ns;
        uint64_t point_ns;  /* when the noise is at @here, in the plant's time */
        int32_t here, next; /* of the walk */
        struct signal_own own;
        uint32_t number;
        int32_t latitude_e6;
        int32_t longitude_e6;
        uint32_t mile_post_e2;
        uint16_t quality_e4; /* of a good reading, at the least */
        uint16_t pipeline;
        uint8_t type;
        uint8_t station;
        uint8_t alarm;  /* at the walk's point */
        bool is_placed; /* the walk is anywhere */
};

/* And what else there is to know of a sensor. */
struct network_history {
        alignas(64) uint64_t key;
        struct incident incident;
        uint64_t incident_from_ns, incident_span_ns; /* when that is the one to look at */
        int32_t held_e2;                             /* where the incident holds it */
        int32_t end;                                 /* of the walk */
};

static_assert(PLANT_STATIONS_MAX <= UINT8_MAX, "the number of a station fits a byte");
static_assert(sizeof(struct network_sensor) == 64, "one cache line for a calm reading");
static_assert(sizeof(struct network_history) == 64, "another one for all the rest");

struct network {
        struct model model;
        uint64_t seed;
        struct plant *plant;
        struct scenario *scenario; /* NULL: all is left to chance */
        struct network_pipeline *pipelines;
        struct network_sensor *sensors;    /* in the order of the scan, */
        struct network_history *histories; /* as these */
        struct noise_bridge bridge;
        struct hazard hazard;
        struct network_type types[CATALOG_TYPES_MAX];
        uint32_t n_sensors, n_pipelines;
};
