/* SPDX-License-Identifier: Apache-2.0 */

#include "model/network_sensor.h"

#include "model/fault.h"
#include "model/hazard.h"
#include "model/hydraulics.h"
#include "model/network-private.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

#define COUNTER_QUALITY (UINT64_C(5) << 60)

#define MAINTENANCE_SLOT_NS (UINT64_C(30) * 86400 * NSEC_PER_SEC)
#define MAINTENANCE_NS      (2 * 3600 * NSEC_PER_SEC)

#define ALARM_POINTS     8u /* in the grid of noise: how far an alarm looks back */
#define ALARM_NOT_JUDGED UINT8_MAX

static struct network_history *sensor_get_history(
                const struct network *network, const struct network_sensor *sensor) {
        return &network->histories[sensor - network->sensors];
}

/* Their grids are not in step: a sensor's own clock is ahead by a part of a point. */
static uint64_t key_get_phase_ns(uint64_t key, const struct network_type *type) {
        return random_scale(key, type->step_ns);
}

static struct signal_place sensor_get_place(
                const struct network *network, const struct network_sensor *sensor) {
        const struct plant_pipeline *pipeline = network->pipelines[sensor->pipeline].plant;
        uint64_t key = sensor_get_history(network, sensor)->key;

        return (struct signal_place){
                .place = {
                        .mile_post_e2 = sensor->mile_post_e2,
                        .station_e2 = pipeline->stations_e2[sensor->station],
                        .stretch_end_e2 = plant_pipeline_get_stretch_end_e2(pipeline, sensor->station),
                        .lag_ns = signal_get_lag_ns(network->types[sensor->type].signal.kind, key),
                },
                .key = key,
        };
}

static int32_t sensor_get_signal_e2(struct network *network, const struct network_sensor *sensor,
                uint64_t time_ns, int32_t noise) {
        const struct signal_place place = sensor_get_place(network, sensor);
        const struct network_moment *moment =
                        pipeline_look(network, &network->pipelines[sensor->pipeline], time_ns);

        return signal_get_e2(&network->types[sensor->type].signal, &place, &moment->surroundings, noise);
}

static int32_t sensor_get_signal_at(
                struct network *network, const struct network_sensor *sensor, uint64_t time_ns) {
        const struct network_type *type = &network->types[sensor->type];
        uint64_t key = sensor_get_history(network, sensor)->key;
        uint64_t own_ns = time_ns + key_get_phase_ns(key, type);
        struct noise_walk walk;

        noise_walk_seek(&walk, &network->bridge, key, own_ns / type->step_ns);
        return sensor_get_signal_e2(network, sensor, time_ns, walk.here);
}

static void sensor_find_incident(struct network *network, const struct network_sensor *sensor,
                struct network_history *history, uint64_t time_ns) {
        struct incident *incident = &history->incident;
        struct scenario_span span = hazard_find_sensor(
                        &network->hazard, network->scenario, sensor->number, history->key, time_ns, incident);

        history->incident_from_ns = span.from_ns;
        history->incident_span_ns = span.until_ns - span.from_ns;
        if (incident->kind == I4_FAULT_STUCK || incident->kind == I4_FAULT_CLIPPING)
                history->held_e2 = sensor_get_signal_at(network, sensor, incident->start_ns);
}

static bool sensor_is_reached(const struct network *network, const struct network_sensor *sensor,
                const struct network_moment *moment) {
        struct signal_place place;

        if (likely(moment->incident.kind == I4_FAULT_NONE) || !type_is_touched(&network->types[sensor->type]))
                return false;

        place = sensor_get_place(network, sensor);
        return hydraulics_get_progress_q16(&moment->surroundings.hydraulics, &place.place) > 0;
}

static struct observation sensor_look(struct network *network, const struct network_sensor *sensor,
                uint64_t time_ns, int32_t noise) {
        const struct network_type *type = &network->types[sensor->type];
        struct network_history *history = sensor_get_history(network, sensor);
        const struct network_moment *moment;
        int32_t value_e2;

        if (unlikely(time_ns - history->incident_from_ns >= history->incident_span_ns))
                sensor_find_incident(network, sensor, history, time_ns);

        value_e2 = sensor_get_signal_e2(network, sensor, time_ns, noise);
        if (unlikely(history->incident.kind != I4_FAULT_NONE) &&
                        fault_shows(&history->incident, history->key, time_ns))
                return fault_apply(&history->incident, history->key, history->held_e2, &type->signal, time_ns,
                                value_e2);

        /* The sensor works; its pipeline need not be well. */
        moment = pipeline_look(network, &network->pipelines[sensor->pipeline], time_ns);
        if (!sensor_is_reached(network, sensor, moment))
                return (struct observation){ .value_e2 = value_e2 };

        return (struct observation){
                .value_e2 = value_e2,
                .fault = (enum i4_fault) moment->incident.kind,
                .event = moment->incident.id,
        };
}

static void walk_to(
                struct noise_walk *walk, const struct noise_bridge *bridge, uint64_t key, uint64_t point) {
        if (point < walk->point || point - walk->point > NOISE_BLOCK_POINTS / 2)
                noise_walk_seek(walk, bridge, key, point);
        while (walk->point < point)
                noise_walk_step(walk, bridge, key);
}

/* To the point of the grid at or before @own_ns, on the sensor's own clock. */
static void sensor_move(
                struct network *network, struct network_sensor *sensor, uint64_t own_ns, uint64_t phase_ns) {
        uint64_t step_ns = network->types[sensor->type].step_ns, point = own_ns / step_ns;
        struct network_history *history = sensor_get_history(network, sensor);
        struct noise_walk walk = {
                .point = sensor->is_placed ? (sensor->point_ns + phase_ns) / step_ns : UINT64_MAX,
                .here = sensor->here,
                .next = sensor->next,
                .end = history->end,
        };

        walk_to(&walk, &network->bridge, history->key, point);
        sensor->point_ns = point * step_ns - phase_ns;
        sensor->here = walk.here;
        sensor->next = walk.next;
        sensor->alarm = ALARM_NOT_JUDGED;
        sensor->is_placed = true;
        history->end = walk.end;
}

/*
 * The alarm at the sensor's point is judged by way of the points since the last multiple of ALARM_POINTS, so
 * it is the same wherever the sensor comes from.
 */
static enum alarm sensor_look_back(struct network *network, const struct network_sensor *sensor) {
        const struct network_type *type = &network->types[sensor->type];
        struct network_history *history = sensor_get_history(network, sensor), now = *history;
        uint64_t phase_ns = key_get_phase_ns(now.key, type);
        uint64_t last = (sensor->point_ns + phase_ns) / type->step_ns;
        enum alarm alarm = ALARM_NONE;
        struct noise_walk walk;

        noise_walk_seek(&walk, &network->bridge, now.key, last - last % ALARM_POINTS);
        for (;;) {
                alarm = alarm_judge(&type->limits, alarm,
                                sensor_look(network, sensor, walk.point * type->step_ns - phase_ns, walk.here)
                                                .value_e2);
                if (walk.point == last)
                        break;
                noise_walk_step(&walk, &network->bridge, now.key);
        }

        /* The incident to look at is that of the reading. */
        *history = now;
        return alarm;
}

static enum alarm sensor_judge(struct network *network, struct network_sensor *sensor, int32_t value_e2) {
        const struct network_type *type = &network->types[sensor->type];

        if (likely(alarm_is_quiet(&type->quiet, value_e2)))
                return ALARM_NONE;
        if (sensor->alarm == ALARM_NOT_JUDGED)
                sensor->alarm = (uint8_t) sensor_look_back(network, sensor);

        return alarm_judge(&type->limits, (enum alarm) sensor->alarm, value_e2);
}

static enum i4_alert alert_from_alarm(enum alarm alarm, bool is_bad) {
        switch (alarm) {
        case ALARM_LOW_LOW:
        case ALARM_HIGH_HIGH:
                return I4_ALERT_HIGH;
        case ALARM_LOW:
        case ALARM_HIGH:
                return I4_ALERT_MEDIUM;
        default:
                return is_bad ? I4_ALERT_LOW : I4_ALERT_NONE;
        }
}

/* How long ago a sensor's maintenance began; it lasts MAINTENANCE_NS. */
static uint64_t key_get_maintenance_age_ns(uint64_t key, uint64_t time_ns) {
        return (time_ns + random_scale(random_mix(~key), MAINTENANCE_SLOT_NS)) % MAINTENANCE_SLOT_NS;
}

/* Good sensors differ a little, for life, and with what they measure; below 0.8 is bad. */
static uint16_t key_get_quality_e4(uint64_t key) {
        return (uint16_t) (9600 + random_scale(random_draw(key, COUNTER_QUALITY), 300));
}

static uint16_t quality_bad_e4(const struct network_history *history) {
        return (uint16_t) (3000 +
                           random_scale(random_draw(history->key, COUNTER_QUALITY) ^ history->incident.id,
                                           4500));
}

/* Until when and since when a sensor that is all right at @time_ns is, to within what can be told cheaply. */
static void sensor_calm(const struct network *network, struct network_sensor *sensor, uint64_t time_ns) {
        const struct network_type *type = &network->types[sensor->type];
        const struct network_history *history = sensor_get_history(network, sensor);
        const struct incident *incident = &history->incident;
        const struct signal_place place = sensor_get_place(network, sensor);
        uint64_t age_ns = key_get_maintenance_age_ns(history->key, time_ns);
        uint64_t back_ns = time_ns - sensor->point_ns, ahead_ns = type->step_ns - back_ns;
        uint64_t rest_back_ns, rest_ahead_ns;

        sensor->calm_span_ns = 0;
        if (age_ns < MAINTENANCE_NS)
                return;
        back_ns = MIN(back_ns, age_ns - MAINTENANCE_NS);
        ahead_ns = MIN(ahead_ns, MAINTENANCE_SLOT_NS - age_ns);

        back_ns = MIN(back_ns, time_ns - history->incident_from_ns);
        ahead_ns = MIN(ahead_ns, history->incident_from_ns + history->incident_span_ns - time_ns);
        if (incident->kind != I4_FAULT_NONE) {
                if (time_ns < incident->start_ns)
                        ahead_ns = MIN(ahead_ns, incident->start_ns - time_ns);
                else if (time_ns >= incident->end_ns)
                        back_ns = MIN(back_ns, time_ns - incident->end_ns);
                else
                        return;
        }

        if (type->signal.kind == SIGNAL_VALVE) {
                /* Surroundings are those of the beginning of the second. */
                if (!signal_get_valve_rest(history->key, time_ns, &rest_back_ns, &rest_ahead_ns) ||
                                rest_back_ns < NSEC_PER_SEC)
                        return;
                back_ns = MIN(back_ns, rest_back_ns - NSEC_PER_SEC);
                ahead_ns = MIN(ahead_ns, rest_ahead_ns);
        }

        sensor->own = signal_get_own(&type->signal, &place, time_ns);
        sensor->calm_from_ns = time_ns - back_ns;
        sensor->calm_span_ns = back_ns + ahead_ns;
}

/* Inlined, it would take the registers of the short way. */
__attribute__((noinline)) void sensor_read(struct network *network, struct network_sensor *sensor,
                uint64_t sequence, uint64_t time_ns, struct i4_record *record) {
        const struct network_type *type = &network->types[sensor->type];
        const struct network_history *history = sensor_get_history(network, sensor);
        uint64_t phase_ns = key_get_phase_ns(history->key, type);
        bool is_in_maintenance = key_get_maintenance_age_ns(history->key, time_ns) < MAINTENANCE_NS;
        struct observation value;
        enum alarm alarm;
        int32_t noise;

        if (!sensor->is_placed || time_ns - sensor->point_ns >= type->step_ns)
                sensor_move(network, sensor, time_ns + phase_ns, phase_ns);

        noise = sensor_get_noise(sensor, type, time_ns);
        value = sensor_look(network, sensor, time_ns, noise);
        alarm = sensor_judge(network, sensor, value.value_e2);

        record_fill(record, sensor, sequence, time_ns, value.value_e2, noise);
        record->event = value.event;
        record->fault = (uint8_t) value.fault;
        if (value.is_bad)
                record->quality_e4 = quality_bad_e4(history);
        if (is_in_maintenance)
                /* Who works on a sensor is not called to it. */
                record->status = I4_STATUS_MAINTENANCE;
        else if (alarm != ALARM_NONE || value.is_bad) {
                record->status = I4_STATUS_WARNING;
                record->alert = (uint8_t) alert_from_alarm(alarm, value.is_bad);
        }

        pipeline_calm(network, &network->pipelines[sensor->pipeline], time_ns);
        sensor_calm(network, sensor, time_ns);
}

static uint32_t sensor_get_mile_post_e2(const struct network *network, const struct fleet_sensor *sensor,
                const struct plant_pipeline *pipeline) {
        if (network->plant->types[sensor->type].site == PLANT_STATION)
                return pipeline->stations_e2[fleet_get_mile_post_e2(
                                sensor->number, pipeline->n_stations - 1)];

        return fleet_get_mile_post_e2(sensor->number, pipeline->length_e2);
}

struct network_sensor sensor_make(const struct network *network, const struct plant_route *route,
                const struct fleet_sensor *from, uint64_t key) {
        const struct plant_pipeline *pipeline = route->pipeline;
        uint32_t mile_post_e2 = sensor_get_mile_post_e2(network, from, pipeline);
        struct plant_way_point place = plant_route_locate(route, mile_post_e2);

        return (struct network_sensor){
                .number = from->number,
                .latitude_e6 = place.latitude_e6,
                .longitude_e6 = place.longitude_e6,
                .mile_post_e2 = mile_post_e2,
                .quality_e4 = key_get_quality_e4(key),
                .pipeline = from->pipeline,
                .type = from->type,
                .station = (uint8_t) plant_pipeline_find_station(pipeline, mile_post_e2),
        };
}
