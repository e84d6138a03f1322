/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The kinds of model by name and number
 */

#include "model/model-private.h"

#include <errno.h>
#include <string.h>

static const struct {
        const char *name;
        int (*new)(struct model **modelp, const struct model_settings *settings,
                        const struct i4_catalog *catalog);
} model_kinds[] = {
        [MODEL_NETWORK] = { "network", network_new },
        [MODEL_UNIFORM] = { "uniform", uniform_new },
};

static_assert(ELEMENTSOF(model_kinds) == MODEL_N_KINDS, "each kind of model has a name and a maker");

const char *model_kind_to_string(enum model_kind kind) {
        return (unsigned int) kind < MODEL_N_KINDS ? model_kinds[kind].name : NULL;
}

int model_kind_from_string(const char *name, enum model_kind *kindp) {
        for (unsigned int i = 0; i < MODEL_N_KINDS; ++i)
                if (strcmp(name, model_kinds[i].name) == 0) {
                        *kindp = (enum model_kind) i;
                        return 0;
                }

        return -EINVAL;
}

int model_new(struct model **modelp, const struct model_settings *settings,
                const struct i4_catalog *catalog) {
        if ((unsigned int) settings->kind >= MODEL_N_KINDS || settings->anomalies_e4 > 10000)
                return -EINVAL;
        if (catalog->n_types == 0 || catalog->n_pipelines == 0 || catalog->n_sensors == 0)
                return -EINVAL;
        if (settings->plant && (settings->plant->n_types != catalog->n_types ||
                                               settings->plant->n_pipelines != catalog->n_pipelines))
                return -EINVAL;

        return model_kinds[settings->kind].new(modelp, settings, catalog);
}

struct model *model_free(struct model *model) {
        return model ? model->class->free(model) : NULL;
}

void model_generate(struct model *model, uint64_t step, uint64_t sequence, struct timeline *timeline,
                struct i4_record *records, size_t n) {
        model->class->generate(model, step, sequence, timeline, records, n);
}

void records_number(struct i4_record *records, size_t n, uint64_t sequence) {
        for (size_t i = 0; i < n; ++i)
                records[i].sequence = sequence + i;
}

int model_complete_entry(const struct model *model, struct scenario_entry *entry) {
        return model->class->complete_entry ? model->class->complete_entry(model, entry) : -EOPNOTSUPP;
}

void model_exchange_scenario(struct model *model, struct scenario **scenariop) {
        if (model->class->exchange_scenario)
                model->class->exchange_scenario(model, scenariop);
}

int model_describe(const struct model *model, const struct scenario *scenario, const struct i4_record *record,
                struct scenario_entry *entry) {
        return model->class->describe ? model->class->describe(model, scenario, record, entry) : -ENOENT;
}

void model_visit_touched(const struct model *model, const struct scenario_entry *entry, model_visit_t *visit,
                void *userdata) {
        if (model->class->visit_touched)
                model->class->visit_touched(model, entry, visit, userdata);
}
