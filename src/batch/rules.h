/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What counts as an anomaly
 *
 * A detector as simple as many in the field: fixed limits, one look at one reading. It does not know what i4
 * did to the data, and can be scored against that.
 *
 * A verdict is a number, 0 if nothing is wrong: which limit was passed, and whether the quality is low. All
 * texts that a verdict may need are laid out beforehand, so that judging and telling cost a comparison and a
 * copy.
 */

#include "i4.h"

#include "batch/json.h"

enum rules_kind {
        RULES_REFERENCE, /* pressure, temperature and flow rate by fixed limits, and the quality */
        RULES_ALL,       /* these, and every type by the limits of its catalog */
        N_RULES_KINDS,
};

struct rules;

/* Types are numbered as in @catalog, which is not needed afterwards. -ENOMEM. */
int rules_new(struct rules **rulesp, enum rules_kind kind, const i4_catalog *catalog);
struct rules *rules_free(struct rules *rules);

/* -EINVAL: there is no such set. */
int rules_kind_from_string(const char *name);

#define RULES_NO_TYPE UINT32_MAX

/* The number of the type, or RULES_NO_TYPE: no rule is about that one. */
unsigned int rules_find_type(const struct rules *rules, struct json_span name);

/* @type may be any number; @quality is 0 … 1. */
unsigned int rules_judge(const struct rules *rules, unsigned int type, double value, double quality);

/* The JSON array of what is wrong: ["low_quality_score"] */
struct json_span rules_get_reasons(const struct rules *rules, unsigned int verdict);

static inline void rules_freep(struct rules **rules) {
        if (*rules)
                (void) rules_free(*rules);
}
