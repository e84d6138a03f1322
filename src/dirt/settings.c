/* SPDX-License-Identifier: Apache-2.0 */

#include "dirt/settings.h"

#include "util/clock.h"
#include "util/macros.h"
#include "util/parse.h"
#include "util/timestamp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ALL_E4 10000u

static const char *const names[] = {
        [DIRT_MISSING] = "missing",
        [DIRT_NULL] = "null",
        [DIRT_TYPE] = "type",
        [DIRT_MALFORMED] = "malformed",
        [DIRT_TRUNCATED] = "truncated",
        [DIRT_DUPLICATE] = "duplicate",
        [DIRT_LATE] = "late",
        [DIRT_DISORDER] = "disorder",
        [DIRT_UNIT] = "unit",
        [DIRT_SKEW] = "skew",
        [DIRT_RENAME] = "rename",
        [DIRT_ADDED] = "added",
};

static_assert(ELEMENTSOF(names) == N_DIRT_KINDS, "each kind has a name");

const char *dirt_kind_to_string(enum dirt_kind kind) {
        return names[kind];
}

static int moment_parse(const char *text, struct dirt_moment *moment) {
        moment->is_relative = parse_span(text, &moment->ns) >= 0;
        return moment->is_relative ? 0 : parse_time(text, &moment->ns);
}

static int value_parse(struct dirt_settings *settings, size_t kind, const char *text) {
        if (kind < N_DIRT_DEFECTS)
                return parse_percent(text, &settings->shares_e4[kind]);
        if (kind == DIRT_SKEW)
                return parse_percent(text, &settings->skew_e4);

        return moment_parse(text, kind == DIRT_RENAME ? &settings->rename : &settings->added);
}

static const char *value_expectation(size_t kind) {
        return kind < DIRT_RENAME ? "a share such as 0.5%" : "a span such as 10m, or a time";
}

/* What does not divide goes to the first kinds, so that the whole is exactly what was asked for. */
static void share_spread(struct dirt_settings *settings, uint32_t share_e4) {
        for (uint32_t i = 0; i < N_DIRT_DEFECTS; ++i)
                settings->shares_e4[i] = share_e4 / N_DIRT_DEFECTS + (i < share_e4 % N_DIRT_DEFECTS);
}

/* @part: "null=0.5%", or a share alone */
static int part_parse(struct dirt_settings *settings, char *part, char complaint[static DIRT_COMPLAINT_MAX]) {
        char *value = strchr(part, '=');
        uint32_t share_e4;
        int r;

        if (!value && parse_percent(part, &share_e4) >= 0) {
                share_spread(settings, share_e4);
                return 0;
        }

        if (value)
                *value++ = '\0';
        if (value && strcmp(part, "seed") == 0) {
                settings->has_seed = true;
                r = parse_uint64(value, &settings->seed);
                if (r < 0)
                        (void) snprintf(complaint, DIRT_COMPLAINT_MAX,
                                        "seed=%s is not a whole number below 2^64", value);
                return r;
        }

        for (size_t kind = 0; value && kind < N_DIRT_KINDS; ++kind)
                if (strcmp(part, names[kind]) == 0) {
                        r = value_parse(settings, kind, value);
                        if (r < 0)
                                (void) snprintf(complaint, DIRT_COMPLAINT_MAX, "%s=%s is not %s", part, value,
                                                value_expectation(kind));
                        return r;
                }

        (void) snprintf(complaint, DIRT_COMPLAINT_MAX,
                        "'%s' is neither a share such as 1%% nor KIND=VALUE with a kind of dirt", part);
        return -EINVAL;
}

int dirt_settings_parse(
                struct dirt_settings *settings, const char *text, char complaint[static DIRT_COMPLAINT_MAX]) {
        struct dirt_settings result = {
                .rename.ns = NSEC_INFINITY,
                .added.ns = NSEC_INFINITY,
        };
        _cleanup_(freep) char *copy = strdup(text);
        char *rest = copy;
        uint32_t sum_e4 = 0;
        int r;

        if (!copy) {
                (void) snprintf(complaint, DIRT_COMPLAINT_MAX, "%s", strerror(ENOMEM));
                return -ENOMEM;
        }

        for (char *part; (part = strsep(&rest, ","));) {
                r = part_parse(&result, part, complaint);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < N_DIRT_DEFECTS; ++i)
                sum_e4 += result.shares_e4[i];
        if (sum_e4 > ALL_E4) {
                (void) snprintf(complaint, DIRT_COMPLAINT_MAX,
                                "shares of lines come to more than 100%% together");
                return -ERANGE;
        }

        *settings = result;
        return 0;
}
