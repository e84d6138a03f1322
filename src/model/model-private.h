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
        struct model *(*free)(struct model *model);
};

struct model {
        const struct model_class *class;
};

int network_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog);
int uniform_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog);
