/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Mean-reverting noise, as a function of time
 *
 * An Ornstein-Uhlenbeck process (Uhlenbeck, Ornstein: On the Theory of the Brownian Motion, Physical Review
 * 36, 1930) of unit variance: what a controlled plant's variables do around their set points. It is realised
 * on a grid of eight points a time constant, and runs straight between two points, as behind the damping of a
 * transmitter.
 *
 * Usually such a process is simulated from one moment to the next, and whoever wants its value has to know
 * its whole past. Here the value at any moment is a pure function of a key and that moment. Every 64th point,
 * eight time constants from the next, is drawn by itself: so far apart the process has forgotten itself but
 * for e^-8, which is taken for nothing. The points between two of those follow by the exact conditional
 * distribution of the process given both where it is and where it will be (the Ornstein-Uhlenbeck bridge). So
 * it costs 64 short steps at most to be anywhere, and one to go on; nothing has to be saved, restored or
 * replayed from the beginning, and a run may be resumed, split or filled in backwards to the same bytes.
 *
 * Values are integers, NOISE_ONE to a standard deviation, and equal on every machine. They stay within ±5
 * standard deviations.
 */

#include <stdint.h>

#define NOISE_ONE          65536
#define NOISE_BLOCK_POINTS 64u
#define NOISE_GRID_SHARE   8u /* points in a time constant */

/* The bridge's coefficients, by the number of steps to the next point that was drawn by itself. */
struct noise_bridge {
        int64_t here_q30[NOISE_BLOCK_POINTS + 1];
        int64_t end_q30[NOISE_BLOCK_POINTS + 1];
        int64_t chance_q30[NOISE_BLOCK_POINTS + 1];
};

void noise_bridge_init(struct noise_bridge *bridge);

/* A standard normal deviate, to within what eight uniform ones add up to: draws 2 @counter and 2 @counter
 * + 1. */
int32_t noise_draw_normal(uint64_t key, uint64_t counter);

/* One step of a walk over the grid, in its order. */
struct noise_walk {
        uint64_t point; /* index of @here */
        int32_t here, next, end;
};

/* To any point of the grid; costs up to NOISE_BLOCK_POINTS steps. */
void noise_walk_seek(
                struct noise_walk *walk, const struct noise_bridge *bridge, uint64_t key, uint64_t point);
/* To the next point. */
void noise_walk_step(struct noise_walk *walk, const struct noise_bridge *bridge, uint64_t key);

/* @fraction_q16 of the way from one point to the next */
static inline int32_t noise_between(int32_t here, int32_t next, uint64_t fraction_q16) {
        int64_t difference = (int64_t) next - here;

        return (int32_t) (here + ((difference * (int64_t) fraction_q16) >> 16));
}

/* The same for few processes that are looked at in any order: whole blocks, two at a time. */
struct noise_series {
        uint64_t key;
        uint64_t step_ns; /* between two points */
        struct {
                uint64_t block; /* UINT64_MAX: none */
                int32_t points[NOISE_BLOCK_POINTS + 1];
        } blocks[2];
};

/* @time_constant_ns: after which the process keeps 1/e of where it was */
void noise_series_init(struct noise_series *series, uint64_t key, uint64_t time_constant_ns);
int32_t noise_series_get(struct noise_series *series, const struct noise_bridge *bridge, uint64_t time_ns);
