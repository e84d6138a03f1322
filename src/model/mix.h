/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How anomalies divide among the kinds of what goes wrong
 *
 * Weights: of all anomalous readings, a kind has its weight's share of their sum in the long run.
 */

#include "i4.h"

struct mix {
        uint32_t weights[I4_N_FAULT]; /* I4_FAULT_NONE has none */
};

/* A mix by which nothing happens is what nobody asked for: the usual one is meant. */
struct mix mix_get_usual(void);
uint64_t mix_get_sum(const struct mix *mix);

/*
 * "leak=2,stuck=1": kinds that are not named have none. -EINVAL: not of that form, a kind that does not exist
 * or comes twice, no weight at all. -ERANGE: a weight too large.
 */
int mix_parse(const char *text, struct mix *mix);

/* The text of what mix_parse() made; it gives the same again. */
#define MIX_TEXT_MAX 512
const char *mix_format(const struct mix *mix, char text[static MIX_TEXT_MAX]);

/* What mix_parse() takes, for those who complain. */
#define MIX_DESCRIPTION_MAX 256

const char *mix_describe(char buffer[static MIX_DESCRIPTION_MAX]);
