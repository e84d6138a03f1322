/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a healthy sensor shows
 *
 * The state of the plant at its place, plus the noise of what it measures, in hundredths of its unit,
 * quantised as its transmitter does and clipped to its range. Which of the kinds below a type is follows from
 * its name; a type of another name moves around the middle of its range.
 */

#include "model/hydraulics.h"
#include "model/noise.h"

enum signal_kind {
        SIGNAL_OTHER,
        SIGNAL_PRESSURE,
        SIGNAL_TEMPERATURE,
        SIGNAL_FLOW,
        SIGNAL_VIBRATION,
        SIGNAL_CORROSION,
        SIGNAL_HUMIDITY,
        SIGNAL_GAS,
        SIGNAL_VALVE,
        N_SIGNAL_KINDS,
};

enum signal_kind signal_kind_from_name(const char *type_name);

/* After which the noise of a kind has forgotten 1 - 1/e of itself. */
uint64_t signal_get_time_constant_ns(enum signal_kind kind);

/* What pipelines and weather are like at a moment, for all sensors of a pipeline. */
struct signal_surroundings {
        struct hydraulics hydraulics;
        int32_t season_e2;      /* °F */
        int32_t daily_e2;       /* how far the air is from it */
        int32_t daily_fluid_e2; /* and what the fluid feels of it */
};

struct signal_place {
        struct hydraulics_place place;
        uint64_t key; /* the sensor's */
        enum signal_kind kind;
        int32_t minimum_e2, maximum_e2; /* of its type */
};

/* @noise: of unit variance, NOISE_ONE to a standard deviation */
int32_t signal_get_e2(const struct signal_place *place, const struct signal_surroundings *surroundings,
                int32_t noise);

/* A valve's position follows from its key and the time alone. */
int32_t signal_get_valve_e2(uint64_t key, uint64_t time_ns);
