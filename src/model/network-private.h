/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the parts of a network know of each other
 *
 * Laid out for the reading of a calm sensor, which is nearly every one.
 */

#include "model/hazard.h"
#include "model/model-private.h"
#include "model/network_pipeline.h"
#include "model/network_sensor.h"
#include "model/noise.h"
#include "model/plant.h"
#include "model/scenario.h"

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
