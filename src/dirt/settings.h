/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How dirty, and in which ways
 *
 * One text says it all, as flags take it: "1%" is a hundredth of all lines, of every kind alike;
 * "null=0.5%,late=2%,skew=1%,rename=10m,seed=7" names the kinds.
 */

#include <stdbool.h>
#include <stdint.h>

enum dirt_kind {
        /* shares of lines; a line has at most one of these */
        DIRT_MISSING,   /* a field is not there */
        DIRT_NULL,      /* a field is null */
        DIRT_TYPE,      /* a field is a number that should be text, or the reverse */
        DIRT_MALFORMED, /* not JSON: a comma, a quote, a colon or a brace is wrong */
        DIRT_TRUNCATED, /* the line ends too early */
        DIRT_DUPLICATE, /* the line comes twice */
        DIRT_LATE,      /* by 10 s to 5 min of the readings' own time */
        DIRT_DISORDER,  /* behind 1 to 16 lines that should follow it */
        DIRT_UNIT,      /* the value in another unit than the line says */
        N_DIRT_DEFECTS,
        /* a share of sensors */
        DIRT_SKEW = N_DIRT_DEFECTS, /* whose clocks are off by 1 s to 1 h, either way */
        /* from a moment on, every line */
        DIRT_RENAME, /* quality_score is called quality */
        DIRT_ADDED,  /* there is a field that nobody has told of: firmware */
        N_DIRT_KINDS,
};

/* "missing" */
const char *dirt_kind_to_string(enum dirt_kind kind);

struct dirt_moment {
        uint64_t ns; /* CLOCK_REALTIME, or since the first record; NSEC_INFINITY: never */
        bool is_relative;
};

struct dirt_settings {
        uint32_t shares_e4[N_DIRT_DEFECTS]; /* hundredths of a percent, at most 10000 in all */
        uint32_t skew_e4;
        struct dirt_moment rename, added;
        uint64_t seed; /* same seed, same records: same dirt */
};

#define DIRT_COMPLAINT_MAX 128

/*
 * -EINVAL or -ERANGE, and @complaint says what is wrong with which part of @text. @settings is written on
 * success only. Without "seed=" it is @seed.
 */
int dirt_settings_parse(struct dirt_settings *settings, const char *text, uint64_t seed,
                char complaint[static DIRT_COMPLAINT_MAX]);
