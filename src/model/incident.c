/* SPDX-License-Identifier: Apache-2.0 */

#include "model/incident.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

/* A pressure wave in crude oil in a steel pipe runs at about 1,100 m/s (Wylie, Streeter: Fluid Transients in
 * Systems): a hundredth of a mile takes it 14.6 ms. */
#define WAVE_NS_PER_E2 UINT64_C(14630000)

enum incident_draw {
        DRAW_WHETHER,
        DRAW_WHAT,
        DRAW_WHEN,
        DRAW_HOW_LONG,
        DRAW_WHERE,
        DRAW_HOW_STRONG,
        N_DRAWS,
};

/* What does not round goes to the last kind. */
static void odds_set_kinds(
                struct incident_odds *odds, const uint64_t shares_q32[static I4_N_FAULT], uint64_t sum_q32) {
        uint64_t before_q32 = 0;

        for (unsigned int kind = 0; kind < I4_N_FAULT; ++kind) {
                if (shares_q32[kind] == 0)
                        continue;

                before_q32 += shares_q32[kind];
                odds->kinds[odds->n_kinds].kind = (uint8_t) kind;
                odds->kinds[odds->n_kinds].until =
                                (uint64_t) (((unsigned __int128) before_q32 << 32) / sum_q32);
                ++odds->n_kinds;
        }
}

struct incident_odds incident_odds_make(
                const uint64_t shares_q32[static I4_N_FAULT], uint64_t slot_ns, uint64_t usual_ns) {
        struct incident_odds odds = { .probability = UINT64_C(1) << 32, .duration_ns = usual_ns };
        uint64_t sum_q32 = 0, longest_ns;

        for (size_t kind = 0; kind < I4_N_FAULT; ++kind)
                sum_q32 += shares_q32[kind];

        /* How long an incident would have to last if there was one in each slot. */
        longest_ns = (uint64_t) (((unsigned __int128) slot_ns * MIN(sum_q32, UINT64_C(1) << 32)) >> 32);
        if (longest_ns > usual_ns)
                odds.duration_ns = longest_ns;
        else
                odds.probability = (uint64_t) (((unsigned __int128) longest_ns << 32) / usual_ns);

        odds_set_kinds(&odds, shares_q32, sum_q32);
        return odds;
}

static uint8_t odds_draw_kind(const struct incident_odds *odds, uint64_t draw) {
        uint32_t i = 0;

        while (i + 1 < odds->n_kinds && draw >> 32 >= odds->kinds[i].until)
                ++i;

        return odds->kinds[i].kind;
}

/* @reserve_ns: how much earlier than its slot an incident has to end, so that its last trace does not outlive
 * it. */
static void draw(struct incident *incident, const struct incident_odds *odds, uint64_t key, uint64_t slot,
                uint64_t slot_ns, uint64_t reserve_ns) {
        uint64_t base = slot * N_DRAWS, mean_ns = MIN(odds->duration_ns, slot_ns - reserve_ns);
        uint64_t spread_ns, duration_ns;

        *incident = (struct incident){};
        if (random_draw(key, base + DRAW_WHETHER) >> 32 >= odds->probability)
                return;

        /* Between a fifth of the average and nine fifths, as far as the slot allows. */
        spread_ns = MIN(mean_ns * 4 / 5, slot_ns - reserve_ns - mean_ns);
        duration_ns = mean_ns - spread_ns +
                      random_scale(random_draw(key, base + DRAW_HOW_LONG), 2 * spread_ns + 1);

        incident->kind = odds_draw_kind(odds, random_draw(key, base + DRAW_WHAT));
        incident->start_ns = slot * slot_ns + random_scale(random_draw(key, base + DRAW_WHEN),
                                                              slot_ns - reserve_ns - duration_ns + 1);
        incident->end_ns = incident->start_ns + duration_ns;
        incident->strength_q16 = (uint32_t) random_scale(random_draw(key, base + DRAW_HOW_STRONG), 65537);
        incident->is_negative = random_draw(key, base + DRAW_HOW_STRONG) & 1;
        incident->id = (uint32_t) random_mix(key ^ random_mix(slot)) | 1;
}

void incident_draw_pipeline(struct incident *incident, const struct incident_odds *odds, uint64_t key,
                uint64_t slot, uint32_t length_e2) {
        draw(incident, odds, key, slot, INCIDENT_PIPELINE_SLOT_NS,
                        length_e2 * WAVE_NS_PER_E2 + INCIDENT_DEVELOPMENT_NS + INCIDENT_LAG_MAX_NS);
        incident->place_e2 = (uint32_t) random_scale(
                        random_draw(key, slot * N_DRAWS + DRAW_WHERE), (uint64_t) length_e2 + 1);
}

void incident_draw_sensor(
                struct incident *incident, const struct incident_odds *odds, uint64_t key, uint64_t slot) {
        draw(incident, odds, key, slot, INCIDENT_SENSOR_SLOT_NS, 0);
}

uint32_t incident_get_progress_q16(const struct incident *incident, uint32_t mile_post_e2, uint64_t time_ns) {
        uint64_t distance_e2 = mile_post_e2 > incident->place_e2 ? mile_post_e2 - incident->place_e2
                                                                 : incident->place_e2 - mile_post_e2;
        uint64_t delay_ns = distance_e2 * WAVE_NS_PER_E2, start_ns = incident->start_ns + delay_ns;
        uint64_t end_ns = incident->end_ns + delay_ns, rise_ns, fall_ns;

        if (incident->kind == I4_FAULT_NONE || time_ns <= start_ns ||
                        time_ns >= end_ns + INCIDENT_DEVELOPMENT_NS)
                return 0;

        rise_ns = MIN(time_ns - start_ns, INCIDENT_DEVELOPMENT_NS);
        fall_ns = time_ns > end_ns ? INCIDENT_DEVELOPMENT_NS - (time_ns - end_ns) : INCIDENT_DEVELOPMENT_NS;
        return (uint32_t) ((MIN(rise_ns, fall_ns) << 16) / INCIDENT_DEVELOPMENT_NS);
}

uint64_t incident_get_last_ns(const struct incident *incident, uint32_t length_e2) {
        uint32_t farthest_e2 = MAX(incident->place_e2, length_e2 - incident->place_e2);

        return incident->end_ns + farthest_e2 * WAVE_NS_PER_E2 + INCIDENT_DEVELOPMENT_NS +
               INCIDENT_LAG_MAX_NS;
}
