/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much is too much
 */

#include "verify/audit.h"
#include "verify/score.h"

enum verdict_count {
        VERDICT_LOSS,
        VERDICT_DUPLICATES,
        VERDICT_DISORDER,
        VERDICT_DAMAGE,
        VERDICT_UNKNOWN,
        VERDICT_N_COUNTS,
};

enum verdict_share {
        VERDICT_PRECISION,
        VERDICT_RECALL,
        VERDICT_EVENTS,
        VERDICT_N_SHARES,
};

/* A number, or a share of the truth's readings. */
struct verdict_limit {
        uint64_t n; /* UINT64_MAX: as many as there are */
        uint32_t share_e4;
        bool is_share;
};

struct verdict_limits {
        struct verdict_limit counts[VERDICT_N_COUNTS]; /* at most; zero by default */
        uint32_t shares_e4[VERDICT_N_SHARES];          /* at least, ten-thousandths; zero by default */
};

/* "12", "0.5%", "any"; "0.95", "95%". -EINVAL, -ERANGE as util/parse.h. */
int verdict_limit_parse(const char *text, struct verdict_limit *limitp);
int verdict_share_parse(const char *text, uint32_t *share_e4p);

uint64_t verdict_get_count(const struct audit_counts *counts, enum verdict_count count);
/* Of 1; -1: of nothing. */
double verdict_get_share(const struct score_counts *counts, enum verdict_share share);

bool verdict_count_passes(const struct verdict_limits *limits, enum verdict_count count,
                const struct audit_counts *counts, uint64_t n_truth);
/* A share of nothing passes. */
bool verdict_share_passes(const struct verdict_limits *limits, enum verdict_share share,
                const struct score_counts *counts);

/* @score: NULL if there is none. */
bool verdict_passes(const struct verdict_limits *limits, const struct audit_counts *counts,
                const struct score_counts *score, uint64_t n_truth);

/* "loss", "events" */
const char *verdict_count_to_string(enum verdict_count count);
const char *verdict_share_to_string(enum verdict_share share);
