/* SPDX-License-Identifier: Apache-2.0 */

#include "model/network_pipeline.h"

#include "model/hazard.h"
#include "model/network-private.h"
#include "model/weather.h"
#include "util/random.h"

#define KEY_LOAD      1u
#define KEY_INCIDENTS 2u

#define LOAD_TIME_CONSTANT_NS (7200 * NSEC_PER_SEC)
#define FLUID_LAG_NS          (3 * 3600 * NSEC_PER_SEC)

void pipeline_forget(struct network_pipeline *pipeline) {
        pipeline->incident_span_ns = pipeline->calm_span_ns = 0;
        for (size_t i = 0; i < ELEMENTSOF(pipeline->moments); ++i)
                pipeline->moments[i].second = UINT64_MAX;
}

void pipeline_init(struct network_pipeline *pipeline, const struct plant_route *route, uint64_t key) {
        pipeline->plant = route->pipeline;
        pipeline_forget(pipeline);
        pipeline->incident_key = random_derive(key, KEY_INCIDENTS);
        pipeline->middle = plant_route_locate(route, route->pipeline->length_e2 / 2);
        noise_series_init(&pipeline->load, random_derive(key, KEY_LOAD), LOAD_TIME_CONSTANT_NS);
}

/* More in the evening, less before dawn; plus what nobody planned. */
static uint32_t load_get_q16(struct network *network, struct network_pipeline *pipeline, uint64_t time_ns) {
        uint32_t day = weather_get_day_q16(time_ns, pipeline->middle.longitude_e6);
        int32_t noise = noise_series_get(&pipeline->load, &network->bridge, time_ns);

        /* Lowest at 4 in the morning, six hours before the sine's zero. */
        return (uint32_t) (65536 + weather_sine_q16(day - 65536 * 10 / 24) / 16 + noise / 25);
}

struct scenario_span pipeline_look_up(const struct network *network, const struct scenario *scenario,
                const struct network_pipeline *pipeline, uint64_t time_ns, struct incident *incident) {
        return hazard_find_pipeline(&network->hazard, scenario, (uint32_t) (pipeline - network->pipelines),
                        pipeline->incident_key, pipeline->plant->length_e2, time_ns, incident);
}

static void pipeline_find_incident(
                struct network *network, struct network_pipeline *pipeline, uint64_t time_ns) {
        struct scenario_span span =
                        pipeline_look_up(network, network->scenario, pipeline, time_ns, &pipeline->incident);

        pipeline->incident_from_ns = span.from_ns;
        pipeline->incident_span_ns = span.until_ns - span.from_ns;
}

void pipeline_update(struct network *network, struct network_pipeline *pipeline,
                struct network_moment *moment, uint64_t second) {
        uint64_t time_ns = second * NSEC_PER_SEC;
        int32_t longitude_e6 = pipeline->middle.longitude_e6;

        if (time_ns - pipeline->incident_from_ns >= pipeline->incident_span_ns)
                pipeline_find_incident(network, pipeline, time_ns);
        moment->second = second;
        moment->incident = pipeline->incident;
        moment->surroundings = (struct signal_surroundings){
                .hydraulics = {
                        .pipeline = pipeline->plant,
                        .incident = &moment->incident,
                        .time_ns = time_ns,
                        .load_q16 = load_get_q16(network, pipeline, time_ns),
                },
                .season_e2 = weather_get_season_e2(time_ns, pipeline->middle.latitude_e6),
                .daily_e2 = weather_get_daily_e2(time_ns, longitude_e6, 0),
                .daily_fluid_e2 = weather_get_daily_e2(time_ns, longitude_e6, FLUID_LAG_NS) * 3 / 10,
        };
}

void pipeline_share(struct network *network, struct network_pipeline *pipeline, uint64_t time_ns) {
        const struct network_moment *moment = pipeline_look(network, pipeline, time_ns);
        const struct incident *incident = &moment->incident;
        uint64_t second_ns = moment->second * NSEC_PER_SEC;

        if (incident->kind != I4_FAULT_NONE && second_ns > incident->start_ns &&
                        second_ns < incident_get_last_ns(incident, pipeline->plant->length_e2))
                return;

        for (unsigned int i = 0; i < N_SIGNAL_KINDS; ++i)
                pipeline->shared[i] = signal_get_shared((enum signal_kind) i, &moment->surroundings);
        pipeline->calm_from_ns = second_ns;
        pipeline->calm_span_ns = NSEC_PER_SEC;
}
