/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Schedule=: a rate that changes with time
 *
 * A list of phases, one after the other, once or over and over. Within each the rate is constant for a second
 * (a ramp of more than an hour: for a 3600th of it; a day's curve: for a minute), so that what is due follows
 * exactly from when the profile began, in integers, on any machine.
 */

#include "util/parse.h"

#include <stdbool.h>
#include <stdint.h>

#define PROFILE_N_PHASES 16u

enum phase_kind {
        PHASE_CONSTANT,
        PHASE_RAMP,  /* from one rate to the other */
        PHASE_DAILY, /* least at 02:00 UTC, most at 14:00 */
};

struct phase {
        enum phase_kind kind;
        struct rate from, to; /* the same of a constant one; of neither is period_ns 0 */
        uint64_t span_ns;     /* NSEC_INFINITY: for good */
};

struct profile {
        struct phase phases[PROFILE_N_PHASES];
        uint32_t n_phases; /* 0: no profile, the rate is constant */
        bool repeats;
};

/*
 * "1000 for 50s, 20000 for 10s, repeat": phases with commas between, each a rate, or two with ".." between
 * for a ramp, or "daily" and two; then "for" and a span, which the last one may lack. Empty text is no
 * profile. -EINVAL, -ERANGE; writes on success only.
 */
int profile_parse(const char *text, struct profile *profile);

/* The text of what profile_parse() made; it gives the same again. Empty for no profile. */
#define PROFILE_TEXT_MAX 2048
const char *profile_format(const struct profile *profile, char text[static PROFILE_TEXT_MAX]);

/* Equal ones have equal numbers; 0: no profile. */
uint64_t profile_get_id(const struct profile *profile);

/*
 * The rate at @time_ns of a profile that began at @origin_ns, both CLOCK_REALTIME, and until when it holds.
 * False: it has ended, or has not begun.
 */
bool profile_get_rate(const struct profile *profile, uint64_t origin_ns, uint64_t time_ns, struct rate *ratep,
                uint64_t *until_nsp);
