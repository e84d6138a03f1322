/* SPDX-License-Identifier: Apache-2.0 */

#include "model/noise.h"

#include "util/macros.h"
#include "util/random.h"

#include <math.h>

/* What a step of an eighth of the time constant keeps: e^(-1/8) */
#define KEEP 0.8824969025845955

/* Counters of points that are drawn by themselves, apart from those of the steps. */
#define ANCHOR_COUNTER (UINT64_C(1) << 62)

static int64_t to_q30(double x) {
        return (int64_t) (x * (1 << 30) + 0.5);
}

/*
 * Given x here and the end r steps ahead, with p = KEEP, the next point is normal with
 *
 *     mean       x p (1 - p^(2(r-1))) / (1 - p^2r)  +  end p^(r-1) (1 - p^2) / (1 - p^2r)
 *     variance   (1 - p^2) (1 - p^(2(r-1))) / (1 - p^2r)
 *
 * as conditioning the joint normal distribution of the three points gives. Only what IEEE 754 rounds
 * correctly is used, and contraction is off for this folder, so the table is the same everywhere.
 */
void noise_bridge_init(struct noise_bridge *bridge) {
        double before = 1, power = KEEP; /* p^(r-1), p^r */

        for (unsigned int r = 1; r <= NOISE_BLOCK_POINTS; ++r) {
                double rest = 1 - before * before, whole = 1 - power * power, step = 1 - KEEP * KEEP;

                bridge->here_q30[r] = to_q30(KEEP * rest / whole);
                bridge->end_q30[r] = to_q30(before * step / whole);
                bridge->chance_q30[r] = to_q30(sqrt(step * rest / whole));
                before = power;
                power *= KEEP;
        }
}

static uint64_t sum_of_quarters(uint64_t x) {
        uint64_t pairs = (x & UINT64_C(0x0000ffff0000ffff)) + (x >> 16 & UINT64_C(0x0000ffff0000ffff));

        return (pairs & UINT32_MAX) + (pairs >> 32);
}

int32_t noise_draw_normal(uint64_t key, uint64_t counter) {
        /* Eight uniform numbers below 2^16 have a mean of 262140 and a variance of 8 (2^32 - 1) / 12. */
        int64_t sum = (int64_t) (sum_of_quarters(random_draw(key, 2 * counter)) +
                                      sum_of_quarters(random_draw(key, 2 * counter + 1))) -
                      262140;

        return (int32_t) ((sum * 80265) >> 16);
}

static int32_t anchor_draw(uint64_t key, uint64_t block) {
        return noise_draw_normal(key, ANCHOR_COUNTER + block);
}

/* The point after @point, which is at @here. */
static int32_t point_after(
                const struct noise_bridge *bridge, uint64_t key, uint64_t point, int32_t here, int32_t end) {
        uint64_t n_left = NOISE_BLOCK_POINTS - point % NOISE_BLOCK_POINTS;

        if (n_left == 1)
                return end;

        return (int32_t) ((bridge->here_q30[n_left] * here + bridge->end_q30[n_left] * end +
                                          bridge->chance_q30[n_left] * noise_draw_normal(key, point)) >>
                          30);
}

void noise_walk_step(struct noise_walk *walk, const struct noise_bridge *bridge, uint64_t key) {
        ++walk->point;
        walk->here = walk->next;
        if (walk->point % NOISE_BLOCK_POINTS == 0)
                walk->end = anchor_draw(key, walk->point / NOISE_BLOCK_POINTS + 1);
        walk->next = point_after(bridge, key, walk->point, walk->here, walk->end);
}

static void walk_begin(
                struct noise_walk *walk, const struct noise_bridge *bridge, uint64_t key, uint64_t block) {
        *walk = (struct noise_walk){
                .point = block * NOISE_BLOCK_POINTS,
                .here = anchor_draw(key, block),
                .end = anchor_draw(key, block + 1),
        };
        walk->next = point_after(bridge, key, walk->point, walk->here, walk->end);
}

void noise_walk_seek(
                struct noise_walk *walk, const struct noise_bridge *bridge, uint64_t key, uint64_t point) {
        walk_begin(walk, bridge, key, point / NOISE_BLOCK_POINTS);
        while (walk->point < point)
                noise_walk_step(walk, bridge, key);
}

void noise_series_init(struct noise_series *series, uint64_t key, uint64_t time_constant_ns) {
        *series = (struct noise_series){ .key = key, .step_ns = time_constant_ns / NOISE_GRID_SHARE };
        for (size_t i = 0; i < ELEMENTSOF(series->blocks); ++i)
                series->blocks[i].block = UINT64_MAX;
}

static const int32_t *series_get_block(
                struct noise_series *series, const struct noise_bridge *bridge, uint64_t block) {
        size_t i = block % ELEMENTSOF(series->blocks);
        struct noise_walk walk;

        if (likely(series->blocks[i].block == block))
                return series->blocks[i].points;

        walk_begin(&walk, bridge, series->key, block);
        for (size_t j = 0; j <= NOISE_BLOCK_POINTS; ++j) {
                series->blocks[i].points[j] = walk.here;
                noise_walk_step(&walk, bridge, series->key);
        }

        series->blocks[i].block = block;
        return series->blocks[i].points;
}

int32_t noise_series_get(struct noise_series *series, const struct noise_bridge *bridge, uint64_t time_ns) {
        uint64_t point = time_ns / series->step_ns, rest_ns = time_ns % series->step_ns;
        const int32_t *points = series_get_block(series, bridge, point / NOISE_BLOCK_POINTS) +
                                point % NOISE_BLOCK_POINTS;

        return noise_between(points[0], points[1], (rest_ns << 16) / series->step_ns);
}
