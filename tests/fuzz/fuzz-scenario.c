/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A scenario of a stranger: it becomes incidents that can be written down and read back as the same, and that
 * happen, or is complained about.
 */

#include "model/fleet.h"
#include "model/scenario_file.h"
#include "util/clock.h"

#include <errno.h>

#define ENTRIES_PLAYED_MAX 8

#define START_NS (UINT64_C(1780000000) * NSEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report_check(void *userdata, const char *file, unsigned int line, const char *text) {
        const unsigned int *n_lines = userdata;

        if (line < 1 || line > *n_lines || !*text)
                abort();
}

static bool entry_is_same(const struct scenario_entry *a, const struct scenario_entry *b) {
        const struct incident *x = &a->incident, *y = &b->incident;

        return a->target == b->target && a->until_ns == b->until_ns && x->kind == y->kind && x->id == y->id &&
               x->start_ns == y->start_ns && x->end_ns == y->end_ns && x->place_e2 == y->place_e2 &&
               x->strength_q16 == y->strength_q16 && x->is_negative == y->is_negative;
}

static void entry_check(const struct scenario_entry *entry, const struct scenario_context *context) {
        char members[SCENARIO_TEXT_MAX], text[SCENARIO_TEXT_MAX + 2];
        unsigned int n_lines = 1;
        struct complaints complaints = { .report = report_check, .userdata = &n_lines };
        struct scenario_entry again;
        int n;

        scenario_entry_format(entry, context->catalog, members);
        n = snprintf(text, sizeof(text), "{%s}", members);
        if (scenario_entry_parse(&again, context, text, (size_t) n, "again", 1, &complaints) < 0 ||
                        !entry_is_same(&again, entry))
                abort();
}

static uint32_t sensor_find_step(const struct i4_catalog *catalog, uint32_t number) {
        static struct fleet_sensor *sensors;
        uint32_t step = 0;

        if (!sensors) {
                sensors = calloc(catalog->n_sensors, sizeof(*sensors));
                if (!sensors)
                        abort();
                fleet_lay_out(catalog, sensors);
        }

        while (sensors[step].number != number)
                ++step;
        return step;
}

/* What a sensor that it concerns reads at @time_ns. */
static struct i4_record entry_read(const struct scenario_entry *entry, struct model *model,
                const struct i4_catalog *catalog, uint64_t time_ns) {
        /* Pipelines take turns, and some of these are flows. */
        uint32_t flow = (uint32_t) i4_catalog_find_type(catalog, "flow_rate") * catalog->n_sensors /
                        catalog->n_types;
        uint32_t number = incident_is_of_pipeline(&entry->incident) ? flow + entry->target : entry->target;
        uint32_t step = sensor_find_step(catalog, number);
        struct anchor anchor = { .step = step, .time_ns = time_ns, .rate = { 1, NSEC_PER_SEC } };
        struct timeline timeline;
        struct i4_record record;

        timeline_init(&timeline, &anchor, step);
        model_generate(model, step, step, &timeline, &record, 1);
        return record;
}

/* Whatever is told to be wrong can be described; before it begins, an incident does not show. */
static void entry_play(const struct scenario_entry *entry, const struct scenario *scenario,
                struct model *model, const struct i4_catalog *catalog) {
        const struct incident *incident = &entry->incident;
        const uint64_t times_ns[] = {
                MAX(incident->start_ns, UINT64_C(1)) - 1,
                incident->start_ns,
                incident->start_ns + (incident->end_ns - incident->start_ns) / 2,
                incident->end_ns - 1,
                entry->until_ns,
        };

        for (size_t i = 0; i < ELEMENTSOF(times_ns); ++i) {
                struct i4_record record = entry_read(entry, model, catalog, times_ns[i]);
                struct scenario_entry described;

                if (record.fault == I4_FAULT_NONE)
                        continue;
                if (model_describe(model, scenario, &record, &described) < 0 ||
                                times_ns[i] < described.incident.start_ns ||
                                times_ns[i] >= described.until_ns)
                        abort();
        }
}

static void scenario_play(struct scenario **scenario, struct model *model, const struct i4_catalog *catalog) {
        const struct scenario *played = *scenario;

        model_exchange_scenario(model, scenario);
        for (size_t i = 0; i < MIN(played->n_entries, (size_t) ENTRIES_PLAYED_MAX); ++i)
                entry_play(&played->entries[i], played, model, catalog);
        model_exchange_scenario(model, scenario);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static struct model *model;
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        struct model_settings settings = { .kind = MODEL_NETWORK };
        unsigned int n_lines = 1;
        struct complaints complaints = { .report = report_check, .userdata = &n_lines };
        struct scenario_context context = { i4_catalog_get_default(), model, START_NS, START_NS };
        int r;

        if (!model && model_new(&model, &settings, context.catalog) < 0)
                abort();
        context.model = model;
        for (size_t i = 0; i < size; ++i)
                n_lines += data[i] == '\n';

        r = scenario_parse(&scenario, &context, "fuzz", (const char *) data, size, &complaints);
        if (r >= 0 ? complaints.n != 0 || !scenario : r != -EINVAL || complaints.n == 0 || scenario)
                abort();
        for (size_t i = 0; scenario && i < scenario->n_entries; ++i)
                entry_check(&scenario->entries[i], &context);
        if (scenario)
                scenario_play(&scenario, model, context.catalog);

        return 0;
}
