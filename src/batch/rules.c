/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/rules.h"

#include "util/macros.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define QUALITY_MINIMUM 0.8
#define QUALITY_REASON  "low_quality_score"

#define NAME_SIZE   48u
#define REASON_SIZE 64u
#define TEXT_SIZE   (REASON_SIZE + 32u)

/* Each type has three reasons: none, below its range, above it. With the quality that makes six verdicts. */
enum {
        SIDE_NONE,
        SIDE_BELOW,
        SIDE_ABOVE,
        N_SIDES,
};

#define VERDICTS_PER_TYPE (2u * N_SIDES)

struct limits {
        double minimum; /* -INFINITY: none */
        double maximum;
        char name[NAME_SIZE]; /* of the type */
        char reasons[N_SIDES][REASON_SIZE];
};

struct rules {
        unsigned int n_types;
        struct limits *types; /* one more: those without rules */
        char (*texts)[TEXT_SIZE];
        size_t *sizes;
};

struct reference_rule {
        const char *type;
        double minimum;
        double maximum;
        const char *below;
        const char *above;
};

static const struct reference_rule reference_rules[] = {
        { "pressure", -INFINITY, 1500, "", "pressure_exceeded" },
        { "temperature", -20, 180, "temperature_out_of_range", "temperature_out_of_range" },
        { "flow_rate", -INFINITY, 50000, "", "flow_rate_exceeded" },
};

static const char *const kind_names[N_RULES_KINDS] = {
        [RULES_REFERENCE] = "reference",
        [RULES_ALL] = "all",
};

int rules_kind_from_string(const char *name) {
        for (int i = 0; i < N_RULES_KINDS; ++i)
                if (strcmp(name, kind_names[i]) == 0)
                        return i;

        return -EINVAL;
}

static void limits_set_reference(struct limits *limits) {
        for (size_t i = 0; i < ELEMENTSOF(reference_rules); ++i) {
                const struct reference_rule *rule = &reference_rules[i];

                if (strcmp(rule->type, limits->name) != 0)
                        continue;
                limits->minimum = rule->minimum;
                limits->maximum = rule->maximum;
                (void) snprintf(limits->reasons[SIDE_BELOW], REASON_SIZE, "%s", rule->below);
                (void) snprintf(limits->reasons[SIDE_ABOVE], REASON_SIZE, "%s", rule->above);
        }
}

/* What the reference has a name for keeps it. */
static void limits_add_range(struct limits *limits, double minimum, double maximum) {
        if (limits->minimum == -INFINITY) {
                limits->minimum = minimum;
                (void) snprintf(limits->reasons[SIDE_BELOW], REASON_SIZE, "%s_out_of_range", limits->name);
        }
        if (limits->maximum == INFINITY) {
                limits->maximum = maximum;
                (void) snprintf(limits->reasons[SIDE_ABOVE], REASON_SIZE, "%s_out_of_range", limits->name);
        }
}

static void limits_init(
                struct limits *limits, enum rules_kind kind, const i4_catalog *catalog, unsigned int type) {
        double minimum, maximum;

        *limits = (struct limits){ .minimum = -INFINITY, .maximum = INFINITY };
        (void) snprintf(limits->name, sizeof(limits->name), "%s", i4_catalog_get_type_name(catalog, type));

        limits_set_reference(limits);
        if (kind == RULES_ALL && i4_catalog_get_type_range(catalog, type, &minimum, &maximum) >= 0)
                limits_add_range(limits, minimum, maximum);
}

static void rules_set_text(struct rules *rules, unsigned int type, unsigned int side, bool is_low) {
        const char *reason = rules->types[type].reasons[side];
        unsigned int verdict = type * VERDICTS_PER_TYPE + side * 2 + is_low;
        bool is_both = *reason && is_low;

        rules->sizes[verdict] = (size_t) snprintf(rules->texts[verdict], TEXT_SIZE, "[%s%s%s%s%s]",
                        *reason ? "\"" : "", reason, *reason ? "\"" : "", is_both ? "," : "",
                        is_low ? "\"" QUALITY_REASON "\"" : "");
}

static void rules_init_texts(struct rules *rules) {
        for (unsigned int type = 0; type <= rules->n_types; ++type)
                for (unsigned int side = 0; side < N_SIDES; ++side) {
                        rules_set_text(rules, type, side, false);
                        rules_set_text(rules, type, side, true);
                }
}

int rules_new(struct rules **rulesp, enum rules_kind kind, const i4_catalog *catalog) {
        _cleanup_(rules_freep) struct rules *rules = NULL;
        unsigned int n_types = i4_catalog_get_n_types(catalog);
        size_t n_verdicts = (size_t) (n_types + 1) * VERDICTS_PER_TYPE;

        rules = calloc(1, sizeof(*rules));
        if (!rules)
                return -ENOMEM;

        rules->n_types = n_types;
        rules->types = calloc(n_types + 1, sizeof(*rules->types));
        rules->texts = calloc(n_verdicts, sizeof(*rules->texts));
        rules->sizes = calloc(n_verdicts, sizeof(*rules->sizes));
        if (!rules->types || !rules->texts || !rules->sizes)
                return -ENOMEM;

        for (unsigned int type = 0; type < n_types; ++type)
                limits_init(&rules->types[type], kind, catalog, type);
        rules->types[n_types] = (struct limits){ .minimum = -INFINITY, .maximum = INFINITY };
        rules_init_texts(rules);

        *rulesp = TAKE_PTR(rules);
        return 0;
}

struct rules *rules_free(struct rules *rules) {
        if (rules) {
                free(rules->sizes);
                free(rules->texts);
                free(rules->types);
        }
        free(rules);
        return NULL;
}

unsigned int rules_find_type(const struct rules *rules, struct json_span name) {
        for (unsigned int type = 0; type < rules->n_types; ++type)
                if (json_string_equals(name, rules->types[type].name))
                        return type;

        return RULES_NO_TYPE;
}

/* The verdict that nothing is wrong is 0 for every type. */
unsigned int rules_judge(const struct rules *rules, unsigned int type, double value, double quality) {
        unsigned int index = MIN(type, rules->n_types);
        const struct limits *limits = &rules->types[index];
        unsigned int is_low = quality < QUALITY_MINIMUM, side = SIDE_NONE;

        if (unlikely(value > limits->maximum))
                side = SIDE_ABOVE;
        else if (unlikely(value < limits->minimum))
                side = SIDE_BELOW;

        return likely(side == SIDE_NONE && !is_low) ? 0 : index * VERDICTS_PER_TYPE + side * 2 + is_low;
}

struct json_span rules_get_reasons(const struct rules *rules, unsigned int verdict) {
        return (struct json_span){ rules->texts[verdict], rules->sizes[verdict] };
}
