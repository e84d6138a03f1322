/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which incidents have shown
 *
 * Looks at records as they leave and writes a line for each incident when the first record tells of it: the
 * truth about a run, beside the run. The line says all of the incident, its end too, although that has not
 * come yet. It forgets what has passed, so its memory is bounded by what goes on at one time.
 */

#include "model/model.h"

#include <stdio.h>

struct chronicle;

/* All must outlive it, or be exchanged. @file: what is written there is not flushed. */
int chronicle_new(struct chronicle **chroniclep, const struct model *model, const struct scenario *scenario,
                const struct i4_catalog *catalog, FILE *file);
struct chronicle *chronicle_free(struct chronicle *chronicle);

/* From the next look on. */
void chronicle_set_scenario(struct chronicle *chronicle, const struct scenario *scenario);
void chronicle_set_file(struct chronicle *chronicle, FILE *file);

/* An incident that somebody has been told of already. -ENOMEM. */
int chronicle_remember(struct chronicle *chronicle, const struct scenario_entry *entry);

/* The errors of writing; -ENOMEM. */
int chronicle_look(struct chronicle *chronicle, const struct i4_record *records, size_t n);

uint64_t chronicle_get_n_incidents(const struct chronicle *chronicle);

static inline void chronicle_freep(struct chronicle **chronicle) {
        if (*chronicle)
                (void) chronicle_free(*chronicle);
}
