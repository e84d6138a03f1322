/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a model implements
 *
 * A kind of model embeds struct model as its first member and fills in the table.
 */

#include "model/model.h"

struct model_class {
        void (*generate)(struct model *model, uint64_t step, uint64_t sequence, struct timeline *timeline,
                        struct i4_record *records, size_t n);
        /* NULL: it knows no incidents */
        int (*complete_entry)(const struct model *model, struct scenario_entry *entry);
        void (*exchange_scenario)(struct model *model, struct scenario **scenariop);
        int (*describe)(const struct model *model, const struct scenario *scenario,
                        const struct i4_record *record, struct scenario_entry *entry);
        void (*visit_touched)(const struct model *model, const struct scenario_entry *entry,
                        model_visit_t *visit, void *userdata);
        struct model *(*free)(struct model *model);
};

struct model {
        const struct model_class *class;
};

int network_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog);
int uniform_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog);
