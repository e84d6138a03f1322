/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Incidents that the administrator wants
 *
 * Those of the file that Scenario= names, and those that were ordered while a daemon ran. The latter are
 * put down for a file of the same kind before they are in force, and are read from it at the next start: the
 * run can be continued, and repeated. Main loop only, which waits for no disk: the recorder's thread writes
 * them, before it stores a reading of their time.
 */

#include "daemon/event_log.h"
#include "daemon/generator.h"
#include "daemon/spool.h"
#include "model/scenario_file.h"

struct incidents;

/*
 * @scenario_path, @record: NULL if there is none; the record's file need not exist, and what cannot be used
 * of it, perhaps because the fleet is another by now, is told to @complaints and left. -EINVAL: told, too.
 * What is returned goes to the model before the generator starts; @model, @catalog and @record must outlive
 * it.
 */
int incidents_new(struct incidents **incidentsp, const struct model *model, const struct i4_catalog *catalog,
                const char *scenario_path, struct spool *record, struct complaints *complaints);
struct incidents *incidents_free(struct incidents *incidents);

/* Who has to know of all of them as well, and must outlive it. -ENOMEM. */
int incidents_set_event_log(struct incidents *incidents, struct event_log *log);

/* A copy of all of them, for the model. */
int incidents_copy(const struct incidents *incidents, struct scenario **scenariop);

/*
 * One more, as text of scenario_file.h, from a second from now on at the earliest. It is in force when this
 * returns, and put down to be recorded. -EINVAL: told to @complaints. Else why it could not be: also what
 * keeps those before it from being recorded.
 */
int incidents_order(struct incidents *incidents, struct generator *generator, const char *text, size_t size,
                struct complaints *complaints, struct scenario_entry *entry);

/* What was ordered is in the record, if there is one. */
bool incidents_are_recorded(const struct incidents *incidents);

static inline void incidents_freep(struct incidents **incidents) {
        if (*incidents)
                (void) incidents_free(*incidents);
}
