/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Interleaved rounds
 *
 * A shared machine changes its speed from one second to the next, so a figure means something only beside a
 * yardstick that ran in the same round. Each contest runs its entries in turn, N_ROUNDS times, and reports
 * medians and the ratio to the first entry.
 */

#include "util/clock.h"
#include "util/macros.h"

#include <stdio.h>
#include <stdlib.h>

#define BENCH_ROUNDS 11u

struct bench_entry {
        const char *name;
        /* Does the work once; returns how many items it did. */
        uint64_t (*run)(void *userdata);
        void *userdata;
        double ns_per_item[BENCH_ROUNDS];
};

static inline int bench_compare(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static inline double bench_median(const double *values, size_t n) {
        double sorted[BENCH_ROUNDS];

        for (size_t i = 0; i < n; ++i)
                sorted[i] = values[i];
        qsort(sorted, n, sizeof(*sorted), bench_compare);
        return sorted[n / 2];
}

static inline void bench_run(struct bench_entry *entries, size_t n_entries) {
        for (size_t round = 0; round <= BENCH_ROUNDS; ++round)
                for (size_t i = 0; i < n_entries; ++i) {
                        uint64_t start = clock_now_ns(CLOCK_MONOTONIC);
                        uint64_t n = entries[i].run(entries[i].userdata);
                        uint64_t duration = clock_now_ns(CLOCK_MONOTONIC) - start;

                        /* The first round warms up. */
                        if (round > 0)
                                entries[i].ns_per_item[round - 1] = (double) duration / (double) n;
                }
}

/* One row an entry: median ns an item, millions a second, and ratio to the first entry, round by round. */
static inline void bench_print(const char *title, const struct bench_entry *entries, size_t n_entries) {
        printf("%-44s %10s %10s %8s\n", title, "ns/item", "M items/s", "ratio");
        for (size_t i = 0; i < n_entries; ++i) {
                double ratios[BENCH_ROUNDS], median = bench_median(entries[i].ns_per_item, BENCH_ROUNDS);

                for (size_t j = 0; j < BENCH_ROUNDS; ++j)
                        ratios[j] = entries[i].ns_per_item[j] / entries[0].ns_per_item[j];
                printf("  %-42s %10.2f %10.1f %8.2f\n", entries[i].name, median, 1e3 / median,
                                bench_median(ratios, BENCH_ROUNDS));
        }
}
