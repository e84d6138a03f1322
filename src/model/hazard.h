/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which incident there is at a moment
 *
 * What is wanted goes before chance, and chance is such that a set share of all readings is anomalous.
 */

#include "model/incident.h"
#include "model/model.h"
#include "model/scenario.h"

struct hazard {
        struct incident_odds pipelines, sensors;
};

/* @n_touched: of the @n_types of sensors, those in which an incident of their pipeline can show */
void hazard_init(struct hazard *hazard, const struct model_settings *settings, uint32_t n_touched,
                uint32_t n_types);

/* What is wrong with a pipeline or a sensor, in the plant's time, and how long nothing else is. @scenario may
 * be NULL. */
struct scenario_span hazard_find_pipeline(const struct hazard *hazard, const struct scenario *scenario,
                uint32_t number, uint64_t key, uint32_t length_e2, uint64_t time_ns,
                struct incident *incident);
struct scenario_span hazard_find_sensor(const struct hazard *hazard, const struct scenario *scenario,
                uint32_t number, uint64_t key, uint64_t time_ns, struct incident *incident);
