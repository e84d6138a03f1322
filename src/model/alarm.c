/* SPDX-License-Identifier: Apache-2.0 */

#include "model/alarm.h"

#include "util/macros.h"

static bool is_above(int64_t value_e2, int64_t limit_e2, bool is_raised, int64_t deadband_e2) {
        return limit_e2 != PLANT_NO_HIGH && value_e2 > limit_e2 - (is_raised ? deadband_e2 : 0);
}

static bool is_below(int64_t value_e2, int64_t limit_e2, bool is_raised, int64_t deadband_e2) {
        return limit_e2 != PLANT_NO_LOW && value_e2 < limit_e2 + (is_raised ? deadband_e2 : 0);
}

enum alarm alarm_judge(const struct plant_limits *limits, enum alarm before, int32_t value_e2) {
        bool was_high = before == ALARM_HIGH || before == ALARM_HIGH_HIGH;
        bool was_low = before == ALARM_LOW || before == ALARM_LOW_LOW;

        if (is_above(value_e2, limits->high_high_e2, before == ALARM_HIGH_HIGH, limits->deadband_e2))
                return ALARM_HIGH_HIGH;
        if (is_below(value_e2, limits->low_low_e2, before == ALARM_LOW_LOW, limits->deadband_e2))
                return ALARM_LOW_LOW;
        if (is_above(value_e2, limits->high_e2, was_high, limits->deadband_e2))
                return ALARM_HIGH;
        if (is_below(value_e2, limits->low_e2, was_low, limits->deadband_e2))
                return ALARM_LOW;

        return ALARM_NONE;
}

struct alarm_quiet alarm_get_quiet(const struct plant_limits *limits) {
        int64_t low_e2 = MAX(limits->low_e2, limits->low_low_e2);
        int64_t high_e2 = MIN(limits->high_e2, limits->high_high_e2);
        int64_t from_e2 = low_e2 == PLANT_NO_LOW ? low_e2 : low_e2 + limits->deadband_e2;
        int64_t to_e2 = high_e2 == PLANT_NO_HIGH ? high_e2 : high_e2 - limits->deadband_e2;

        return (struct alarm_quiet){ from_e2, to_e2 < from_e2 ? 0 : (uint64_t) (to_e2 - from_e2) + 1 };
}
