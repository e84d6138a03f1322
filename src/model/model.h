/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who reads what
 *
 * A model turns steps into records. Step n belongs to one sensor of the fleet and its content is decided by
 * seed, catalog, settings and n alone, so a run can be repeated, resumed or split anywhere. Implementations
 * stand behind a table of functions; callers see this header only.
 */

#include "lib/catalog.h"
#include "model/mix.h"
#include "model/plant.h"
#include "model/scenario.h"
#include "model/schedule.h"

struct model;

enum model_kind {
        MODEL_NETWORK, /* a plant: physics, and faults whose truth is known */
        MODEL_UNIFORM, /* independent draws, the contract of the reference */
        MODEL_N_KINDS,
};

/* "network"; NULL if there is no such kind */
const char *model_kind_to_string(enum model_kind kind);
/* -EINVAL: no such name. */
int model_kind_from_string(const char *name, enum model_kind *kindp);

struct model_settings {
        enum model_kind kind;
        uint64_t seed;
        uint32_t anomalies_e4;     /* share of anomalous readings in hundredths of a percent: 200 is 2 % */
        struct mix mix;            /* of kinds among them; all zero: the usual one */
        const struct plant *plant; /* NULL: as plant_new() makes it from the names in the catalog */
};

/*
 * Looks at @catalog and the plant, which belong together, and keeps neither; catalog->n_sensors is the size
 * of the fleet. -EINVAL: a setting out of range, an empty catalog, a plant of another one. -ERANGE: a type
 * whose maximum leaves no room for an anomaly in a record. -ENOMEM.
 */
int model_new(struct model **modelp, const struct model_settings *settings, const struct i4_catalog *catalog);
struct model *model_free(struct model *model);

/*
 * Fills every field of @n records: steps @step, @step + stride, …, published as @sequence, @sequence +
 * stride, …, due as @timeline says. A stride above 1 divides the number of sensors. Allocates nothing, takes
 * no lock. Any steps in any order; one thread at a time, since a model remembers where it was to be quicker.
 */
void model_generate(struct model *model, uint64_t step, uint64_t sequence, struct timeline *timeline,
                struct i4_record *records, size_t n);

/* @sequence, @sequence + 1, …: as a machine numbers them that makes some of all steps, and has no gaps. */
void records_number(struct i4_record *records, size_t n, uint64_t sequence);

/*
 * What an incident needs that only the model knows: when its last trace is gone. -ERANGE: the place is beyond
 * the pipeline's end. -EINVAL: no such pipeline or sensor. -EOPNOTSUPP: a model without incidents. Any
 * thread.
 */
int model_complete_entry(const struct model *model, struct scenario_entry *entry);

/*
 * From now on the model goes by *@scenariop, whose entries are complete, and owns it; *@scenariop is what it
 * went by before (NULL: nothing). A model without incidents leaves it alone. In the thread that generates.
 */
void model_exchange_scenario(struct model *model, struct scenario **scenariop);

/*
 * The incident that @record tells of, given the scenario that was in force. -ENOENT: @record is not of this
 * model, or tells of none. Any thread.
 */
int model_describe(const struct model *model, const struct scenario *scenario, const struct i4_record *record,
                struct scenario_entry *entry);

/* @sensor: number, pipeline, type and place of it; nothing else */
typedef void model_visit_t(void *userdata, const struct i4_record *sensor);

/* Every sensor in whose readings an incident shows, in the order of the scan. Any thread. */
void model_visit_touched(const struct model *model, const struct scenario_entry *entry, model_visit_t *visit,
                void *userdata);

static inline void model_freep(struct model **model) {
        if (*model)
                (void) model_free(*model);
}
