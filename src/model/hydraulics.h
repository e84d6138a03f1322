/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Flow and pressure along a pipeline
 *
 * One phase, level ground, and slow enough that every moment is a steady state: what goes in comes out, but
 * for a leak. From a station the pressure falls with distance and with the square of the flow (Darcy and
 * Weisbach), and the next station brings it back to the set point. An incident changes both; it reaches a
 * place with the speed of sound. Stations hold their discharge pressure, so a kink or a jump is seen on the
 * stretch between two stations only; the flow, and with it the friction, changes on all of the pipeline.
 */

#include "model/incident.h"
#include "model/plant.h"

struct hydraulics {
        const struct plant_pipeline *pipeline;
        const struct incident *incident;
        uint64_t time_ns;
        uint32_t load_q16; /* of the design flow, without the incident */
};

/*
 * Where a sensor is, as far as hydraulics are concerned, and how late it is. A lag of first order follows a
 * ramp that is long against it at the distance of its time constant: so here it is a delay.
 */
struct hydraulics_place {
        uint32_t mile_post_e2;
        uint32_t station_e2;     /* the last station before it */
        uint32_t stretch_end_e2; /* the next one, or the end */
        uint64_t lag_ns;         /* INCIDENT_LAG_MAX_NS at most */
};

/* How far the incident has come in what a sensor there shows, 0 … 65536. */
uint32_t hydraulics_get_progress_q16(
                const struct hydraulics *hydraulics, const struct hydraulics_place *place);

/* Discharge pressure of a station; what one that does not pump passes on at the least. Crude oil lines run
 * below 1,440 psi (ANSI class 600). */
#define HYDRAULICS_DISCHARGE_E2 110000
#define HYDRAULICS_SUCTION_E2   5000

/* hundredths of a barrel an hour; of a psi */
int64_t hydraulics_get_flow_e2(const struct hydraulics *hydraulics, const struct hydraulics_place *place);
int64_t hydraulics_get_pressure_e2(const struct hydraulics *hydraulics, const struct hydraulics_place *place);

/*
 * The same as long as no incident reaches the place. The flow is that of all of the pipeline. The pressure is
 * what the discharge has left after a product: what friction takes between the last station and the place at
 * design load, which is the place's for ever, by the square of the load, which is the pipeline's.
 */
int64_t hydraulics_get_calm_flow_e2(const struct hydraulics *hydraulics);
int32_t hydraulics_get_resistance_e2(const struct hydraulics_place *place);
uint32_t hydraulics_get_load_square_q16(const struct hydraulics *hydraulics);
