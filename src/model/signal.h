/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a healthy sensor shows
 *
 * The state of the plant at its place, plus the noise of what it measures, in hundredths of its unit,
 * quantised as its transmitter does and clipped to its range. Which of the kinds below a type is follows from
 * its name; a type of another name moves around the middle of its range.
 *
 * A reading is a sum whose terms change at different times, so they are made apart and added up last:
 *
 *     own      what is the sensor's, for life; of a valve, for as long as it stays where it is
 *     shared   what the pipeline gives to all sensors of a kind, for a second
 *     noise    of this moment
 */

#include "model/hydraulics.h"
#include "model/noise.h"
#include "util/macros.h"

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

/* How late a sensor shows what its pipeline does, for life; @key is the sensor's. */
uint64_t signal_get_lag_ns(enum signal_kind kind, uint64_t key);

/* What all sensors of a type have in common. */
struct signal_type {
        enum signal_kind kind;
        int32_t minimum_e2, maximum_e2;
        int32_t deviation_e2; /* of the noise, beside what is shared */
        int32_t square_e2;    /* of the noise's square */
        int32_t floor;        /* noise does not show below this, */
        int32_t ground;       /* and counts from here */
        uint64_t quantum_e2;
        uint64_t quantum_inverse_q63; /* rounded up, so a value below 2^56 is divided exactly */
};

void signal_type_init(
                struct signal_type *type, enum signal_kind kind, int32_t minimum_e2, int32_t maximum_e2);

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
};

struct signal_own {
        int32_t level_e2;
        int32_t resistance_e2; /* of what lies between the station and a sensor of pressure */
};

struct signal_shared {
        int64_t level_e2;
        int32_t least_e2; /* of the level, less resistance */
        int32_t deviation_e2;
        uint32_t load_square_q16; /* to be multiplied by the resistance */
};

struct signal_own signal_get_own(
                const struct signal_type *type, const struct signal_place *place, uint64_t time_ns);
/* For as long as no incident reaches any place of the pipeline. */
struct signal_shared signal_get_shared(enum signal_kind kind, const struct signal_surroundings *surroundings);

/* @noise: of unit variance, NOISE_ONE to a standard deviation */
static inline int32_t signal_add_up(const struct signal_type *type, const struct signal_own *own,
                const struct signal_shared *shared, int32_t noise) {
        int64_t resistance_e2 = ((int64_t) own->resistance_e2 * shared->load_square_q16) >> 16;
        int64_t level_e2 = shared->level_e2 - resistance_e2;
        int64_t deviation_e2 = type->deviation_e2 + shared->deviation_e2;
        uint64_t square = ((uint64_t) ((int64_t) noise * noise) >> 16) * (uint64_t) type->square_e2 >> 16;
        int64_t value_e2 = own->level_e2 + MAX(level_e2, (int64_t) shared->least_e2) + (int64_t) square +
                           (MAX(noise, type->floor) - type->ground) * deviation_e2 / NOISE_ONE;
        uint64_t sign = value_e2 < 0 ? UINT64_MAX : 0, magnitude = ((uint64_t) value_e2 ^ sign) - sign;
        /* Division by a number that is not known takes a processor as long as all of the above. */
        uint64_t whole = (uint64_t) (((unsigned __int128) magnitude * type->quantum_inverse_q63) >> 63) *
                         type->quantum_e2;

        value_e2 = (int64_t) ((whole ^ sign) - sign);
        value_e2 = MAX(value_e2, (int64_t) type->minimum_e2);
        return (int32_t) MIN(value_e2, (int64_t) type->maximum_e2);
}

/* The same in one, anywhere, whatever happens to the pipeline. */
int32_t signal_get_e2(const struct signal_type *type, const struct signal_place *place,
                const struct signal_surroundings *surroundings, int32_t noise);

/* A valve's position follows from its key and the time alone. */
int32_t signal_get_valve_e2(uint64_t key, uint64_t time_ns);
/* How long a valve has rested and will rest where it is at @time_ns; false: it travels. */
bool signal_get_valve_rest(uint64_t key, uint64_t time_ns, uint64_t *back_nsp, uint64_t *ahead_nsp);
