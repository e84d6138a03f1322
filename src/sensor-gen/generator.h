/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One run of sensor-gen: from the schedule through the model to the writer
 */

#include "sensor-gen/console.h"
#include "sensor-gen/options.h"
#include "sensor-gen/output.h"

#include "lib/catalog.h"
#include "model/chronicle.h"

struct generator;

/* @chronicle gets to see all that is written; NULL: none does. Both and @model must outlive it. */
int generator_new(struct generator **generatorp, const struct options *options,
                const struct i4_catalog *catalog, struct model *model, struct chronicle *chronicle,
                const struct output *output);
struct generator *generator_free(struct generator *generator);

/*
 * Makes readings until the duration is over or a stop is asked for, and writes them all. -EPIPE: whoever read
 * the stream has gone. Any other error: the output does not take more.
 */
int generator_run(struct generator *generator, struct console *console);

/* As far as it got; all but the size of the file. */
void generator_get_statistics(const struct generator *generator, struct console_statistics *statistics);

static inline void generator_freep(struct generator **generator) {
        if (*generator)
                (void) generator_free(*generator);
}
