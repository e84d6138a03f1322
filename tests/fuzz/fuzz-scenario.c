/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A scenario of a stranger: it becomes incidents that can be written down and read back as the same, or is
 * complained about.
 */

#include "model/scenario_file.h"
#include "util/clock.h"

#include <errno.h>

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

        return 0;
}
