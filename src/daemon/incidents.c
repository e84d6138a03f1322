/* SPDX-License-Identifier: Apache-2.0 */

/*
 * In force before it begins
 *
 * A reading is a function of its time and of the list of incidents, and no reading that was made may change:
 * an incident has to be in the generator's list before the first reading of its time is made. So it begins a
 * second from now, and when the list was handed over the clock is looked at again. The generator looks at the
 * clock first and at its list then, so no round that knows the old list reaches a time after that look.
 */

#include "daemon/incidents.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>

#define LEAD_NS       NSEC_PER_SEC
#define HANDOVER_NS   (NSEC_PER_SEC / 2) /* by less than the rest the generator's clock differs from ours */
#define HANDOVERS_MAX 5u
#define ORDER_NAME    "order" /* in complaints; nobody sees it */

struct incidents {
        const struct model *model;
        const struct i4_catalog *catalog;
        struct scenario *scenario;
        struct event_log *log; /* NULL: there is none */
        struct spool *record;  /* the same */
};

static int incidents_load(struct incidents *incidents, const char *path, struct complaints *complaints) {
        struct scenario_context context = { .catalog = incidents->catalog, .model = incidents->model };

        return scenario_load(&incidents->scenario, &context, path, complaints);
}

/* What is not written yet counts, too: the recorder writes it when the disk answers. */
static int incidents_load_record(struct incidents *incidents, struct complaints *complaints) {
        struct scenario_context context = { .catalog = incidents->catalog, .model = incidents->model };
        const char *path = spool_get_path(incidents->record), *text;
        size_t size;
        int r;

        r = scenario_load_record(incidents->scenario, &context, path, complaints);
        if (r < 0)
                return r;

        size = spool_peek(incidents->record, &text);
        return scenario_parse_record(incidents->scenario, &context, path, text, size, complaints);
}

int incidents_new(struct incidents **incidentsp, const struct model *model, const struct i4_catalog *catalog,
                const char *scenario_path, struct spool *record, struct complaints *complaints) {
        _cleanup_(incidents_freep) struct incidents *incidents = NULL;
        int r;

        incidents = calloc(1, sizeof(*incidents));
        if (!incidents)
                return -ENOMEM;

        incidents->model = model;
        incidents->catalog = catalog;
        incidents->record = record;

        if (scenario_path)
                r = incidents_load(incidents, scenario_path, complaints);
        else
                r = scenario_new(&incidents->scenario);
        if (r >= 0 && record)
                r = incidents_load_record(incidents, complaints);
        if (r < 0)
                return r;

        *incidentsp = TAKE_PTR(incidents);
        return 0;
}

struct incidents *incidents_free(struct incidents *incidents) {
        if (!incidents)
                return NULL;

        (void) scenario_free(incidents->scenario);
        free(incidents);
        return NULL;
}

static int incidents_tell_log(const struct incidents *incidents, const struct scenario *scenario) {
        struct scenario *copy = NULL;
        int r;

        if (!incidents->log)
                return 0;

        r = scenario_copy(scenario, &copy);
        if (r >= 0)
                event_log_set_scenario(incidents->log, copy);
        return r;
}

int incidents_set_event_log(struct incidents *incidents, struct event_log *log) {
        incidents->log = log;
        return incidents_tell_log(incidents, incidents->scenario);
}

int incidents_copy(const struct incidents *incidents, struct scenario **scenariop) {
        return scenario_copy(incidents->scenario, scenariop);
}

static int incidents_record(const struct incidents *incidents, const struct scenario_entry *entry,
                struct complaints *complaints) {
        char members[SCENARIO_TEXT_MAX], line[SCENARIO_TEXT_MAX + 4];
        int r;

        if (!incidents->record)
                return 0;
        r = spool_get_error(incidents->record);
        if (r < 0)
                return r;

        scenario_entry_format(entry, incidents->catalog, members);
        (void) snprintf(line, sizeof(line), "{%s}\n", members);
        r = spool_put(incidents->record, line);
        if (r == -ENOBUFS) {
                complain(complaints, ORDER_NAME, 0,
                                "The disk does not answer, and no more orders can wait for it");
                return -EINVAL;
        }

        return r;
}

static int entry_read(const struct incidents *incidents, const char *text, size_t size, uint64_t now_ns,
                struct complaints *complaints, struct scenario_entry *entry) {
        struct scenario_context context = {
                .catalog = incidents->catalog,
                .model = incidents->model,
                .start_ns = now_ns,
                .now_ns = now_ns + LEAD_NS,
        };
        int r;

        r = scenario_entry_parse(entry, &context, text, size, ORDER_NAME, 0, complaints);
        if (r >= 0 && entry->incident.start_ns < now_ns + LEAD_NS) {
                complain(complaints, ORDER_NAME, 0,
                                "\"start\" must lie a second ahead at least: what was read stays as it is");
                r = -EINVAL;
        }

        return r;
}

static int incidents_add(const struct incidents *incidents, const struct scenario_entry *entry,
                struct scenario **nextp, struct complaints *complaints) {
        _cleanup_(scenario_freep) struct scenario *next = NULL;
        int r;

        r = scenario_copy(incidents->scenario, &next);
        if (r >= 0)
                r = scenario_add(next, entry);
        if (r == -EBUSY)
                complain(complaints, ORDER_NAME, 0, "There is another incident of the same %s at that time",
                                incident_is_of_pipeline(&entry->incident) ? "pipeline" : "sensor");
        if (r < 0)
                return r == -EBUSY ? -EINVAL : r;

        *nextp = TAKE_PTR(next);
        return 0;
}

/* First who describes what the other makes. */
static int incidents_hand_over(const struct incidents *incidents, const struct scenario *scenario,
                struct generator *generator) {
        struct scenario *copy = NULL;
        int r;

        r = scenario_copy(scenario, &copy);
        if (r >= 0)
                r = incidents_tell_log(incidents, scenario);
        if (r < 0) {
                (void) scenario_free(copy);
                return r;
        }

        generator_set_scenario(generator, copy);
        return 0;
}

/* Gives it the id that the list gave it. */
static void entry_complete(struct scenario_entry *entry, const struct scenario *scenario) {
        struct scenario_span span = scenario_find(scenario, incident_is_of_pipeline(&entry->incident),
                        entry->target, entry->incident.start_ns);

        entry->incident = *span.incident;
}

/* 1: it was in force in time, and is put down; 0: it was not. */
static int incidents_try(struct incidents *incidents, struct generator *generator,
                const struct scenario_entry *entry, struct scenario **nextp, struct complaints *complaints) {
        int r;

        r = incidents_hand_over(incidents, *nextp, generator);
        if (r < 0)
                return r;
        if (clock_now_ns(CLOCK_REALTIME) + HANDOVER_NS >= entry->incident.start_ns)
                return 0;
        r = incidents_record(incidents, entry, complaints);
        if (r < 0)
                return r;

        (void) scenario_free(incidents->scenario);
        incidents->scenario = TAKE_PTR(*nextp);
        return 1;
}

bool incidents_are_recorded(const struct incidents *incidents) {
        return !incidents->record || spool_is_empty(incidents->record);
}

int incidents_order(struct incidents *incidents, struct generator *generator, const char *text, size_t size,
                struct complaints *complaints, struct scenario_entry *entry) {
        int r = 0;

        for (unsigned int i = 0; i < HANDOVERS_MAX && r == 0; ++i) {
                _cleanup_(scenario_freep) struct scenario *next = NULL;

                r = entry_read(incidents, text, size, clock_now_ns(CLOCK_REALTIME), complaints, entry);
                if (r >= 0)
                        r = incidents_add(incidents, entry, &next, complaints);
                if (r < 0)
                        break;
                entry_complete(entry, next);
                r = incidents_try(incidents, generator, entry, &next, complaints);
        }

        if (r > 0)
                return 0;
        (void) incidents_hand_over(incidents, incidents->scenario, generator);
        return r < 0 ? r : -ETIMEDOUT;
}
