/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A fleet that is looked at as a whole, one reading of each sensor a round
 */

#include "model/fleet.h"
#include "model/model.h"
#include "util/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define EPOCH_NS (UINT64_C(1780000000) * NSEC_PER_SEC)

/* Types and pipelines of the shipped catalog, in its order. */
enum {
        PRESSURE,
        TEMPERATURE,
        FLOW,
        VIBRATION,
        CORROSION,
        HUMIDITY,
        GAS,
        VALVE,
        N_TYPES
};
enum {
        N_PIPELINES = 8
};

struct fleet {
        struct i4_catalog catalog;
        struct model *model;
        struct anchor anchor;
        struct i4_record *records; /* of the last round, by number of sensor */
        struct i4_record *scan;
};

struct fleet fleet_make(uint32_t n_sensors, uint64_t round_ns, struct model_settings settings);
void fleet_deinit(struct fleet *fleet);

void fleet_read(struct fleet *fleet, uint64_t round);
void fleet_read_at(struct fleet *fleet, uint64_t time_ns);
