/* SPDX-License-Identifier: Apache-2.0 */

#include "model/incident.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

/* A pressure wave in crude oil in a steel pipe runs at about 1,100 m/s (Wylie, Streeter: Fluid Transients in
 * Systems): a hundredth of a mile takes it 14.6 ms. */
#define WAVE_NS_PER_E2 UINT64_C(14630000)

#define DEVELOPMENT_NS (60 * NSEC_PER_SEC)

enum incident_draw {
        DRAW_WHETHER,
        DRAW_WHAT,
        DRAW_WHEN,
        DRAW_HOW_LONG,
        DRAW_WHERE,
        DRAW_HOW_STRONG,
        N_DRAWS,
};

struct incident_odds incident_odds_make(uint64_t share_q32, uint64_t slot_ns, uint64_t usual_ns) {
        /* How long an incident would have to last if there was one in each slot. */
        uint64_t longest_ns = (uint64_t) (((unsigned __int128) slot_ns * share_q32) >> 32);

        if (longest_ns > usual_ns)
                return (struct incident_odds){ UINT64_C(1) << 32, longest_ns };

        return (struct incident_odds){
                (uint64_t) (((unsigned __int128) longest_ns << 32) / usual_ns),
                usual_ns,
        };
}

/* @reserve_ns: how much earlier than its slot an incident has to end, so that its last trace does not outlive
 * it. */
static void draw(struct incident *incident, const struct incident_odds *odds, uint64_t key, uint64_t slot,
                uint64_t slot_ns, uint64_t reserve_ns, const uint8_t *kinds, size_t n_kinds) {
        uint64_t base = slot * N_DRAWS, mean_ns = MIN(odds->duration_ns, slot_ns - reserve_ns);
        uint64_t spread_ns, duration_ns;

        *incident = (struct incident){};
        if (random_draw(key, base + DRAW_WHETHER) >> 32 >= odds->probability)
                return;

        /* Between a fifth of the average and nine fifths, as far as the slot allows. */
        spread_ns = MIN(mean_ns * 4 / 5, slot_ns - reserve_ns - mean_ns);
        duration_ns = mean_ns - spread_ns +
                      random_scale(random_draw(key, base + DRAW_HOW_LONG), 2 * spread_ns + 1);

        incident->kind = kinds[random_scale(random_draw(key, base + DRAW_WHAT), n_kinds)];
        incident->start_ns = slot * slot_ns + random_scale(random_draw(key, base + DRAW_WHEN),
                                                              slot_ns - reserve_ns - duration_ns + 1);
        incident->end_ns = incident->start_ns + duration_ns;
        incident->strength_q16 = (uint32_t) random_scale(random_draw(key, base + DRAW_HOW_STRONG), 65537);
        incident->is_negative = random_draw(key, base + DRAW_HOW_STRONG) & 1;
        incident->id = (uint32_t) random_mix(key ^ random_mix(slot)) | 1;
}

void incident_draw_pipeline(struct incident *incident, const struct incident_odds *odds, uint64_t key,
                uint64_t slot, uint32_t length_e2) {
        static const uint8_t kinds[] = {
                I4_FAULT_LEAK,
                I4_FAULT_LEAK,
                I4_FAULT_BLOCKAGE,
                I4_FAULT_PUMP_TRIP,
                I4_FAULT_VALVE_CLOSURE,
        };

        draw(incident, odds, key, slot, INCIDENT_PIPELINE_SLOT_NS,
                        length_e2 * WAVE_NS_PER_E2 + DEVELOPMENT_NS, kinds, ELEMENTSOF(kinds));
        incident->place_e2 = (uint32_t) random_scale(
                        random_draw(key, slot * N_DRAWS + DRAW_WHERE), (uint64_t) length_e2 + 1);
}

void incident_draw_sensor(
                struct incident *incident, const struct incident_odds *odds, uint64_t key, uint64_t slot) {
        static const uint8_t kinds[] = {
                I4_FAULT_SPIKE,
                I4_FAULT_STUCK,
                I4_FAULT_DRIFT,
                I4_FAULT_OFFSET,
                I4_FAULT_NOISE,
                I4_FAULT_DROPOUT,
                I4_FAULT_CLIPPING,
                I4_FAULT_OUT_OF_RANGE,
        };

        draw(incident, odds, key, slot, INCIDENT_SENSOR_SLOT_NS, 0, kinds, ELEMENTSOF(kinds));
}

uint32_t incident_get_progress_q16(const struct incident *incident, uint32_t mile_post_e2, uint64_t time_ns) {
        uint64_t distance_e2 = mile_post_e2 > incident->place_e2 ? mile_post_e2 - incident->place_e2
                                                                 : incident->place_e2 - mile_post_e2;
        uint64_t delay_ns = distance_e2 * WAVE_NS_PER_E2, start_ns = incident->start_ns + delay_ns;
        uint64_t end_ns = incident->end_ns + delay_ns, rise_ns, fall_ns;

        if (incident->kind == I4_FAULT_NONE || time_ns <= start_ns || time_ns >= end_ns + DEVELOPMENT_NS)
                return 0;

        rise_ns = MIN(time_ns - start_ns, DEVELOPMENT_NS);
        fall_ns = time_ns > end_ns ? DEVELOPMENT_NS - (time_ns - end_ns) : DEVELOPMENT_NS;
        return (uint32_t) ((MIN(rise_ns, fall_ns) << 16) / DEVELOPMENT_NS);
}

uint64_t incident_get_last_ns(const struct incident *incident, uint32_t length_e2) {
        uint32_t farthest_e2 = MAX(incident->place_e2, length_e2 - incident->place_e2);

        return incident->end_ns + farthest_e2 * WAVE_NS_PER_E2 + DEVELOPMENT_NS;
}
