/* SPDX-License-Identifier: Apache-2.0 */

#include "model/fault.h"

#include "model/noise.h"
#include "util/macros.h"
#include "util/random.h"

static int32_t clamp(int64_t value_e2) {
        return (int32_t) MIN(MAX(value_e2, (int64_t) INT32_MIN), (int64_t) INT32_MAX);
}

static uint64_t key_draw_chance(uint64_t key, uint64_t time_ns) {
        return random_mix(key ^ random_mix(time_ns));
}

bool fault_shows(const struct incident *incident, uint64_t key, uint64_t time_ns) {
        if (time_ns < incident->start_ns || time_ns >= incident->end_ns)
                return false;

        return incident->kind != I4_FAULT_SPIKE || key_draw_chance(key, time_ns) % FAULT_SPIKE_ODDS == 0;
}

/* Sizes are shares of the range of the type, by the strength of the incident from half to whole. */
struct observation fault_apply(const struct incident *incident, uint64_t key, int32_t held_e2,
                const struct signal_type *type, uint64_t time_ns, int32_t value_e2) {
        int64_t range_e2 = (int64_t) type->maximum_e2 - type->minimum_e2;
        int64_t size_e2 = (range_e2 * (32768 + incident->strength_q16 / 2)) >> 16;
        uint64_t chance = key_draw_chance(key, time_ns);
        struct observation result = { .fault = (enum i4_fault) incident->kind, .event = incident->id };
        int64_t value = value_e2, into_ns = (int64_t) (time_ns - incident->start_ns);

        if (incident->is_negative)
                size_e2 = -size_e2;

        switch (incident->kind) {
        case I4_FAULT_SPIKE:
                value += size_e2 * 2 / 5;
                break;
        case I4_FAULT_STUCK:
                value = held_e2;
                break;
        case I4_FAULT_DRIFT:
                /* In steps of a millisecond; a drift may be shorter. */
                value += size_e2 / 4 * (into_ns >> 20) /
                         (int64_t) (((incident->end_ns - incident->start_ns) >> 20) + 1);
                break;
        case I4_FAULT_OFFSET:
                value += size_e2 / 8;
                break;
        case I4_FAULT_NOISE:
                value += (size_e2 / 12) * noise_draw_normal(chance, 0) / NOISE_ONE;
                result.is_bad = true;
                break;
        case I4_FAULT_DROPOUT:
                value = type->minimum_e2;
                result.is_bad = true;
                break;
        case I4_FAULT_CLIPPING:
                value = MIN(value, (int64_t) held_e2);
                break;
        default:
                value = type->maximum_e2 + 1 + (int64_t) random_scale(chance, (uint64_t) range_e2 / 5 + 1);
                result.is_bad = true;
                result.value_e2 = clamp(value);
                return result;
        }

        result.value_e2 = clamp(MIN(MAX(value, (int64_t) type->minimum_e2), (int64_t) type->maximum_e2));
        return result;
}
