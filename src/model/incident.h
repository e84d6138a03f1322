/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What goes wrong, where and when
 *
 * Time is cut into slots, six hours for a pipeline and one for a sensor, and a draw decides what happens in
 * each: nothing, or one incident that begins and ends within it. So the truth about any moment is known
 * without looking at any other. Incidents of pipelines spread from a place with the speed of sound; those of
 * sensors stay with their sensor.
 */

#include "i4.h"

#include <stdbool.h>

#define INCIDENT_PIPELINE_SLOT_NS (UINT64_C(6) * 3600 * 1000000000)
/* A pipeline's takes so long to develop at a place, and to pass. */
#define INCIDENT_DEVELOPMENT_NS   (UINT64_C(60) * 1000000000)
/* What a sensor shows of it comes later than it arrives, by no more than this. */
#define INCIDENT_LAG_MAX_NS       (UINT64_C(5) * 1000000000)
#define INCIDENT_SENSOR_SLOT_NS   (UINT64_C(3600) * 1000000000)

struct incident {
        uint64_t start_ns; /* CLOCK_REALTIME, as all times of a model */
        uint64_t end_ns;
        uint32_t id;           /* a hash, never 0; tells it from others of the same pipeline or sensor */
        uint32_t place_e2;     /* of a pipeline's: mile post */
        uint32_t strength_q16; /* 0 … 65536, of what is usual for its kind */
        uint8_t kind;          /* enum i4_fault; I4_FAULT_NONE: nothing happens in this slot */
        bool is_negative;      /* the direction in which it goes */
};

/* Which share of slots has an incident, of which kind, and how long they last, so that a share of the time is
 * troubled. */
struct incident_odds {
        uint64_t probability; /* of 2^32 */
        uint64_t duration_ns; /* on average */
        struct {
                uint64_t until; /* of 2^32, ascending: a draw below it is of this kind */
                uint8_t kind;
        } kinds[I4_N_FAULT];
        uint32_t n_kinds;
};

/*
 * @shares_q32: of the time, 0 … 2^32 by kind; more than all of the time together is taken for all of it.
 * @usual_ns: how long an incident lasts unless that is too short.
 */
struct incident_odds incident_odds_make(
                const uint64_t shares_q32[static I4_N_FAULT], uint64_t slot_ns, uint64_t usual_ns);

/* @length_e2: hundredths of a mile, the place is on it */
void incident_draw_pipeline(struct incident *incident, const struct incident_odds *odds, uint64_t key,
                uint64_t slot, uint32_t length_e2);
void incident_draw_sensor(
                struct incident *incident, const struct incident_odds *odds, uint64_t key, uint64_t slot);

/* Of a pipeline's: how far it has come at a mile post, 0 … 65536. It arrives with the speed of sound and
 * takes a minute to develop, and as long to pass. */
uint32_t incident_get_progress_q16(const struct incident *incident, uint32_t mile_post_e2, uint64_t time_ns);

/* When no trace of it is left on a pipeline of that length. */
uint64_t incident_get_last_ns(const struct incident *incident, uint32_t length_e2);
