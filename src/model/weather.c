/* SPDX-License-Identifier: Apache-2.0 */

#include "model/weather.h"

#include "util/clock.h"

#define DAY_NS  (24 * 3600 * NSEC_PER_SEC)
#define YEAR_NS (UINT64_C(31556952) * NSEC_PER_SEC) /* of the Gregorian calendar, on average */

#define COLDEST_DAY 16u
#define WARMEST_NS  (15 * 3600 * NSEC_PER_SEC)

#define MEAN_AT_EQUATOR_E2 11700
#define MEAN_PER_DEGREE_E2 158
#define YEARLY_SWING_E2    2000
#define DAILY_SWING_E2     1100

int32_t weather_sine_q16(uint32_t phase_q16) {
        int64_t x = phase_q16 & 0x7fff, y = x * (0x8000 - x);
        /* 16 x (π - x) / (5 π² - 4 x (π - x)), with π as 2^15 */
        int64_t sine = (16 * y << 16) / (5 * (INT64_C(1) << 30) - 4 * y);

        return (int32_t) (phase_q16 & 0x8000 ? -sine : sine);
}

static uint32_t turn_q16(uint64_t time_ns, uint64_t period_ns) {
        return (uint32_t) ((time_ns % period_ns) / (period_ns >> 16)) & 0xffff;
}

uint32_t weather_get_day_q16(uint64_t time_ns, int32_t longitude_e6) {
        /* 360° are a turn. */
        int64_t longitude_q16 = (int64_t) longitude_e6 * 65536 / 360000000;

        return (turn_q16(time_ns, DAY_NS) + (uint32_t) longitude_q16) & 0xffff;
}

int32_t weather_get_season_e2(uint64_t time_ns, int32_t latitude_e6) {
        int32_t mean_e2 =
                        MEAN_AT_EQUATOR_E2 - (int32_t) ((int64_t) MEAN_PER_DEGREE_E2 * latitude_e6 / 1000000);
        /* A sine is at its lowest after three quarters of a turn. */
        uint32_t phase = turn_q16(time_ns + YEAR_NS - COLDEST_DAY * DAY_NS, YEAR_NS) + 0xc000;

        return mean_e2 + (int32_t) ((int64_t) YEARLY_SWING_E2 * weather_sine_q16(phase) >> 16);
}

int32_t weather_get_daily_e2(uint64_t time_ns, int32_t longitude_e6, uint64_t lag_ns) {
        /* At its highest after a quarter. */
        uint32_t phase = weather_get_day_q16(
                        time_ns + 2 * DAY_NS - WARMEST_NS - lag_ns % DAY_NS, longitude_e6);

        return (int32_t) ((int64_t) DAILY_SWING_E2 * weather_sine_q16(phase + 0x4000) >> 16);
}
