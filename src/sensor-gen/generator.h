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
#include "model/note.h"

struct generator;

/* From one note of a daemon's to the next, or what of it is wanted. */
struct part {
        const struct note *note;
        uint64_t end_sequence;   /* @note's machine numbers its readings up to there */
        uint64_t step, end_step; /* from and up to which steps are made, */
        uint64_t stride;         /* one in so many */
        uint64_t from_ns, to_ns; /* and of these those that were due then */
};

/* @part NULL: a run of its own, as @options say. @chronicle gets to see all that is written; NULL: none does.
 * Both and @model must outlive it. */
int generator_new(struct generator **generatorp, const struct options *options, const struct part *part,
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
