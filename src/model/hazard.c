/* SPDX-License-Identifier: Apache-2.0 */

#include "model/hazard.h"

#include "model/fault.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

#define PIPELINE_INCIDENT_NS (45 * NSEC_PER_MIN)
#define SENSOR_INCIDENT_NS   (10 * NSEC_PER_MIN)

/* Of all readings, those that a kind is to have. */
static uint64_t settings_get_share_q32(
                const struct model_settings *settings, const struct mix *mix, size_t kind) {
        return (uint64_t) (((unsigned __int128) settings->anomalies_e4 * mix->weights[kind] << 32) /
                           (10000 * mix_get_sum(mix)));
}

/* A sensor in trouble shows it in each reading, but for spikes. */
static void hazard_set_sensors(
                struct hazard *hazard, const struct model_settings *settings, const struct mix *mix) {
        uint64_t shares_q32[I4_N_FAULT] = {};

        for (size_t kind = 0; kind < I4_FAULT_LEAK; ++kind)
                shares_q32[kind] = settings_get_share_q32(settings, mix, kind) *
                                   (kind == I4_FAULT_SPIKE ? FAULT_SPIKE_ODDS : 1);

        hazard->sensors = incident_odds_make(shares_q32, INCIDENT_SENSOR_SLOT_NS, SENSOR_INCIDENT_NS);
}

/*
 * A pipeline in trouble shows it to sensors of some types only, and only where they do not have a trouble of
 * their own; so it has to be in trouble for longer. At a place it ends later than where it began.
 */
static void hazard_set_pipelines(struct hazard *hazard, const struct model_settings *settings,
                const struct mix *mix, uint32_t n_touched, uint32_t n_types) {
        uint64_t shares_q32[I4_N_FAULT] = {}, seen_q32 = UINT64_C(1) << 32;

        for (size_t kind = 0; kind < I4_FAULT_LEAK; ++kind)
                seen_q32 -= settings_get_share_q32(settings, mix, kind);
        seen_q32 = seen_q32 * n_touched / n_types;
        seen_q32 += seen_q32 * (INCIDENT_DEVELOPMENT_NS / NSEC_PER_SEC) /
                    (PIPELINE_INCIDENT_NS / NSEC_PER_SEC);

        for (size_t kind = I4_FAULT_LEAK; kind < I4_N_FAULT && seen_q32 > 0; ++kind) {
                uint64_t share_q32 = settings_get_share_q32(settings, mix, kind);

                shares_q32[kind] = (uint64_t) (((unsigned __int128) share_q32 << 32) / seen_q32);
        }

        hazard->pipelines = incident_odds_make(shares_q32, INCIDENT_PIPELINE_SLOT_NS, PIPELINE_INCIDENT_NS);
}

/* Where no type shows what happens to pipelines, sensors have it all, unless nothing is asked of them. */
static struct mix mix_without_pipelines(const struct mix *mix) {
        struct mix sensors = *mix;

        for (size_t kind = I4_FAULT_LEAK; kind < I4_N_FAULT; ++kind)
                sensors.weights[kind] = 0;

        return mix_get_sum(&sensors) > 0 ? sensors : *mix;
}

void hazard_init(struct hazard *hazard, const struct model_settings *settings, uint32_t n_touched,
                uint32_t n_types) {
        struct mix mix = mix_get_sum(&settings->mix) > 0 ? settings->mix : mix_get_usual();

        if (n_touched == 0)
                mix = mix_without_pipelines(&mix);

        hazard_set_sensors(hazard, settings, &mix);
        hazard_set_pipelines(hazard, settings, &mix, n_touched, n_types);
}

struct scenario_span hazard_find_pipeline(const struct hazard *hazard, const struct scenario *scenario,
                uint32_t number, uint64_t key, uint32_t length_e2, uint64_t time_ns,
                struct incident *incident) {
        uint64_t slot = time_ns / INCIDENT_PIPELINE_SLOT_NS, slot_ns = slot * INCIDENT_PIPELINE_SLOT_NS;
        struct scenario_span span = scenario_find(scenario, true, number, time_ns);

        if (span.incident) {
                *incident = *span.incident;
                return span;
        }

        incident_draw_pipeline(incident, &hazard->pipelines, key, slot, length_e2);
        span.from_ns = MAX(span.from_ns, slot_ns);
        span.until_ns = MIN(span.until_ns, slot_ns + INCIDENT_PIPELINE_SLOT_NS);
        return span;
}

/* Slots of sensors are not in step: by how much a sensor's own time is ahead. */
static uint64_t key_get_incident_phase_ns(uint64_t key) {
        return random_scale(random_mix(key), INCIDENT_SENSOR_SLOT_NS);
}

struct scenario_span hazard_find_sensor(const struct hazard *hazard, const struct scenario *scenario,
                uint32_t number, uint64_t key, uint64_t time_ns, struct incident *incident) {
        uint64_t ahead_ns = key_get_incident_phase_ns(key);
        uint64_t slot = (time_ns + ahead_ns) / INCIDENT_SENSOR_SLOT_NS;
        uint64_t slot_ns = slot * INCIDENT_SENSOR_SLOT_NS - ahead_ns;
        struct scenario_span span = scenario_find(scenario, false, number, time_ns);

        if (span.incident) {
                *incident = *span.incident;
                return span;
        }

        incident_draw_sensor(incident, &hazard->sensors, key, slot);
        incident->start_ns -= ahead_ns;
        incident->end_ns -= ahead_ns;
        span.from_ns = MAX(span.from_ns, slot_ns);
        span.until_ns = MIN(span.until_ns, slot_ns + INCIDENT_SENSOR_SLOT_NS);
        return span;
}
