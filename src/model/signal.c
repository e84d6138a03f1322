/* SPDX-License-Identifier: Apache-2.0 */

#include "model/signal.h"

#include "util/clock.h"
#include "util/random.h"

#include <string.h>

/* Draws that are a sensor's for life. */
#define LIFE_BIAS_COUNTER (UINT64_C(3) << 60)

/* Noise deviates by so much, in a flow by a share of it and in other types by a share of their range. */
#define FLOW_DEVIATION_SHARE  250
#define OTHER_DEVIATION_SHARE 20

#define VALVE_SLOT_NS   (8 * NSEC_PER_HOUR)
#define VALVE_TRAVEL_NS (60 * NSEC_PER_SEC)

static const struct {
        const char *name;
        uint64_t time_constant_ns;
        uint32_t quantum_e2;
        int32_t deviation_e2;
        uint64_t lag_ns; /* behind the pipeline, at the most */
} signal_kinds[] = {
        [SIGNAL_OTHER] = { "", 300 * NSEC_PER_SEC, 1, 0 },
        [SIGNAL_PRESSURE] = { "pressure", 40 * NSEC_PER_SEC, 5, 300, 2 * NSEC_PER_SEC },
        [SIGNAL_TEMPERATURE] = { "temperature", 900 * NSEC_PER_SEC, 5, 80 },
        [SIGNAL_FLOW] = { "flow_rate", 60 * NSEC_PER_SEC, 50, 0, INCIDENT_LAG_MAX_NS },
        [SIGNAL_VIBRATION] = { "vibration", 20 * NSEC_PER_SEC, 1, 20 },
        [SIGNAL_CORROSION] = { "corrosion", 86400 * NSEC_PER_SEC, 1, 15 },
        [SIGNAL_HUMIDITY] = { "humidity", 1800 * NSEC_PER_SEC, 10, 400 },
        [SIGNAL_GAS] = { "gas_detector", 60 * NSEC_PER_SEC, 10, 300 },
        [SIGNAL_VALVE] = { "valve_position", 300 * NSEC_PER_SEC, 10, 0 },
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

static int64_t type_get_range_e2(const struct signal_type *type) {
        return (int64_t) type->maximum_e2 - type->minimum_e2;
}

void signal_type_init(
                struct signal_type *type, enum signal_kind kind, int32_t minimum_e2, int32_t maximum_e2) {
        uint64_t quantum_e2 = signal_kinds[kind].quantum_e2;

        *type = (struct signal_type){
                .kind = kind,
                .minimum_e2 = minimum_e2,
                .maximum_e2 = maximum_e2,
                .deviation_e2 = signal_kinds[kind].deviation_e2,
                .floor = INT32_MIN,
                .quantum_e2 = quantum_e2,
                .quantum_inverse_q63 = ((UINT64_C(1) << 63) + quantum_e2 - 1) / quantum_e2,
        };

        switch (kind) {
        case SIGNAL_VIBRATION:
                /* The square gives the tail that roughness has and a normal distribution has not. */
                type->square_e2 = 6;
                break;
        case SIGNAL_GAS:
                /* Nothing, now and then a whiff. */
                type->floor = type->ground = NOISE_ONE;
                break;
        case SIGNAL_OTHER:
                type->deviation_e2 = (int32_t) (type_get_range_e2(type) / OTHER_DEVIATION_SHARE);
                break;
        default:
                break;
        }
}

/* Where this sensor stands among its like, -@spread_e2 … @spread_e2. */
static int32_t life_bias_e2(uint64_t key, int64_t spread_e2) {
        return (int32_t) ((int64_t) random_scale(random_draw(key, LIFE_BIAS_COUNTER),
                                          (uint64_t) (2 * spread_e2 + 1)) -
                          spread_e2);
}

uint64_t signal_get_lag_ns(enum signal_kind kind, uint64_t key) {
        uint64_t longest_ns = signal_kinds[kind].lag_ns, shortest_ns = longest_ns / 5;

        /* The key's lower half: what else is a sensor's for life goes by the upper one. */
        return shortest_ns + random_scale(key << 32, longest_ns - shortest_ns + 1);
}

/* By how much the fluid has been warmed by 8 °F where it left a station, and is still here. */
static int32_t heat_e2(const struct hydraulics_place *place) {
        int64_t stretch_e2 = MAX(place->stretch_end_e2 - place->station_e2, 1u);

        return (int32_t) (800 * (stretch_e2 - (place->mile_post_e2 - place->station_e2)) / stretch_e2);
}

/*
 * A valve is told where to be every eight hours: open nine times out of ten, else shut; it travels for a
 * minute.
 */
static uint64_t valve_shift_ns(uint64_t key, uint64_t time_ns) {
        return time_ns + random_scale(random_draw(key, LIFE_BIAS_COUNTER), VALVE_SLOT_NS);
}

int32_t signal_get_valve_e2(uint64_t key, uint64_t time_ns) {
        uint64_t shifted_ns = valve_shift_ns(key, time_ns);
        uint64_t slot = shifted_ns / VALVE_SLOT_NS, into_ns = shifted_ns % VALVE_SLOT_NS;
        int64_t now_e2 = random_draw(key, LIFE_BIAS_COUNTER + slot) % 10 < 9 ? 10000 : 0;
        int64_t before_e2 = random_draw(key, LIFE_BIAS_COUNTER + slot - 1) % 10 < 9 ? 10000 : 0;

        if (into_ns >= VALVE_TRAVEL_NS)
                return (int32_t) now_e2;

        return (int32_t) (before_e2 + (now_e2 - before_e2) * (int64_t) (into_ns >> 10) /
                                                      (int64_t) (VALVE_TRAVEL_NS >> 10));
}

bool signal_get_valve_rest(uint64_t key, uint64_t time_ns, uint64_t *back_nsp, uint64_t *ahead_nsp) {
        uint64_t into_ns = valve_shift_ns(key, time_ns) % VALVE_SLOT_NS;

        if (into_ns < VALVE_TRAVEL_NS)
                return false;

        *back_nsp = into_ns - VALVE_TRAVEL_NS;
        *ahead_nsp = VALVE_SLOT_NS - into_ns;
        return true;
}

struct signal_own signal_get_own(
                const struct signal_type *type, const struct signal_place *place, uint64_t time_ns) {
        struct signal_own own = {};

        switch (type->kind) {
        case SIGNAL_PRESSURE:
                own.resistance_e2 = hydraulics_get_resistance_e2(&place->place);
                break;
        case SIGNAL_TEMPERATURE:
                own.level_e2 = heat_e2(&place->place) + life_bias_e2(place->key, 200);
                break;
        case SIGNAL_VIBRATION:
                /* Machines run in zones A and B of ISO 20816-3, each at its own level, and healthy ones never
                 * leave them. */
                own.level_e2 = 150 + life_bias_e2(place->key, 50);
                break;
        case SIGNAL_CORROSION:
                own.level_e2 = 400 + life_bias_e2(place->key, 250);
                break;
        case SIGNAL_HUMIDITY:
                own.level_e2 = 6000 + life_bias_e2(place->key, 300);
                break;
        case SIGNAL_VALVE:
                own.level_e2 = signal_get_valve_e2(place->key, time_ns);
                break;
        case SIGNAL_OTHER:
                own.level_e2 = (int32_t) (type->minimum_e2 + type_get_range_e2(type) / 2 +
                                          life_bias_e2(place->key,
                                                          type_get_range_e2(type) / OTHER_DEVIATION_SHARE));
                break;
        default:
                break;
        }

        return own;
}

struct signal_shared signal_get_shared(
                enum signal_kind kind, const struct signal_surroundings *surroundings) {
        const struct hydraulics *hydraulics = &surroundings->hydraulics;
        struct signal_shared shared = { .least_e2 = INT32_MIN };

        switch (kind) {
        case SIGNAL_PRESSURE:
                shared.level_e2 = HYDRAULICS_DISCHARGE_E2;
                shared.least_e2 = HYDRAULICS_SUCTION_E2;
                shared.load_square_q16 = hydraulics_get_load_square_q16(hydraulics);
                break;
        case SIGNAL_FLOW:
                shared.level_e2 = hydraulics_get_calm_flow_e2(hydraulics);
                shared.deviation_e2 = (int32_t) (shared.level_e2 / FLOW_DEVIATION_SHARE);
                break;
        case SIGNAL_TEMPERATURE:
                /* Crude is pumped at some 70 °F and follows the season by less than half, the day by little.
                 */
                shared.level_e2 = 7000 + (surroundings->season_e2 - 6000) * 2 / 5 +
                                  surroundings->daily_fluid_e2;
                break;
        case SIGNAL_HUMIDITY:
                /* Warm air holds more water: for the same water, relative humidity falls by about 1.5 % a °F.
                 */
                shared.level_e2 = -(surroundings->daily_e2 * 3 / 2);
                break;
        default:
                break;
        }

        return shared;
}

int32_t signal_get_e2(const struct signal_type *type, const struct signal_place *place,
                const struct signal_surroundings *surroundings, int32_t noise) {
        const struct hydraulics *hydraulics = &surroundings->hydraulics;
        struct signal_own own = signal_get_own(type, place, hydraulics->time_ns);
        struct signal_shared shared = signal_get_shared(type->kind, surroundings);

        /* Where something may have reached this place and not others. */
        if (type->kind == SIGNAL_PRESSURE) {
                shared.level_e2 = hydraulics_get_pressure_e2(hydraulics, &place->place);
                own.resistance_e2 = 0;
        } else if (type->kind == SIGNAL_FLOW) {
                shared.level_e2 = hydraulics_get_flow_e2(hydraulics, &place->place);
                shared.deviation_e2 = (int32_t) (shared.level_e2 / FLOW_DEVIATION_SHARE);
        }

        return signal_add_up(type, &own, &shared, noise);
}
