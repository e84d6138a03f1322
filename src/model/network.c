/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pipeline network
 *
 * The plant exists whether or not it is looked at: what a sensor shows at a moment follows from the seed, the
 * catalog and that moment alone, and a reading is a look. Its value goes through
 *
 *     pipeline   load and weather, and an incident that spreads     once a second
 *     signal     what a healthy sensor would show                   signal.h
 *     fault      what is wrong with the sensor itself               fault.h
 *     alarm      limits and deadband                                alarm.h
 *
 * What is kept between readings is only a bookmark that makes the next one cheap. Throwing it away, as a
 * restart does, changes nothing, so no state of the model has to be saved, and readings may be made from any
 * step on, in any rhythm, by any number of machines. The one thing with a memory, the deadband of an alarm,
 * looks back to the last multiple of a time constant and no further, and only from near a limit.
 *
 * Nearly always nothing happens to a sensor nor to its pipeline: then a reading is a few terms and a piece of
 * a straight line. Each sensor knows from when to when it is calm, each pipeline for which second, and all
 * that such a reading takes lies in one cache line of the sensor's, in the order of the scan. It costs a
 * quarter of the instructions of the long way, which gives the same bytes and is gone for all the rest.
 */

#include "model/alarm.h"
#include "model/fault.h"
#include "model/fleet.h"
#include "model/hazard.h"
#include "model/incident.h"
#include "model/model-private.h"
#include "model/network-private.h"
#include "model/noise.h"
#include "model/plant.h"
#include "model/scenario.h"
#include "model/signal.h"
#include "model/weather.h"
#include "util/clock.h"
#include "util/random.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

/* What is random about pipelines and sensors, apart. */
#define KEY_PIPELINES UINT64_C(0x7069706573000000)

#define COUNTER_QUALITY (UINT64_C(5) << 60)

#define MAINTENANCE_SLOT_NS (UINT64_C(30) * 86400 * NSEC_PER_SEC)
#define MAINTENANCE_NS      (2 * 3600 * NSEC_PER_SEC)

#define ALARM_POINTS     8u /* in the grid of noise: how far an alarm looks back */
#define ALARM_NOT_JUDGED UINT8_MAX

/* sensors */

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

/* Can an incident of its pipeline show in it at all? The flow changes everywhere, and with it the friction.
 */
static bool type_is_touched(const struct network_type *type) {
        return type->signal.kind == SIGNAL_FLOW || type->signal.kind == SIGNAL_PRESSURE;
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

/* How long ago a sensor's maintenance began; it lasts MAINTENANCE_NS. */
static uint64_t key_get_maintenance_age_ns(uint64_t key, uint64_t time_ns) {
        return (time_ns + random_scale(random_mix(~key), MAINTENANCE_SLOT_NS)) % MAINTENANCE_SLOT_NS;
}

/* Good sensors differ a little, for life, and with what they measure; below 0.8 is bad. */
static uint16_t key_get_quality_e4(uint64_t key) {
        return (uint16_t) (9600 + random_scale(random_draw(key, COUNTER_QUALITY), 300));
}

static uint16_t quality_good_e4(const struct network_sensor *sensor, int32_t noise) {
        return (uint16_t) (sensor->quality_e4 + (uint32_t) (noise + 6 * NOISE_ONE) * 8 / NOISE_ONE);
}

static uint16_t quality_bad_e4(const struct network_history *history) {
        return (uint16_t) (3000 +
                           random_scale(random_draw(history->key, COUNTER_QUALITY) ^ history->incident.id,
                                           4500));
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

/* While a sensor is calm, and its pipeline too: false if it shows something that is not all right. */
static inline bool sensor_read_calm(const struct network *network, const struct network_sensor *sensor,
                const struct network_pipeline *pipeline, uint64_t sequence, uint64_t time_ns,
                struct i4_record *record) {
        const struct network_type *type = &network->types[sensor->type];
        int32_t noise = sensor_get_noise(sensor, type, time_ns);
        int32_t value_e2 = signal_add_up(
                        &type->signal, &sensor->own, &pipeline->shared[type->signal.kind], noise);

        if (unlikely(!alarm_is_quiet(&type->quiet, value_e2)))
                return false;

        record_fill(record, sensor, sequence, time_ns, value_e2, noise);
        return true;
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

/* The long way. Inlined, it would take the registers of the short one. */
__attribute__((noinline)) static void sensor_read(struct network *network, struct network_sensor *sensor,
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

static void network_generate(struct model *model, uint64_t step, uint64_t sequence, struct timeline *timeline,
                struct i4_record *records, size_t n) {
        struct network *network = (struct network *) model;
        struct network_sensor *end = network->sensors + network->n_sensors;
        struct network_sensor *sensor = network->sensors + step % network->n_sensors;
        /* A copy stays in registers: the records might, for all the compiler knows, overlap the original. */
        struct timeline local = *timeline;

        for (size_t i = 0; i < n; ++i) {
                const struct network_pipeline *pipeline = &network->pipelines[sensor->pipeline];
                uint64_t time_ns = timeline_next(&local);

                if (unlikely(time_ns - sensor->calm_from_ns >= sensor->calm_span_ns ||
                                    time_ns - pipeline->calm_from_ns >= pipeline->calm_span_ns ||
                                    !sensor_read_calm(network, sensor, pipeline, sequence + i * local.stride,
                                                    time_ns, &records[i])))
                        sensor_read(network, sensor, sequence + i * local.stride, time_ns, &records[i]);

                sensor += local.stride;
                if (unlikely(sensor >= end))
                        sensor -= network->n_sensors;
        }

        *timeline = local;
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
                (void) pipeline_look_up(network, scenario, &network->pipelines[record->pipeline],
                                record->time_ns / NSEC_PER_SEC * NSEC_PER_SEC, &entry->incident);
        } else {
                entry->target = record->sensor;
                (void) hazard_find_sensor(&network->hazard, scenario, record->sensor,
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
                                                        .mile_post_e2 = sensor->mile_post_e2,
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

        for (uint32_t i = 0; i < network->n_pipelines; ++i)
                pipeline_forget(&network->pipelines[i]);
        for (uint32_t i = 0; i < network->n_sensors; ++i)
                network->histories[i].incident_span_ns = network->sensors[i].calm_span_ns = 0;
}

/* life cycle */

static struct model *network_free(struct model *model) {
        struct network *network = (struct network *) model;

        plant_free(network->plant);
        scenario_free(network->scenario);
        free(network->histories);
        free(network->sensors);
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
                        .step_ns = step_ns,
                        .inverse_q80 = (uint64_t) (((unsigned __int128) 1 << 80) / step_ns),
                        .limits = network->plant->types[i].limits,
                        .quiet = alarm_get_quiet(&network->plant->types[i].limits),
                };
                signal_type_init(&network->types[i].signal, kind, type->minimum_e2, type->maximum_e2);
        }
}

static uint32_t network_count_touched(const struct network *network, uint32_t n_types) {
        uint32_t n = 0;

        for (uint32_t i = 0; i < n_types; ++i)
                n += type_is_touched(&network->types[i]);
        return n;
}

static void network_set_pipelines(struct network *network, uint32_t n_pipelines) {
        network->n_pipelines = n_pipelines;
        for (uint32_t i = 0; i < n_pipelines; ++i)
                pipeline_init(&network->pipelines[i], &network->plant->pipelines[i],
                                random_derive(network->seed ^ KEY_PIPELINES, i));
}

static uint32_t sensor_get_mile_post_e2(const struct network *network, const struct fleet_sensor *sensor,
                const struct plant_pipeline *pipeline) {
        if (network->plant->types[sensor->type].site == PLANT_STATION)
                return pipeline->stations_e2[fleet_get_mile_post_e2(
                                sensor->number, pipeline->n_stations - 1)];

        return fleet_get_mile_post_e2(sensor->number, pipeline->length_e2);
}

static struct network_sensor sensor_make(
                const struct network *network, const struct fleet_sensor *from, uint64_t key) {
        const struct plant_pipeline *pipeline = &network->plant->pipelines[from->pipeline];
        uint32_t mile_post_e2 = sensor_get_mile_post_e2(network, from, pipeline);
        struct plant_way_point place = plant_pipeline_locate(pipeline, mile_post_e2);

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

static int network_set_sensors(struct network *network, uint64_t seed, const struct i4_catalog *catalog) {
        _cleanup_(freep) struct fleet_sensor *fleet = NULL;
        uint32_t n = catalog->n_sensors;

        fleet = calloc(n, sizeof(*fleet));
        network->sensors = aligned_alloc(alignof(struct network_sensor), n * sizeof(*network->sensors));
        network->histories = aligned_alloc(alignof(struct network_history), n * sizeof(*network->histories));
        if (!fleet || !network->sensors || !network->histories)
                return -ENOMEM;

        fleet_lay_out(catalog, fleet);
        network->n_sensors = n;
        for (uint32_t i = 0; i < n; ++i) {
                uint64_t key = random_derive(seed, fleet[i].number);

                network->sensors[i] = sensor_make(network, &fleet[i], key);
                network->histories[i] = (struct network_history){ .key = key };
        }
        return 0;
}

int network_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog) {
        _cleanup_(network_freep) struct network *network = NULL;
        int r;

        network = calloc(1, sizeof(*network));
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
        network_set_types(network, catalog);
        hazard_init(&network->hazard, settings, network_count_touched(network, catalog->n_types),
                        catalog->n_types);
        network_set_pipelines(network, catalog->n_pipelines);
        r = network_set_sensors(network, settings->seed, catalog);
        if (r < 0)
                return r;

        *modelp = &TAKE_PTR(network)->model;
        return 0;
}
