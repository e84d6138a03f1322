/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What i4 verify has found, to be printed
 */

#include "verify/verdict.h"

struct verification {
        const struct truth *truth;
        unsigned int n_files; /* that were delivered */
        const struct audit_counts *counts;
        const struct score_counts *score; /* NULL: there are no detections */
        const struct verdict_limits *limits;
};

uint64_t verification_get_n_truth(const struct verification *verification);
bool verification_passes(const struct verification *verification);

void verification_print_text(const struct verification *verification, FILE *file, bool has_colours);
/* One object on one line; i4-verify(1) lists its keys. -ENOMEM. */
int verification_print_json(const struct verification *verification, FILE *file);
