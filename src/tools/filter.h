/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which records somebody wants to see
 *
 * Names are collected from the command line first and looked up when the ring, and with it the catalog, is
 * known; again when the ring has changed. Within one field any of the names will do, and every field that
 * has some must agree.
 */

#include "i4.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_list {
        char **names;
        size_t n_names;
};

struct filter {
        struct name_list types;
        struct name_list pipelines;
        struct name_list sensors;
        uint32_t statuses; /* a bit each; 0: any */
        uint32_t alerts;
        bool is_anomaly;

        const i4_catalog *catalog;
        uint64_t *wanted_types; /* bitmaps over the catalog's numbers; NULL: any */
        uint64_t *wanted_pipelines;
        uint64_t *wanted_sensors; /* superset: the names decide */
};

#define FILTER_INIT ((struct filter){})

void filter_deinit(struct filter *filter);

/* Each takes names with commas between them. -EINVAL: a name is wrong, told on stderr; -ENOMEM. */
int filter_add_types(struct filter *filter, const char *who, const char *names);
int filter_add_pipelines(struct filter *filter, const char *who, const char *names);
int filter_add_sensors(struct filter *filter, const char *who, const char *names);
int filter_add_statuses(struct filter *filter, const char *who, const char *names);
int filter_add_alerts(struct filter *filter, const char *who, const char *names);

/* @catalog must outlive its use. -EINVAL: a name is not in it, told on stderr; -ENOMEM. */
int filter_set_catalog(struct filter *filter, const char *who, const i4_catalog *catalog);

/* Moves the wanted ones to the front, in their order, and says how many there are. */
size_t filter_apply(const struct filter *filter, struct i4_record *records, size_t n_records);
