/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pipeline network
 *
 * The plant exists whether or not it is looked at: what a sensor shows at a moment follows from the seed, the
 * catalog and that moment alone, and a reading is a look. Its value goes through
 *
 *     pipeline   load and weather, and an incident that spreads     once a second
 *     signal     what a healthy sensor would show                   signal.h
 *     incident   what is wrong with the sensor itself               incident.h
 *     alarm      limits and deadband                                alarm.h
 *
 * What is kept between readings is only a bookmark that makes the next one cheap. Throwing it away, as a
 * restart does, changes nothing, so no state of the model has to be saved, and readings may be made from any
 * step on, in any rhythm, by any number of machines. The one thing with a memory, the deadband of an alarm,
 * looks back to the last multiple of a time constant and no further.
 */

#include "model/alarm.h"
#include "model/fleet.h"
#include "model/incident.h"
#include "model/model-private.h"
#include "model/noise.h"
#include "model/plant.h"
#include "model/scenario.h"
#include "model/signal.h"
#include "model/weather.h"
#include "util/clock.h"
#include "util/random.h"

#include <errno.h>

/* What is random about pipelines and sensors, apart. */
#define KEY_PIPELINES UINT64_C(0x7069706573000000)
#define KEY_LOAD      1u
#define KEY_INCIDENTS 2u

#define COUNTER_QUALITY (UINT64_C(5) << 60)

#define LOAD_TIME_CONSTANT_NS (7200 * NSEC_PER_SEC)
#define FLUID_LAG_NS          (3 * 3600 * NSEC_PER_SEC)

#define MAINTENANCE_SLOT_NS (UINT64_C(30) * 86400 * NSEC_PER_SEC)
#define MAINTENANCE_NS      (2 * 3600 * NSEC_PER_SEC)

#define PIPELINE_INCIDENT_NS (45 * NSEC_PER_MIN)
#define SENSOR_INCIDENT_NS   (10 * NSEC_PER_MIN)

/*
 * Of 20 anomalous readings, 3 belong to an incident of a pipeline, which 1 in 4 of its sensors sees: the
 * flows and the pressures. Of those that sensors make for themselves, spikes show in an eighth of the
 * readings of their time, which leaves 0.89 of it. In thousandths of the share that is asked for.
 */
#define PIPELINE_SHARE_E3 600u
#define SENSOR_SHARE_E3   955u
#define SPIKE_ODDS        8u

#define ALARM_POINTS 8u /* in the grid of noise: how far an alarm looks back */

struct network_type {
        enum signal_kind kind;
        int32_t minimum_e2, maximum_e2;
        uint64_t step_ns;     /* of the noise's grid */
        uint64_t inverse_q80; /* of it */
        struct plant_limits limits;
};

struct network_pipeline {
        const struct plant_pipeline *plant;
        uint64_t incident_key;
        uint64_t second; /* of which @surroundings tell; UINT64_MAX: of none */
        struct incident incident;
        uint64_t incident_from_ns, incident_span_ns; /* when that is the one to look at */
        struct signal_surroundings surroundings;
        struct noise_series load;
        struct plant_way_point middle;
};

struct network_sensor {
        uint64_t key;
        struct noise_walk walk;
        uint64_t point_ns; /* of the walk's point, on the sensor's own clock */
        struct incident incident;
        uint64_t incident_from_ns, incident_span_ns; /* when that is the one to look at */
        struct hydraulics_place place;
        uint32_t number;
        int32_t latitude_e6;
        int32_t longitude_e6;
        int32_t held_e2; /* where the incident holds it */
        uint16_t pipeline;
        uint8_t type;
        uint8_t alarm; /* at the walk's point */
};

static_assert(sizeof(struct network_sensor) <= 128, "two cache lines a sensor");

struct network {
        struct model model;
        uint64_t seed;
        struct plant *plant;
        struct scenario *scenario; /* NULL: all is left to chance */
        struct network_pipeline *pipelines;
        struct noise_bridge bridge;
        struct incident_odds pipeline_odds, sensor_odds;
        struct network_type types[CATALOG_TYPES_MAX];
        uint32_t n_sensors, n_pipelines;
        struct network_sensor sensors[];
};

struct network_value {
        int32_t value_e2;
        enum i4_fault fault;
        bool is_bad; /* and the sensor knows it */
};

/* pipelines */

/* More in the evening, less before dawn; plus what nobody planned. */
static uint32_t load_get_q16(struct network *network, struct network_pipeline *pipeline, uint64_t time_ns) {
        uint32_t day = weather_get_day_q16(time_ns, pipeline->middle.longitude_e6);
        int32_t noise = noise_series_get(&pipeline->load, &network->bridge, time_ns);

        /* Lowest at 4 in the morning, six hours before the sine's zero. */
        return (uint32_t) (65536 + weather_sine_q16(day - 65536 * 10 / 24) / 16 + noise / 25);
}

/* What is wrong with a pipeline, and how long nothing else is. */
static struct scenario_span pipeline_look_up(const struct network *network, const struct scenario *scenario,
                uint32_t number, uint64_t time_ns, struct incident *incident) {
        const struct network_pipeline *pipeline = &network->pipelines[number];
        uint64_t slot = time_ns / INCIDENT_PIPELINE_SLOT_NS, slot_ns = slot * INCIDENT_PIPELINE_SLOT_NS;
        struct scenario_span span = scenario_find(scenario, true, number, time_ns);

        if (span.incident) {
                *incident = *span.incident;
                return span;
        }

        incident_draw_pipeline(incident, &network->pipeline_odds, pipeline->incident_key, slot,
                        pipeline->plant->length_e2);
        span.from_ns = MAX(span.from_ns, slot_ns);
        span.until_ns = MIN(span.until_ns, slot_ns + INCIDENT_PIPELINE_SLOT_NS);
        return span;
}

static void pipeline_find_incident(
                struct network *network, struct network_pipeline *pipeline, uint64_t time_ns) {
        struct scenario_span span = pipeline_look_up(network, network->scenario,
                        (uint32_t) (pipeline - network->pipelines), time_ns, &pipeline->incident);

        pipeline->incident_from_ns = span.from_ns;
        pipeline->incident_span_ns = span.until_ns - span.from_ns;
}

static void pipeline_update(struct network *network, struct network_pipeline *pipeline, uint64_t second) {
        uint64_t time_ns = second * NSEC_PER_SEC;
        int32_t longitude_e6 = pipeline->middle.longitude_e6;

        if (time_ns - pipeline->incident_from_ns >= pipeline->incident_span_ns)
                pipeline_find_incident(network, pipeline, time_ns);
        pipeline->second = second;
        pipeline->surroundings = (struct signal_surroundings){
                .hydraulics = {
                        .pipeline = pipeline->plant,
                        .incident = &pipeline->incident,
                        .time_ns = time_ns,
                        .load_q16 = load_get_q16(network, pipeline, time_ns),
                },
                .season_e2 = weather_get_season_e2(time_ns, pipeline->middle.latitude_e6),
                .daily_e2 = weather_get_daily_e2(time_ns, longitude_e6, 0),
                .daily_fluid_e2 = weather_get_daily_e2(time_ns, longitude_e6, FLUID_LAG_NS) * 3 / 10,
        };
}

static const struct signal_surroundings *pipeline_look(
                struct network *network, struct network_pipeline *pipeline, uint64_t time_ns) {
        uint64_t second = time_ns / NSEC_PER_SEC;

        if (unlikely(pipeline->second != second))
                pipeline_update(network, pipeline, second);
        return &pipeline->surroundings;
}

/* sensors */

/* Their grids are not in step: a sensor's own clock is ahead by a part of a point. */
static uint64_t sensor_get_phase_ns(const struct network_sensor *sensor, const struct network_type *type) {
        return random_scale(sensor->key, type->step_ns);
}

static int32_t sensor_get_signal_e2(struct network *network, const struct network_sensor *sensor,
                uint64_t time_ns, int32_t noise) {
        const struct network_type *type = &network->types[sensor->type];
        const struct signal_place place = {
                .place = sensor->place,
                .key = sensor->key,
                .kind = type->kind,
                .minimum_e2 = type->minimum_e2,
                .maximum_e2 = type->maximum_e2,
        };

        return signal_get_e2(&place, pipeline_look(network, &network->pipelines[sensor->pipeline], time_ns),
                        noise);
}

/* Incidents are not in step either: by how much a sensor's own time is ahead. */
static uint64_t key_get_incident_phase_ns(uint64_t key) {
        return random_scale(random_mix(key), INCIDENT_SENSOR_SLOT_NS);
}

/* What is wrong with a sensor, in the plant's time, and how long nothing else is. */
static struct scenario_span sensor_look_up(const struct network *network, const struct scenario *scenario,
                uint32_t number, uint64_t key, uint64_t time_ns, struct incident *incident) {
        uint64_t ahead_ns = key_get_incident_phase_ns(key);
        uint64_t slot = (time_ns + ahead_ns) / INCIDENT_SENSOR_SLOT_NS;
        uint64_t slot_ns = slot * INCIDENT_SENSOR_SLOT_NS - ahead_ns;
        struct scenario_span span = scenario_find(scenario, false, number, time_ns);

        if (span.incident) {
                *incident = *span.incident;
                return span;
        }

        incident_draw_sensor(incident, &network->sensor_odds, key, slot);
        incident->start_ns -= ahead_ns;
        incident->end_ns -= ahead_ns;
        span.from_ns = MAX(span.from_ns, slot_ns);
        span.until_ns = MIN(span.until_ns, slot_ns + INCIDENT_SENSOR_SLOT_NS);
        return span;
}

static int32_t sensor_get_signal_at(
                struct network *network, const struct network_sensor *sensor, uint64_t time_ns) {
        const struct network_type *type = &network->types[sensor->type];
        uint64_t own_ns = time_ns + sensor_get_phase_ns(sensor, type);
        struct noise_walk walk;

        noise_walk_seek(&walk, &network->bridge, sensor->key, own_ns / type->step_ns);
        return sensor_get_signal_e2(network, sensor, time_ns, walk.here);
}

static void sensor_find_incident(struct network *network, struct network_sensor *sensor, uint64_t time_ns) {
        struct incident *incident = &sensor->incident;
        struct scenario_span span = sensor_look_up(
                        network, network->scenario, sensor->number, sensor->key, time_ns, incident);

        sensor->incident_from_ns = span.from_ns;
        sensor->incident_span_ns = span.until_ns - span.from_ns;
        if (incident->kind == I4_FAULT_STUCK || incident->kind == I4_FAULT_CLIPPING)
                sensor->held_e2 = sensor_get_signal_at(network, sensor, incident->start_ns);
}

static int32_t clamp(int64_t value_e2) {
        return (int32_t) MIN(MAX(value_e2, (int64_t) INT32_MIN), (int64_t) INT32_MAX);
}

/* What the incident makes of @value_e2. Sizes are shares of the range of the type, by its strength from half
 * to whole. */
static struct network_value incident_apply(const struct network_sensor *sensor,
                const struct network_type *type, uint64_t time_ns, int32_t value_e2) {
        const struct incident *incident = &sensor->incident;
        int64_t range_e2 = (int64_t) type->maximum_e2 - type->minimum_e2;
        int64_t size_e2 = (range_e2 * (32768 + incident->strength_q16 / 2)) >> 16;
        uint64_t chance = random_mix(sensor->key ^ random_mix(time_ns));
        struct network_value result = { .fault = (enum i4_fault) incident->kind };
        int64_t value = value_e2, into_ns = (int64_t) (time_ns - incident->start_ns);

        if (incident->is_negative)
                size_e2 = -size_e2;

        switch (incident->kind) {
        case I4_FAULT_SPIKE:
                if (chance % SPIKE_ODDS != 0)
                        return (struct network_value){ .value_e2 = value_e2 };
                value += size_e2 * 2 / 5;
                break;
        case I4_FAULT_STUCK:
                value = sensor->held_e2;
                break;
        case I4_FAULT_DRIFT:
                value += size_e2 / 4 * (into_ns >> 20) /
                         (int64_t) ((incident->end_ns - incident->start_ns) >> 20);
                break;
        case I4_FAULT_OFFSET:
                value += size_e2 / 8;
                break;
        case I4_FAULT_NOISE:
                value += (size_e2 / 12) * noise_draw_normal(chance, 0) / NOISE_ONE;
                result.is_bad = true;
                break;
        case I4_FAULT_DROPOUT:
                value = type->minimum_e2;
                result.is_bad = true;
                break;
        case I4_FAULT_CLIPPING:
                value = MIN(value, (int64_t) sensor->held_e2);
                break;
        default:
                value = type->maximum_e2 + 1 + (int64_t) random_scale(chance, (uint64_t) range_e2 / 5 + 1);
                result.is_bad = true;
                result.value_e2 = clamp(value);
                return result;
        }

        result.value_e2 = clamp(MIN(MAX(value, (int64_t) type->minimum_e2), (int64_t) type->maximum_e2));
        return result;
}

/* Can an incident of its pipeline show in it at all? The flow changes everywhere, and with it the friction.
 */
static bool type_is_touched(const struct network_type *type) {
        return type->kind == SIGNAL_FLOW || type->kind == SIGNAL_PRESSURE;
}

static bool sensor_is_reached(const struct network_sensor *sensor, const struct network_type *type,
                const struct incident *incident, uint64_t time_ns) {
        if (likely(incident->kind == I4_FAULT_NONE) || !type_is_touched(type))
                return false;

        return incident_get_progress_q16(incident, sensor->place.mile_post_e2, time_ns) > 0;
}

static struct network_value sensor_look(
                struct network *network, struct network_sensor *sensor, uint64_t time_ns, int32_t noise) {
        const struct network_type *type = &network->types[sensor->type];
        int32_t value_e2 = sensor_get_signal_e2(network, sensor, time_ns, noise);
        const struct incident *around;

        if (unlikely(time_ns - sensor->incident_from_ns >= sensor->incident_span_ns))
                sensor_find_incident(network, sensor, time_ns);
        if (unlikely(sensor->incident.kind != I4_FAULT_NONE) && time_ns >= sensor->incident.start_ns &&
                        time_ns < sensor->incident.end_ns)
                return incident_apply(sensor, type, time_ns, value_e2);

        around = &network->pipelines[sensor->pipeline].incident;
        return (struct network_value){
                .value_e2 = value_e2,
                .fault = sensor_is_reached(sensor, type, around, time_ns / NSEC_PER_SEC * NSEC_PER_SEC)
                                         ? (enum i4_fault) around->kind
                                         : I4_FAULT_NONE,
        };
}

static void sensor_judge_point(struct network *network, struct network_sensor *sensor, uint64_t phase_ns) {
        const struct network_type *type = &network->types[sensor->type];
        enum alarm before = sensor->walk.point % ALARM_POINTS == 0 ? ALARM_NONE : (enum alarm) sensor->alarm;

        sensor->alarm = (uint8_t) alarm_judge(&type->limits, before,
                        sensor_look(network, sensor, sensor->point_ns - phase_ns, sensor->walk.here)
                                        .value_e2);
}

static void sensor_walk_to(const struct network *network, struct network_sensor *sensor, uint64_t point) {
        if (point < sensor->walk.point || point - sensor->walk.point > NOISE_BLOCK_POINTS / 2)
                noise_walk_seek(&sensor->walk, &network->bridge, sensor->key, point);
        while (sensor->walk.point < point)
                noise_walk_step(&sensor->walk, &network->bridge, sensor->key);
}

/*
 * To the point of the grid at or before @own_ns. Its alarm is judged by way of the points since the last
 * multiple of ALARM_POINTS, so it is the same wherever the sensor comes from.
 */
static void sensor_move(
                struct network *network, struct network_sensor *sensor, uint64_t own_ns, uint64_t phase_ns) {
        uint64_t step_ns = network->types[sensor->type].step_ns, last = own_ns / step_ns;
        uint64_t next = last - last % ALARM_POINTS;

        if (sensor->walk.point >= next && sensor->walk.point <= last)
                next = sensor->walk.point + 1;

        for (; next <= last; ++next) {
                sensor_walk_to(network, sensor, next);
                sensor->point_ns = next * step_ns;
                sensor_judge_point(network, sensor, phase_ns);
        }
}

/* what is made of a value */

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

static bool sensor_is_in_maintenance(const struct network_sensor *sensor, uint64_t time_ns) {
        uint64_t now_ns = time_ns + random_scale(random_mix(~sensor->key), MAINTENANCE_SLOT_NS);

        return now_ns % MAINTENANCE_SLOT_NS < MAINTENANCE_NS;
}

/* Good sensors differ a little, for life, and with what they measure; below 0.8 is bad. */
static uint16_t quality_get_e4(const struct network_sensor *sensor, int32_t noise, bool is_bad) {
        uint64_t draw = random_draw(sensor->key, COUNTER_QUALITY);

        if (unlikely(is_bad))
                return (uint16_t) (3000 + random_scale(draw ^ sensor->incident.id, 4500));

        return (uint16_t) (9600 + random_scale(draw, 300) +
                           (uint64_t) ((noise + 6 * NOISE_ONE) * 8 / NOISE_ONE));
}

static uint32_t event_of(
                const struct network *network, const struct network_sensor *sensor, enum i4_fault fault) {
        if (likely(fault == I4_FAULT_NONE))
                return 0;

        return fault >= I4_FAULT_LEAK ? network->pipelines[sensor->pipeline].incident.id
                                      : sensor->incident.id;
}

static void sensor_read(struct network *network, struct network_sensor *sensor, uint64_t sequence,
                uint64_t time_ns, struct i4_record *record) {
        const struct network_type *type = &network->types[sensor->type];
        uint64_t phase_ns = sensor_get_phase_ns(sensor, type), own_ns = time_ns + phase_ns;
        struct network_value value;
        bool is_in_maintenance = sensor_is_in_maintenance(sensor, time_ns);
        enum alarm alarm;
        int32_t noise;

        if (unlikely(own_ns - sensor->point_ns >= type->step_ns))
                sensor_move(network, sensor, own_ns, phase_ns);

        noise = noise_walk_get(&sensor->walk,
                        (uint64_t) (((unsigned __int128) (own_ns - sensor->point_ns) * type->inverse_q80) >>
                                        64));
        value = sensor_look(network, sensor, time_ns, noise);
        alarm = alarm_judge(&type->limits, (enum alarm) sensor->alarm, value.value_e2);

        *record = (struct i4_record){
                .sequence = sequence,
                .time_ns = time_ns,
                .sensor = sensor->number,
                .event = event_of(network, sensor, value.fault),
                .value_e2 = value.value_e2,
                .latitude_e6 = sensor->latitude_e6,
                .longitude_e6 = sensor->longitude_e6,
                .mile_post_e2 = sensor->place.mile_post_e2,
                .quality_e4 = quality_get_e4(sensor, noise, value.is_bad),
                .pipeline = sensor->pipeline,
                .type = sensor->type,
                .status = is_in_maintenance                     ? I4_STATUS_MAINTENANCE
                          : alarm != ALARM_NONE || value.is_bad ? I4_STATUS_WARNING
                                                                : I4_STATUS_NORMAL,
                /* Who works on a sensor is not called to it. */
                .alert = is_in_maintenance ? I4_ALERT_NONE : (uint8_t) alert_from_alarm(alarm, value.is_bad),
                .fault = (uint8_t) value.fault,
        };
}

static void network_generate(struct model *model, uint64_t step, uint64_t sequence, struct timeline *timeline,
                struct i4_record *records, size_t n) {
        struct network *network = (struct network *) model;
        struct network_sensor *end = network->sensors + network->n_sensors;
        struct network_sensor *sensor = network->sensors + step % network->n_sensors;
        uint64_t stride = timeline->stride;

        for (size_t i = 0; i < n; ++i) {
                sensor_read(network, sensor, sequence + i * stride, timeline_next(timeline), &records[i]);
                sensor += stride;
                if (unlikely(sensor >= end))
                        sensor -= network->n_sensors;
        }
}

/* what is wanted to happen */

static int network_complete_entry(const struct model *model, struct scenario_entry *entry) {
        const struct network *network = (const struct network *) model;
        struct incident *incident = &entry->incident;
        uint32_t length_e2;

        entry->until_ns = incident->end_ns;
        if (!incident_is_of_pipeline(incident))
                return entry->target < network->n_sensors ? 0 : -EINVAL;
        if (entry->target >= network->n_pipelines)
                return -EINVAL;

        length_e2 = network->pipelines[entry->target].plant->length_e2;
        if (incident->place_e2 > length_e2)
                return -ERANGE;
        entry->until_ns = incident_get_last_ns(incident, length_e2);
        return 0;
}

static int network_describe(const struct model *model, const struct scenario *scenario,
                const struct i4_record *record, struct scenario_entry *entry) {
        const struct network *network = (const struct network *) model;

        *entry = (struct scenario_entry){};
        if (record->sensor >= network->n_sensors || record->pipeline >= network->n_pipelines)
                return -ENOENT;

        if (record->fault >= I4_FAULT_LEAK) {
                entry->target = record->pipeline;
                (void) pipeline_look_up(network, scenario, record->pipeline,
                                record->time_ns / NSEC_PER_SEC * NSEC_PER_SEC, &entry->incident);
        } else {
                entry->target = record->sensor;
                (void) sensor_look_up(network, scenario, record->sensor,
                                random_derive(network->seed, record->sensor), record->time_ns,
                                &entry->incident);
        }

        if (record->event == 0 || entry->incident.id != record->event)
                return -ENOENT;
        return network_complete_entry(model, entry);
}

static void network_visit_touched(const struct model *model, const struct scenario_entry *entry,
                model_visit_t *visit, void *userdata) {
        const struct network *network = (const struct network *) model;
        bool is_of_pipeline = incident_is_of_pipeline(&entry->incident);

        for (uint32_t i = 0; i < network->n_sensors; ++i) {
                const struct network_sensor *sensor = &network->sensors[i];

                if (is_of_pipeline ? sensor->pipeline == entry->target &&
                                                                type_is_touched(&network->types[sensor->type])
                                   : sensor->number == entry->target)
                        visit(userdata, &(struct i4_record){
                                                        .sensor = sensor->number,
                                                        .latitude_e6 = sensor->latitude_e6,
                                                        .longitude_e6 = sensor->longitude_e6,
                                                        .mile_post_e2 = sensor->place.mile_post_e2,
                                                        .pipeline = sensor->pipeline,
                                                        .type = sensor->type,
                                        });
        }
}

/* Nobody remembers what was to happen before. */
static void network_exchange_scenario(struct model *model, struct scenario **scenariop) {
        struct network *network = (struct network *) model;
        struct scenario *before = network->scenario;

        network->scenario = *scenariop;
        *scenariop = before;

        for (uint32_t i = 0; i < network->n_pipelines; ++i) {
                network->pipelines[i].incident_span_ns = 0;
                network->pipelines[i].second = UINT64_MAX;
        }
        for (uint32_t i = 0; i < network->n_sensors; ++i)
                network->sensors[i].incident_span_ns = 0;
}

/* life cycle */

static struct model *network_free(struct model *model) {
        struct network *network = (struct network *) model;

        plant_free(network->plant);
        scenario_free(network->scenario);
        free(network->pipelines);
        free(network);
        return NULL;
}

static void network_freep(struct network **network) {
        if (*network)
                (void) network_free(&(*network)->model);
}

static const struct model_class network_class = {
        .generate = network_generate,
        .complete_entry = network_complete_entry,
        .exchange_scenario = network_exchange_scenario,
        .describe = network_describe,
        .visit_touched = network_visit_touched,
        .free = network_free,
};

static void network_set_types(struct network *network, const struct i4_catalog *catalog) {
        for (uint32_t i = 0; i < catalog->n_types; ++i) {
                const struct catalog_type *type = &catalog->types[i];
                enum signal_kind kind = signal_kind_from_name(type->name);
                uint64_t step_ns = signal_get_time_constant_ns(kind) / NOISE_GRID_SHARE;

                network->types[i] = (struct network_type){
                        .kind = kind,
                        .minimum_e2 = type->minimum_e2,
                        .maximum_e2 = type->maximum_e2,
                        .step_ns = step_ns,
                        .inverse_q80 = (uint64_t) (((unsigned __int128) 1 << 80) / step_ns),
                        .limits = network->plant->types[i].limits,
                };
        }
}

static void network_set_pipelines(struct network *network, uint64_t seed, uint32_t n_pipelines) {
        network->n_pipelines = n_pipelines;
        for (uint32_t i = 0; i < n_pipelines; ++i) {
                struct network_pipeline *pipeline = &network->pipelines[i];
                uint64_t key = random_derive(seed ^ KEY_PIPELINES, i);

                pipeline->plant = &network->plant->pipelines[i];
                pipeline->second = UINT64_MAX;
                pipeline->incident_key = random_derive(key, KEY_INCIDENTS);
                pipeline->middle = plant_pipeline_locate(pipeline->plant, pipeline->plant->length_e2 / 2);
                noise_series_init(&pipeline->load, random_derive(key, KEY_LOAD), LOAD_TIME_CONSTANT_NS);
        }
}

static uint32_t sensor_get_mile_post_e2(const struct network *network, const struct fleet_sensor *sensor,
                const struct plant_pipeline *pipeline) {
        if (network->plant->types[sensor->type].site == PLANT_STATION)
                return pipeline->stations_e2[fleet_get_mile_post_e2(
                                sensor->number, pipeline->n_stations - 1)];

        return fleet_get_mile_post_e2(sensor->number, pipeline->length_e2);
}

static struct network_sensor sensor_make(
                const struct network *network, const struct fleet_sensor *from, uint64_t seed) {
        const struct plant_pipeline *pipeline = &network->plant->pipelines[from->pipeline];
        uint32_t mile_post_e2 = sensor_get_mile_post_e2(network, from, pipeline);
        uint32_t station = plant_pipeline_find_station(pipeline, mile_post_e2);
        struct plant_way_point place = plant_pipeline_locate(pipeline, mile_post_e2);

        return (struct network_sensor){
                .key = random_derive(seed, from->number),
                .walk.point = UINT64_MAX, /* nowhere yet */
                .point_ns = UINT64_MAX,
                .place = {
                        .mile_post_e2 = mile_post_e2,
                        .station_e2 = pipeline->stations_e2[station],
                        .stretch_end_e2 = plant_pipeline_get_stretch_end_e2(pipeline, station),
                },
                .number = from->number,
                .latitude_e6 = place.latitude_e6,
                .longitude_e6 = place.longitude_e6,
                .pipeline = from->pipeline,
                .type = from->type,
        };
}

static int network_set_sensors(struct network *network, uint64_t seed, const struct i4_catalog *catalog) {
        _cleanup_(freep) struct fleet_sensor *fleet = NULL;

        fleet = calloc(catalog->n_sensors, sizeof(*fleet));
        if (!fleet)
                return -ENOMEM;

        fleet_lay_out(catalog, fleet);
        network->n_sensors = catalog->n_sensors;
        for (uint32_t i = 0; i < catalog->n_sensors; ++i)
                network->sensors[i] = sensor_make(network, &fleet[i], seed);
        return 0;
}

static uint64_t share_q32(uint32_t anomalies_e4, uint32_t share_e3) {
        return MIN(((uint64_t) anomalies_e4 * share_e3 << 32) / 10000000, UINT64_C(1) << 32);
}

int network_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog) {
        _cleanup_(network_freep) struct network *network = NULL;
        int r;

        network = calloc(1, sizeof(*network) + catalog->n_sensors * sizeof(*network->sensors));
        if (!network)
                return -ENOMEM;

        network->model.class = &network_class;
        network->seed = settings->seed;
        network->pipelines = calloc(catalog->n_pipelines, sizeof(*network->pipelines));
        if (!network->pipelines)
                return -ENOMEM;
        r = settings->plant ? plant_copy(settings->plant, &network->plant)
                            : plant_new(&network->plant, catalog);
        if (r < 0)
                return r;

        noise_bridge_init(&network->bridge);
        network->pipeline_odds = incident_odds_make(share_q32(settings->anomalies_e4, PIPELINE_SHARE_E3),
                        INCIDENT_PIPELINE_SLOT_NS, PIPELINE_INCIDENT_NS);
        network->sensor_odds = incident_odds_make(share_q32(settings->anomalies_e4, SENSOR_SHARE_E3),
                        INCIDENT_SENSOR_SLOT_NS, SENSOR_INCIDENT_NS);
        network_set_types(network, catalog);
        network_set_pipelines(network, settings->seed, catalog->n_pipelines);
        r = network_set_sensors(network, settings->seed, catalog);
        if (r < 0)
                return r;

        *modelp = &TAKE_PTR(network)->model;
        return 0;
}
