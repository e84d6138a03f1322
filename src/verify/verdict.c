/* SPDX-License-Identifier: Apache-2.0 */

#include "verify/verdict.h"

#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <string.h>

#define WHOLE_E4 10000u

static const char *const count_names[VERDICT_N_COUNTS] = {
        [VERDICT_LOSS] = "loss",
        [VERDICT_DUPLICATES] = "duplicates",
        [VERDICT_DISORDER] = "disorder",
        [VERDICT_DAMAGE] = "damage",
        [VERDICT_UNKNOWN] = "unknown",
};

static const char *const share_names[VERDICT_N_SHARES] = {
        [VERDICT_PRECISION] = "precision",
        [VERDICT_RECALL] = "recall",
        [VERDICT_EVENTS] = "events",
};

int verdict_limit_parse(const char *text, struct verdict_limit *limitp) {
        struct verdict_limit limit = {};
        int r = 0;

        limit.is_share = strchr(text, '%');
        if (strcmp(text, "any") == 0)
                limit.n = UINT64_MAX;
        else if (limit.is_share)
                r = parse_percent(text, &limit.share_e4);
        else
                r = parse_uint64(text, &limit.n);
        if (r < 0)
                return r;

        *limitp = limit;
        return 0;
}

int verdict_share_parse(const char *text, uint32_t *share_e4p) {
        double share;
        char *end;

        if (strchr(text, '%'))
                return parse_percent(text, share_e4p);

        share = strtod(text, &end);
        if (*end || end == text)
                return -EINVAL;
        if (!(share >= 0 && share <= 1))
                return -ERANGE;

        *share_e4p = (uint32_t) (share * WHOLE_E4 + 0.5);
        return 0;
}

uint64_t verdict_get_count(const struct audit_counts *counts, enum verdict_count count) {
        const uint64_t values[VERDICT_N_COUNTS] = {
                [VERDICT_LOSS] = counts->n_lost,
                [VERDICT_DUPLICATES] = counts->n_duplicates,
                [VERDICT_DISORDER] = counts->n_disorder,
                [VERDICT_DAMAGE] = counts->n_damaged,
                [VERDICT_UNKNOWN] = counts->n_unknown,
        };

        return values[count];
}

struct share {
        uint64_t n;
        uint64_t of;
};

static struct share counts_get_share(const struct score_counts *counts, enum verdict_share share) {
        const struct score_kind *all = &counts->kinds[I4_FAULT_NONE];

        switch (share) {
        case VERDICT_PRECISION:
                return (struct share){ all->n_said_right, all->n_said };
        case VERDICT_RECALL:
                return (struct share){ all->n_detected, all->n_readings };
        default:
                return (struct share){ all->n_events_detected, all->n_events };
        }
}

double verdict_get_share(const struct score_counts *counts, enum verdict_share share) {
        struct share parts = counts_get_share(counts, share);

        return parts.of > 0 ? (double) parts.n / (double) parts.of : -1;
}

static bool share_is_within(uint64_t n, uint64_t of, uint32_t share_e4) {
        return (unsigned __int128) n * WHOLE_E4 <= (unsigned __int128) of * share_e4;
}

bool verdict_count_passes(const struct verdict_limits *limits, enum verdict_count count,
                const struct audit_counts *counts, uint64_t n_truth) {
        const struct verdict_limit *limit = &limits->counts[count];
        uint64_t n = verdict_get_count(counts, count);

        return limit->is_share ? share_is_within(n, n_truth, limit->share_e4) : n <= limit->n;
}

bool verdict_share_passes(const struct verdict_limits *limits, enum verdict_share share,
                const struct score_counts *counts) {
        struct share parts = counts_get_share(counts, share);

        /* What is missing may be what is left. */
        return share_is_within(parts.of - parts.n, parts.of, WHOLE_E4 - limits->shares_e4[share]);
}

bool verdict_passes(const struct verdict_limits *limits, const struct audit_counts *counts,
                const struct score_counts *score, uint64_t n_truth) {
        for (unsigned int i = 0; i < VERDICT_N_COUNTS; ++i)
                if (!verdict_count_passes(limits, i, counts, n_truth))
                        return false;
        for (unsigned int i = 0; score && i < VERDICT_N_SHARES; ++i)
                if (!verdict_share_passes(limits, i, score))
                        return false;

        return true;
}

const char *verdict_count_to_string(enum verdict_count count) {
        return count_names[count];
}

const char *verdict_share_to_string(enum verdict_share share) {
        return share_names[share];
}
