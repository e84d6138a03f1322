/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A sensor of a network, and what it shows
 *
 * The long way to a reading: the walk of the noise, the signal, what is wrong with the sensor, its alarm. On
 * the way it finds out from when to when the sensor is calm, which is when the short way gives the same.
 */

#include "i4.h"

#include "model/alarm.h"
#include "model/fleet.h"
#include "model/incident.h"
#include "model/noise.h"
#include "model/plant.h"
#include "model/signal.h"

#include <assert.h>
#include <stdalign.h>
#include <string.h>

struct network;

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

/* @network has its plant and types; @route is that of the pipeline that the sensor is at. */
struct network_sensor sensor_make(const struct network *network, const struct plant_route *route,
                const struct fleet_sensor *from, uint64_t key);

/* Fills @record, and tells @sensor and its pipeline how long they are calm. */
void sensor_read(struct network *network, struct network_sensor *sensor, uint64_t sequence, uint64_t time_ns,
                struct i4_record *record);

/* Can an incident of its pipeline show in it at all? The flow changes everywhere, and with it the friction.
 */
static inline bool type_is_touched(const struct network_type *type) {
        return type->signal.kind == SIGNAL_FLOW || type->signal.kind == SIGNAL_PRESSURE;
}

static inline uint16_t quality_good_e4(const struct network_sensor *sensor, int32_t noise) {
        return (uint16_t) (sensor->quality_e4 + (uint32_t) (noise + 6 * NOISE_ONE) * 8 / NOISE_ONE);
}

/* On the way from this point of the grid to the next. */
static inline int32_t sensor_get_noise(
                const struct network_sensor *sensor, const struct network_type *type, uint64_t time_ns) {
        uint64_t fraction_q16 =
                        (uint64_t) (((unsigned __int128) (time_ns - sensor->point_ns) * type->inverse_q80) >>
                                        64);

        return noise_between(sensor->here, sensor->next, fraction_q16);
}

/* All of a good reading. Field by field: put together elsewhere, it would be stored twice. */
static inline void record_fill(struct i4_record *record, const struct network_sensor *sensor,
                uint64_t sequence, uint64_t time_ns, int32_t value_e2, int32_t noise) {
        record->sequence = sequence;
        record->time_ns = time_ns;
        record->sensor = sensor->number;
        record->event = 0;
        record->value_e2 = value_e2;
        record->latitude_e6 = sensor->latitude_e6;
        record->longitude_e6 = sensor->longitude_e6;
        record->mile_post_e2 = sensor->mile_post_e2;
        record->quality_e4 = quality_good_e4(sensor, noise);
        record->pipeline = sensor->pipeline;
        record->type = sensor->type;
        record->status = I4_STATUS_NORMAL;
        record->alert = I4_ALERT_NONE;
        record->fault = I4_FAULT_NONE;
        memset(record->reserved, 0, sizeof(record->reserved));
}
