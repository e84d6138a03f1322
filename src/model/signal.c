/* SPDX-License-Identifier: Apache-2.0 */

#include "model/signal.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

#include <string.h>

/* Draws that are a sensor's for life. */
#define LIFE_BIAS_COUNTER (UINT64_C(3) << 60)

static const struct {
        const char *name;
        uint64_t time_constant_ns;
        int32_t quantum_e2;
} signal_kinds[] = {
        [SIGNAL_OTHER] = { "", 300 * NSEC_PER_SEC, 1 },
        [SIGNAL_PRESSURE] = { "pressure", 40 * NSEC_PER_SEC, 5 },
        [SIGNAL_TEMPERATURE] = { "temperature", 900 * NSEC_PER_SEC, 5 },
        [SIGNAL_FLOW] = { "flow_rate", 60 * NSEC_PER_SEC, 50 },
        [SIGNAL_VIBRATION] = { "vibration", 20 * NSEC_PER_SEC, 1 },
        [SIGNAL_CORROSION] = { "corrosion", 86400 * NSEC_PER_SEC, 1 },
        [SIGNAL_HUMIDITY] = { "humidity", 1800 * NSEC_PER_SEC, 10 },
        [SIGNAL_GAS] = { "gas_detector", 60 * NSEC_PER_SEC, 10 },
        [SIGNAL_VALVE] = { "valve_position", 300 * NSEC_PER_SEC, 10 },
};

static_assert(ELEMENTSOF(signal_kinds) == N_SIGNAL_KINDS, "each kind of signal has its constants");

enum signal_kind signal_kind_from_name(const char *type_name) {
        for (unsigned int i = SIGNAL_OTHER + 1; i < N_SIGNAL_KINDS; ++i)
                if (strcmp(signal_kinds[i].name, type_name) == 0)
                        return (enum signal_kind) i;

        return SIGNAL_OTHER;
}

uint64_t signal_get_time_constant_ns(enum signal_kind kind) {
        return signal_kinds[kind].time_constant_ns;
}

static int64_t noise_scale(int32_t noise, int64_t deviation_e2) {
        return noise * deviation_e2 / NOISE_ONE;
}

/* Where this sensor stands among its like, -@spread_e2 … @spread_e2. */
static int64_t life_bias_e2(uint64_t key, int64_t spread_e2) {
        return (int64_t) random_scale(random_draw(key, LIFE_BIAS_COUNTER), (uint64_t) (2 * spread_e2 + 1)) -
               spread_e2;
}

/*
 * Crude is pumped at some 70 °F, follows the season by less than half and the day by little, and has been
 * warmed by 8 °F where it leaves a station, which it loses on the way to the next.
 */
static int64_t temperature_e2(
                const struct signal_place *place, const struct signal_surroundings *around, int32_t noise) {
        const struct hydraulics_place *p = &place->place;
        int64_t stretch_e2 = MAX(p->stretch_end_e2 - p->station_e2, 1u);
        int64_t heat_e2 = 800 * (stretch_e2 - (p->mile_post_e2 - p->station_e2)) / stretch_e2;

        return 7000 + (around->season_e2 - 6000) * 2 / 5 + around->daily_fluid_e2 + heat_e2 +
               life_bias_e2(place->key, 200) + noise_scale(noise, 80);
}

/*
 * Most machines run in zones A and B of ISO 20816-3, each at its own level; the square gives the tail that
 * roughness has and a normal distribution has not.
 */
static int64_t vibration_e2(const struct signal_place *place, int32_t noise) {
        int64_t square = (int64_t) noise * noise / NOISE_ONE;

        return 160 + life_bias_e2(place->key, 60) + noise_scale(noise, 25) + square * 8 / NOISE_ONE;
}

/* Warm air holds more water: for the same water, relative humidity falls by about 1.5 % a °F. */
static int64_t humidity_e2(
                const struct signal_place *place, const struct signal_surroundings *around, int32_t noise) {
        return 6000 + life_bias_e2(place->key, 300) - around->daily_e2 * 3 / 2 + noise_scale(noise, 400);
}

/* Nothing, now and then a whiff. */
static int64_t gas_e2(int32_t noise) {
        return noise > NOISE_ONE ? noise_scale(noise - NOISE_ONE, 300) : 0;
}

/*
 * A valve is told where to be every eight hours: open nine times out of ten, else shut; it travels for a
 * minute.
 */
int32_t signal_get_valve_e2(uint64_t key, uint64_t time_ns) {
        const uint64_t slot_ns = 8 * 3600 * NSEC_PER_SEC, travel_ns = 60 * NSEC_PER_SEC;
        uint64_t shifted_ns = time_ns + random_scale(random_draw(key, LIFE_BIAS_COUNTER), slot_ns);
        uint64_t slot = shifted_ns / slot_ns, into_ns = shifted_ns % slot_ns;
        int64_t now_e2 = random_draw(key, LIFE_BIAS_COUNTER + slot) % 10 < 9 ? 10000 : 0;
        int64_t before_e2 = random_draw(key, LIFE_BIAS_COUNTER + slot - 1) % 10 < 9 ? 10000 : 0;

        if (into_ns >= travel_ns)
                return (int32_t) now_e2;

        return (int32_t) (before_e2 +
                          (now_e2 - before_e2) * (int64_t) (into_ns >> 10) / (int64_t) (travel_ns >> 10));
}

static int64_t other_e2(const struct signal_place *place, int32_t noise) {
        int64_t range_e2 = (int64_t) place->maximum_e2 - place->minimum_e2;

        return place->minimum_e2 + range_e2 / 2 + life_bias_e2(place->key, range_e2 / 20) +
               noise_scale(noise, range_e2 / 20);
}

static int64_t raw_e2(
                const struct signal_place *place, const struct signal_surroundings *around, int32_t noise) {
        int64_t flow_e2;

        switch (place->kind) {
        case SIGNAL_PRESSURE:
                return hydraulics_get_pressure_e2(&around->hydraulics, &place->place) +
                       noise_scale(noise, 300);
        case SIGNAL_FLOW:
                flow_e2 = hydraulics_get_flow_e2(&around->hydraulics, &place->place);
                return flow_e2 + noise_scale(noise, flow_e2 / 250);
        case SIGNAL_TEMPERATURE:
                return temperature_e2(place, around, noise);
        case SIGNAL_VIBRATION:
                return vibration_e2(place, noise);
        case SIGNAL_CORROSION:
                return 400 + life_bias_e2(place->key, 250) + noise_scale(noise, 15);
        case SIGNAL_HUMIDITY:
                return humidity_e2(place, around, noise);
        case SIGNAL_GAS:
                return gas_e2(noise);
        case SIGNAL_VALVE:
                return signal_get_valve_e2(place->key, around->hydraulics.time_ns);
        default:
                return other_e2(place, noise);
        }
}

int32_t signal_get_e2(const struct signal_place *place, const struct signal_surroundings *surroundings,
                int32_t noise) {
        int64_t quantum_e2 = signal_kinds[place->kind].quantum_e2, value_e2;

        value_e2 = raw_e2(place, surroundings, noise);
        value_e2 -= value_e2 % quantum_e2;
        return (int32_t) MIN(MAX(value_e2, (int64_t) place->minimum_e2), (int64_t) place->maximum_e2);
}
