/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The air around a place, by time
 *
 * The yearly mean falls by about 1.6 °F with each degree of latitude, which is what lies between the climate
 * normals of Houston (70 °F at 29.8° north) and Williston (41 °F at 48.1°). The year swings by 20 °F around
 * it, coldest in the middle of January, the day by 11 °F, warmest three hours after the sun's noon.
 */

#include <stdint.h>

/* One turn of a sine in 65536 steps of phase, -65536 … 65536; within 0.2 % of the true one, by the rational
 * approximation of Bhaskara I (7th century), in integers. */
int32_t weather_sine_q16(uint32_t phase_q16);

/* Where the day stands at a longitude, by the sun: 0 midnight, 32768 noon. */
uint32_t weather_get_day_q16(uint64_t time_ns, int32_t longitude_e6);

/* hundredths of °F */
int32_t weather_get_season_e2(uint64_t time_ns, int32_t latitude_e6);
/* How far from the season's mean the hour is, @lag_ns late. */
int32_t weather_get_daily_e2(uint64_t time_ns, int32_t longitude_e6, uint64_t lag_ns);
