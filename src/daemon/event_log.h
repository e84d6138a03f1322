/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which incidents have shown, beside the readings
 *
 * With Labels=sidecar, events.jsonl has a line for each incident as soon as the first reading of it goes to
 * storage: in front of that reading, so who has the one has the other. What stands there already is known
 * after a restart. A file of 16 MiB becomes the old one, in place of the old one before it.
 *
 *     recorder                                main loop
 *     event_log_look() -> chronicle -> file
 *                       <- scenario        <-  event_log_set_scenario()
 *                          error           ->  event_log_get_error()
 */

#include "model/chronicle.h"

#define EVENTS_NAME     "events.jsonl"
#define EVENTS_OLD_NAME "events.old.jsonl"

struct event_log;

/* @model and @catalog must outlive it. -ENOMEM, or why what is there cannot be read. */
int event_log_new(struct event_log **logp, const char *directory, const struct model *model,
                const struct i4_catalog *catalog);
struct event_log *event_log_free(struct event_log *log);

/* Main loop. @scenario, which is consumed, holds before the first record that shows something of it is read.
 */
void event_log_set_scenario(struct event_log *log, struct scenario *scenario);

/*
 * The recorder's thread. What cannot be written now is kept, and written with what comes next; beyond 16 MiB
 * of it nothing is looked at until there is room.
 */
void event_log_look(struct event_log *log, const struct i4_record *records, size_t n);

/* Main loop: readable when the answer of event_log_get_error() has become another. */
int event_log_get_fd(const struct event_log *log);

/* Why lines wait to be written; 0: none do. Quietens the descriptor. Any thread. */
int event_log_get_error(struct event_log *log);

/* After the recorder has ended: writes what is left. As event_log_get_error(). */
int event_log_finish(struct event_log *log);

static inline void event_log_freep(struct event_log **log) {
        if (*log)
                (void) event_log_free(*log);
}
