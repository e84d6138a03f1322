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

/* Where a sensor is, as far as hydraulics are concerned. */
struct hydraulics_place {
        uint32_t mile_post_e2;
        uint32_t station_e2;     /* the last station before it */
        uint32_t stretch_end_e2; /* the next one, or the end */
};

/* hundredths of a barrel an hour; of a psi */
int64_t hydraulics_get_flow_e2(const struct hydraulics *hydraulics, const struct hydraulics_place *place);
int64_t hydraulics_get_pressure_e2(const struct hydraulics *hydraulics, const struct hydraulics_place *place);
