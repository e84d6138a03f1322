/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Interleaved rounds
 *
 * A shared machine changes its speed from one second to the next, so a figure means something only beside a
 * yardstick that ran in the same round. Each contest runs its entries in turn, N_ROUNDS times, and reports
 * medians and the ratio to the first entry. Where $I4_BENCH_SAMPLES names a file, all that was measured is
 * added to it, for tools/bench: a line for each entry, title, name, unit and values, with tabs in between.
 */

#include "util/clock.h"
#include "util/macros.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef BENCH_ROUNDS
#define BENCH_ROUNDS 11u
#endif

struct bench_entry {
        const char *name;
        /* Does the work once; returns how many items it did. */
        uint64_t (*run)(void *userdata);
        void *userdata;
        double ns_per_item[BENCH_ROUNDS];
        /* Around each run and not in its time; NULL: nothing. */
        void (*begin)(void *userdata);
        void (*end)(void *userdata, size_t round);
};

static inline void bench_note(
                const char *title, const char *name, const char *unit, const double *values, size_t n) {
        const char *path = getenv("I4_BENCH_SAMPLES");
        FILE *file;

        if (!path)
                return;
        file = fopen(path, "ae");
        if (!file) {
                perror(path);
                exit(EXIT_FAILURE);
        }

        (void) fprintf(file, "%s\t%s\t%s", title, name, unit);
        for (size_t i = 0; i < n; ++i)
                (void) fprintf(file, "\t%.9g", values[i]);
        (void) fputc('\n', file);
        (void) fclose(file);
}

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
                        uint64_t start, n, duration;

                        if (entries[i].begin)
                                entries[i].begin(entries[i].userdata);
                        start = clock_now_ns(CLOCK_MONOTONIC);
                        n = entries[i].run(entries[i].userdata);
                        duration = clock_now_ns(CLOCK_MONOTONIC) - start;
                        if (entries[i].end)
                                entries[i].end(entries[i].userdata, round);

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
                bench_note(title, entries[i].name, "ns", entries[i].ns_per_item, BENCH_ROUNDS);
        }
}
