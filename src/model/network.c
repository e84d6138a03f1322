/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A pipeline network
 *
 * The plant exists whether or not it is looked at: what a sensor shows at a moment follows from the seed, the
 * catalog and that moment alone, and a reading is a look. Its value goes through
 *
 *     pipeline   load and weather, and an incident that spreads     network_pipeline.h
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
 * quarter of the instructions of the long way (network_sensor.h), which gives the same bytes and is gone for
 * all the rest.
 */

#include "model/alarm.h"
#include "model/fleet.h"
#include "model/hazard.h"
#include "model/incident.h"
#include "model/model-private.h"
#include "model/network-private.h"
#include "model/noise.h"
#include "model/plant.h"
#include "model/scenario.h"
#include "model/signal.h"
#include "util/clock.h"
#include "util/random.h"

#include <errno.h>
#include <stdalign.h>

/* What is random about pipelines and sensors, apart. */
#define KEY_PIPELINES UINT64_C(0x7069706573000000)

/* the scan */

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

/* @routes become those of the pipelines. */
static void network_set_pipelines(struct network *network, struct plant_route *routes, uint32_t n_pipelines) {
        network->n_pipelines = n_pipelines;
        for (uint32_t i = 0; i < n_pipelines; ++i) {
                plant_route_init(&routes[i], &network->plant->pipelines[i]);
                pipeline_init(&network->pipelines[i], &routes[i],
                                random_derive(network->seed ^ KEY_PIPELINES, i));
        }
}

static int network_set_sensors(struct network *network, const struct plant_route *routes, uint64_t seed,
                const struct i4_catalog *catalog) {
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

                network->sensors[i] = sensor_make(network, &routes[fleet[i].pipeline], &fleet[i], key);
                network->histories[i] = (struct network_history){ .key = key };
        }
        return 0;
}

int network_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog) {
        _cleanup_(network_freep) struct network *network = NULL;
        _cleanup_(freep) struct plant_route *routes = NULL;
        int r;

        network = calloc(1, sizeof(*network));
        routes = calloc(catalog->n_pipelines, sizeof(*routes));
        if (!network || !routes)
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
        network_set_pipelines(network, routes, catalog->n_pipelines);
        r = network_set_sensors(network, routes, settings->seed, catalog);
        if (r < 0)
                return r;

        *modelp = &TAKE_PTR(network)->model;
        return 0;
}
