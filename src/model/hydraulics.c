/* SPDX-License-Identifier: Apache-2.0 */

#include "model/hydraulics.h"

#include "util/macros.h"

#define Q16_ONE 65536

/* What friction takes on a mile at design load: crude oil lines lose some 5 to 20 psi. */
#define GRADIENT_E2 900

/* What an incident of full strength does; one of none does a quarter of that, and a leak a fifth. */
#define LEAK_SHARE_Q16     6554  /* a tenth of the flow */
#define BLOCKAGE_SHARE_Q16 19661 /* three tenths */
#define TRIP_SHARE_Q16     16384
#define CLOSURE_SHARE_Q16  62259 /* 95 % */
#define BLOCKAGE_E2        30000
#define CLOSURE_E2         35000
#define TRIP_E2            40000

static bool is_on_stretch(const struct incident *incident, const struct hydraulics_place *place) {
        return incident->place_e2 >= place->station_e2 && incident->place_e2 < place->stretch_end_e2;
}

static int64_t scale_q16(int64_t value, int64_t q16) {
        return value * q16 >> 16;
}

uint32_t hydraulics_get_progress_q16(
                const struct hydraulics *hydraulics, const struct hydraulics_place *place) {
        return incident_get_progress_q16(
                        hydraulics->incident, place->mile_post_e2, hydraulics->time_ns - place->lag_ns);
}

/* How much of @whole the incident takes here and now. */
static int64_t share_of(
                const struct hydraulics *hydraulics, int64_t whole, const struct hydraulics_place *place) {
        int64_t strength = Q16_ONE / 4 + (int64_t) hydraulics->incident->strength_q16 * 3 / 4;

        return scale_q16(scale_q16(whole, strength), hydraulics_get_progress_q16(hydraulics, place));
}

/*
 * Of the design flow. What a leak takes is missing behind it; half of it is made good by the pumps before it,
 * which meet less resistance.
 */
static int64_t load_at(const struct hydraulics *hydraulics, const struct hydraulics_place *place) {
        int64_t load = hydraulics->load_q16;

        switch (hydraulics->incident->kind) {
        case I4_FAULT_LEAK: {
                int64_t leak = share_of(hydraulics, LEAK_SHARE_Q16, place);

                load += scale_q16(load,
                                place->mile_post_e2 < hydraulics->incident->place_e2 ? leak / 2 : -leak / 2);
                break;
        }
        case I4_FAULT_BLOCKAGE:
                load -= scale_q16(load, share_of(hydraulics, BLOCKAGE_SHARE_Q16, place));
                break;
        case I4_FAULT_PUMP_TRIP:
                load -= scale_q16(load, share_of(hydraulics, TRIP_SHARE_Q16, place));
                break;
        case I4_FAULT_VALVE_CLOSURE:
                load -= scale_q16(load, share_of(hydraulics, CLOSURE_SHARE_Q16, place));
                break;
        default:
                break;
        }

        return load;
}

int64_t hydraulics_get_flow_e2(const struct hydraulics *hydraulics, const struct hydraulics_place *place) {
        return scale_q16(hydraulics->pipeline->flow_e2, load_at(hydraulics, place));
}

int64_t hydraulics_get_calm_flow_e2(const struct hydraulics *hydraulics) {
        return scale_q16(hydraulics->pipeline->flow_e2, hydraulics->load_q16);
}

static int64_t resistance_e2(uint32_t distance_e2) {
        return (int64_t) GRADIENT_E2 * distance_e2 / 100;
}

static int64_t friction_e2(int64_t load_q16, uint32_t distance_e2) {
        return scale_q16(resistance_e2(distance_e2), scale_q16(load_q16, load_q16));
}

int32_t hydraulics_get_resistance_e2(const struct hydraulics_place *place) {
        return (int32_t) resistance_e2(place->mile_post_e2 - place->station_e2);
}

uint32_t hydraulics_get_load_square_q16(const struct hydraulics *hydraulics) {
        return (uint32_t) scale_q16(hydraulics->load_q16, hydraulics->load_q16);
}

/* The gradient kinks where the flow changes. */
static int64_t drop_e2(const struct hydraulics *hydraulics, const struct hydraulics_place *place) {
        const struct incident *incident = hydraulics->incident;
        int64_t here = load_at(hydraulics, place), before;

        /* Nothing has arrived: nothing may show, not even a sum that is rounded another way. */
        if (here == hydraulics->load_q16 || incident->kind != I4_FAULT_LEAK ||
                        !is_on_stretch(incident, place) || place->mile_post_e2 <= incident->place_e2)
                return friction_e2(here, place->mile_post_e2 - place->station_e2);

        before = 2 * (int64_t) hydraulics->load_q16 - here;
        return friction_e2(before, incident->place_e2 - place->station_e2) +
               friction_e2(here, place->mile_post_e2 - incident->place_e2);
}

/* What an obstacle adds before it and takes behind it, and a pump that does not run no longer adds. */
static int64_t jump_e2(const struct hydraulics *hydraulics, const struct hydraulics_place *place) {
        const struct incident *incident = hydraulics->incident;
        int64_t whole, jump;

        if (!is_on_stretch(incident, place))
                return 0;

        switch (incident->kind) {
        case I4_FAULT_BLOCKAGE:
                whole = BLOCKAGE_E2;
                break;
        case I4_FAULT_VALVE_CLOSURE:
                whole = CLOSURE_E2;
                break;
        case I4_FAULT_PUMP_TRIP:
                return -share_of(hydraulics, TRIP_E2, place);
        default:
                return 0;
        }

        jump = share_of(hydraulics, whole, place);
        return place->mile_post_e2 < incident->place_e2 ? jump / 2 : -jump;
}

int64_t hydraulics_get_pressure_e2(
                const struct hydraulics *hydraulics, const struct hydraulics_place *place) {
        int64_t pressure_e2 =
                        HYDRAULICS_DISCHARGE_E2 - drop_e2(hydraulics, place) + jump_e2(hydraulics, place);

        return MAX(pressure_e2, HYDRAULICS_SUCTION_E2);
}
