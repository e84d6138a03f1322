/* SPDX-License-Identifier: Apache-2.0 */

#include "model/profile.h"

#include "util/clock.h"
#include "util/macros.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Rates between two others are records in so long: exact enough for the rarest, and products fit. */
#define FINE_PERIOD_NS (UINT64_C(1000000) * NSEC_PER_SEC)

#define RAMP_STEPS_MAX UINT64_C(3600)

#define MINUTES_PER_DAY UINT64_C(1440)
#define LEAST_MINUTE    UINT64_C(120)

typedef __int128 int128;
typedef unsigned __int128 uint128;

/* parsing */

/* Without white space at either end. */
static char *trim(char *text) {
        size_t n;

        text += strspn(text, " \t");
        n = strlen(text);
        while (n > 0 && strchr(" \t", text[n - 1]))
                --n;

        text[n] = 0;
        return text;
}

static int rate_take(const char *text, struct rate *ratep) {
        struct rate rate;
        int r;

        r = parse_rate(text, &rate);
        if (r < 0)
                return r;
        /* As fast as possible is no number to go up to. */
        if (rate.period_ns == 0)
                return -EINVAL;

        *ratep = rate;
        return 0;
}

static int phase_take_rates(struct phase *phase, char *text) {
        char *to = strstr(text, "..");
        int r;

        if (!to) {
                r = rate_take(text, &phase->from);
                phase->to = phase->from;
                return phase->kind == PHASE_DAILY ? -EINVAL : r;
        }

        *to = 0;
        if (phase->kind == PHASE_CONSTANT)
                phase->kind = PHASE_RAMP;
        r = rate_take(trim(text), &phase->from);
        return r < 0 ? r : rate_take(trim(to + 2), &phase->to);
}

static int phase_parse(struct phase *phase, char *text) {
        char *span = strstr(text, " for ");
        int r;

        phase->span_ns = NSEC_INFINITY;
        if (span) {
                *span = 0;
                r = parse_span(trim(span + strlen(" for ")), &phase->span_ns);
                if (r < 0)
                        return r;
                if (phase->span_ns < NSEC_PER_SEC)
                        return -ERANGE;
        }

        text = trim(text);
        if (strncmp(text, "daily ", strlen("daily ")) == 0) {
                phase->kind = PHASE_DAILY;
                text = trim(text + strlen("daily "));
        }

        return phase_take_rates(phase, text);
}

/* Only the last goes on for good, no ramp does, and nothing comes after what has no end. */
static int profile_check(const struct profile *profile) {
        for (uint32_t i = 0; i < profile->n_phases; ++i) {
                bool is_last = i + 1 == profile->n_phases && !profile->repeats;

                if (profile->phases[i].span_ns == NSEC_INFINITY &&
                                (!is_last || profile->phases[i].kind == PHASE_RAMP))
                        return -EINVAL;
        }

        return profile->n_phases > 0 ? 0 : -EINVAL;
}

static int profile_add(struct profile *profile, char *text) {
        text = trim(text);
        if (profile->repeats)
                return -EINVAL;
        if (strcmp(text, "repeat") == 0) {
                profile->repeats = true;
                return 0;
        }
        if (profile->n_phases == PROFILE_N_PHASES)
                return -ERANGE;

        return phase_parse(&profile->phases[profile->n_phases++], text);
}

int profile_parse(const char *text, struct profile *profilep) {
        struct profile profile = {};
        char buffer[PROFILE_TEXT_MAX];
        char *next = buffer, *item;
        int r;

        if (strlen(text) >= sizeof(buffer))
                return -ERANGE;

        (void) snprintf(buffer, sizeof(buffer), "%s", text);
        if (!*trim(buffer)) {
                *profilep = profile;
                return 0;
        }

        while ((item = strsep(&next, ","))) {
                r = profile_add(&profile, item);
                if (r < 0)
                        return r;
        }

        r = profile_check(&profile);
        if (r < 0)
                return r;

        *profilep = profile;
        return 0;
}

/* formatting */

static size_t phase_format(const struct phase *phase, char *text, size_t size) {
        char from[FORMAT_MAX], to[FORMAT_MAX], span[FORMAT_MAX];
        bool is_constant = phase->kind == PHASE_CONSTANT, is_endless = phase->span_ns == NSEC_INFINITY;

        return (size_t) snprintf(text, size, "%s%s%s%s%s%s", phase->kind == PHASE_DAILY ? "daily " : "",
                        format_rate(phase->from, from), is_constant ? "" : "..",
                        is_constant ? "" : format_rate(phase->to, to), is_endless ? "" : " for ",
                        is_endless ? "" : format_span(phase->span_ns, span));
}

const char *profile_format(const struct profile *profile, char text[static PROFILE_TEXT_MAX]) {
        size_t n = 0;

        static_assert(PROFILE_N_PHASES * (3 * FORMAT_MAX + sizeof("daily .. for , ")) + sizeof("repeat") <
                                        PROFILE_TEXT_MAX,
                        "room for any");

        *text = 0;
        for (uint32_t i = 0; i < profile->n_phases; ++i) {
                n += (size_t) snprintf(text + n, PROFILE_TEXT_MAX - n, "%s", i > 0 ? ", " : "");
                n += phase_format(&profile->phases[i], text + n, PROFILE_TEXT_MAX - n);
        }
        if (profile->repeats)
                (void) snprintf(text + n, PROFILE_TEXT_MAX - n, ", repeat");

        return text;
}

/* FNV-1a, on whole words */
static uint64_t hash(uint64_t seed, uint64_t word) {
        return (seed ^ word) * UINT64_C(0x100000001b3);
}

uint64_t profile_get_id(const struct profile *profile) {
        uint64_t id = UINT64_C(0xcbf29ce484222325);

        if (profile->n_phases == 0)
                return 0;

        id = hash(id, profile->repeats);
        for (uint32_t i = 0; i < profile->n_phases; ++i) {
                const struct phase *phase = &profile->phases[i];

                id = hash(id, phase->kind);
                id = hash(hash(id, phase->from.n_records), phase->from.period_ns);
                id = hash(hash(id, phase->to.n_records), phase->to.period_ns);
                id = hash(id, phase->span_ns);
        }

        return MAX(id, 1);
}

/* rates */

static int128 rate_get_fine(const struct rate *rate) {
        return (int128) ((uint128) rate->n_records * FINE_PERIOD_NS / rate->period_ns);
}

/* @numerator / @denominator of the way from one to the other. */
static struct rate phase_mix(const struct phase *phase, uint64_t numerator, uint64_t denominator) {
        int128 from = rate_get_fine(&phase->from), to = rate_get_fine(&phase->to);
        int128 n = from + (to - from) * (int128) numerator / (int128) denominator;

        return (struct rate){ .n_records = (uint64_t) MAX(n, 1), .period_ns = FINE_PERIOD_NS };
}

/* @past_ns: since the phase began; writes until when, counted as that is. */
static struct rate ramp_get_rate(const struct phase *phase, uint64_t past_ns, uint64_t *until_nsp) {
        uint64_t n_steps = MIN(phase->span_ns / NSEC_PER_SEC, RAMP_STEPS_MAX);
        uint64_t step = (uint64_t) ((uint128) past_ns * n_steps / phase->span_ns);

        /* Where a step begins is rounded up, as finding it rounds down. */
        *until_nsp = (uint64_t) (((uint128) (step + 1) * phase->span_ns + n_steps - 1) / n_steps);
        return phase_mix(phase, 2 * step + 1, 2 * n_steps);
}

/* A smooth step (3 t² - 2 t³) up in twelve hours, and down in the others. */
static struct rate daily_get_rate(const struct phase *phase, uint64_t time_ns) {
        uint64_t minute = time_ns / NSEC_PER_MIN % MINUTES_PER_DAY, half = MINUTES_PER_DAY / 2;
        uint64_t since = (minute + MINUTES_PER_DAY - LEAST_MINUTE) % MINUTES_PER_DAY;
        uint64_t t = since <= half ? since : MINUTES_PER_DAY - since;

        return phase_mix(phase, 3 * t * t * half - 2 * t * t * t, half * half * half);
}

/* @begin_ns: when it began, and the times are CLOCK_REALTIME. */
static void phase_get_rate(const struct phase *phase, uint64_t begin_ns, uint64_t time_ns, struct rate *ratep,
                uint64_t *until_nsp) {
        uint64_t end_ns = add_saturating(begin_ns, phase->span_ns), until_ns = end_ns;

        switch (phase->kind) {
        case PHASE_CONSTANT:
                *ratep = phase->from;
                break;
        case PHASE_RAMP:
                *ratep = ramp_get_rate(phase, time_ns - begin_ns, &until_ns);
                until_ns = add_saturating(begin_ns, until_ns);
                break;
        case PHASE_DAILY:
                *ratep = daily_get_rate(phase, time_ns);
                until_ns = (time_ns / NSEC_PER_MIN + 1) * NSEC_PER_MIN;
                break;
        }

        *until_nsp = MIN(until_ns, end_ns);
}

static uint64_t profile_get_cycle(const struct profile *profile) {
        uint64_t cycle_ns = 0;

        for (uint32_t i = 0; i < profile->n_phases; ++i)
                cycle_ns = add_saturating(cycle_ns, profile->phases[i].span_ns);

        return cycle_ns;
}

bool profile_get_rate(const struct profile *profile, uint64_t origin_ns, uint64_t time_ns, struct rate *ratep,
                uint64_t *until_nsp) {
        uint64_t begin_ns = origin_ns;

        if (profile->n_phases == 0 || time_ns < origin_ns)
                return false;

        if (profile->repeats)
                begin_ns = time_ns - (time_ns - origin_ns) % profile_get_cycle(profile);

        for (uint32_t i = 0; i < profile->n_phases; ++i) {
                const struct phase *phase = &profile->phases[i];

                if (time_ns - begin_ns < phase->span_ns) {
                        phase_get_rate(phase, begin_ns, time_ns, ratep, until_nsp);
                        return true;
                }
                begin_ns += phase->span_ns;
        }

        return false;
}
