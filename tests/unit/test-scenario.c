/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Incidents that somebody wants: in a list, in a file, in the readings, and in the list of what has shown.
 */

#include "model/chronicle.h"
#include "model/scenario_file.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define EPOCH_NS (UINT64_C(1780000000) * NSEC_PER_SEC)
#define N_ALL    400000u

static const struct anchor anchor = {
        .time_ns = EPOCH_NS,
        .rate = { .n_records = 4000, .period_ns = NSEC_PER_SEC },
};

static struct model *make(enum model_kind kind, uint32_t anomalies_e4) {
        struct model_settings settings = { .kind = kind, .seed = 5, .anomalies_e4 = anomalies_e4 };
        struct model *model = NULL;

        assert_int_equal(model_new(&model, &settings, i4_catalog_get_default()), 0);
        return model;
}

static void generate(struct model *model, struct i4_record *records, size_t n) {
        struct timeline timeline;

        timeline_init(&timeline, &anchor, 0);
        model_generate(model, 0, 0, &timeline, records, n);
}

/* a list */

static struct scenario_entry entry_of(enum i4_fault kind, uint32_t target, uint64_t start, uint64_t end) {
        return (struct scenario_entry){
                .incident = { .kind = (uint8_t) kind, .start_ns = start, .end_ns = end },
                .until_ns = end,
                .target = target,
        };
}

static void test_list(void **state) {
        _cleanup_(scenario_freep) struct scenario *scenario = calloc(1, sizeof(*scenario));
        struct scenario_entry entries[] = {
                entry_of(I4_FAULT_STUCK, 7, 100, 200),
                entry_of(I4_FAULT_LEAK, 7, 150, 300),
                entry_of(I4_FAULT_STUCK, 7, 50, 100),
                entry_of(I4_FAULT_NOISE, 7, 400, 500),
                entry_of(I4_FAULT_NOISE, 8, 120, 130),
        };
        struct scenario_span span;

        for (size_t i = 0; i < ELEMENTSOF(entries); ++i)
                assert_int_equal(scenario_add(scenario, &entries[i]), 0);

        /* Targets do not mix, and times do not overlap. */
        entries[0] = entry_of(I4_FAULT_SPIKE, 7, 199, 210);
        assert_int_equal(scenario_add(scenario, &entries[0]), -EBUSY);
        entries[0] = entry_of(I4_FAULT_SPIKE, 7, 200, 401);
        assert_int_equal(scenario_add(scenario, &entries[0]), -EBUSY);

        span = scenario_find(scenario, false, 7, 49);
        assert_null(span.incident);
        assert_int_equal(span.from_ns, 0);
        assert_int_equal(span.until_ns, 50);
        span = scenario_find(scenario, false, 7, 99);
        assert_int_equal(span.incident->start_ns, 50);
        span = scenario_find(scenario, false, 7, 100);
        assert_int_equal(span.incident->start_ns, 100);
        assert_int_equal(span.until_ns, 200);
        span = scenario_find(scenario, false, 7, 200);
        assert_null(span.incident);
        assert_int_equal(span.from_ns, 200);
        assert_int_equal(span.until_ns, 400);
        span = scenario_find(scenario, false, 7, 500);
        assert_null(span.incident);
        assert_true(span.until_ns == UINT64_MAX);
        span = scenario_find(scenario, true, 7, 299);
        assert_int_equal(span.incident->kind, I4_FAULT_LEAK);
        span = scenario_find(scenario, true, 8, 125);
        assert_null(span.incident);
        span = scenario_find(NULL, true, 8, 125);
        assert_null(span.incident);
}

/* a file */

static void collect(void *userdata, const char *file, unsigned int line, const char *text) {
        char *all = userdata;
        size_t n = strlen(all);

        (void) snprintf(all + n, 4096 - n, "%u: %s\n", line, text);
}

static int parse(struct scenario **scenariop, const struct model *model, const char *text, char *told) {
        struct scenario_context context = { i4_catalog_get_default(), model, EPOCH_NS, 0 };
        struct complaints complaints = { .report = collect, .userdata = told };

        *told = 0;
        return scenario_parse(scenariop, &context, "x", text, strlen(text), &complaints);
}

static void test_file(void **state) {
        _cleanup_(model_freep) struct model *model = make(MODEL_NETWORK, 0);
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        const struct scenario_entry *entry;
        char told[4096];

        assert_int_equal(parse(&scenario, model,
                                         "# what happens\n"
                                         "\n"
                                         "{\"kind\":\"stuck\",\"sensor\":\"SNS-pre-0042\",\"start\":\"+30s\","
                                         "\"end\":\"+90s\",\"direction\":\"down\"}\n"
                                         "{\"kind\":\"leak\",\"pipeline\":\"PIPE-TX-002\",\"mile\":12.34,"
                                         "\"start\":\"2026-06-01T00:00:00Z\",\"for\":\"10m\",\"strength\":1}",
                                         told),
                        0);
        assert_int_equal(scenario->n_entries, 2);

        entry = &scenario->entries[0];
        assert_int_equal(entry->target, 1);
        assert_int_equal(entry->incident.kind, I4_FAULT_LEAK);
        assert_int_equal(entry->incident.place_e2, 1234);
        assert_int_equal(entry->incident.strength_q16, 65536);
        assert_int_equal(entry->incident.end_ns - entry->incident.start_ns, 600 * NSEC_PER_SEC);
        /* The wave has to run off. */
        assert_true(entry->until_ns > entry->incident.end_ns + 60 * NSEC_PER_SEC);

        entry = &scenario->entries[1];
        assert_int_equal(entry->target, 42);
        assert_int_equal(entry->incident.start_ns, EPOCH_NS + 30 * NSEC_PER_SEC);
        assert_int_equal(entry->until_ns, EPOCH_NS + 90 * NSEC_PER_SEC);
        assert_true(entry->incident.is_negative);
}

#define LEAK  "\"kind\":\"leak\",\"pipeline\":\"PIPE-TX-001\",\"mile\":1"
#define STUCK "\"kind\":\"stuck\",\"sensor\":\"SNS-pre-0042\""
#define WHEN  ",\"start\":\"+1s\",\"for\":\"1m\""

static void test_mistakes(void **state) {
        static const struct {
                const char *text, *told;
        } mistakes[] = {
                { "[]", "1: An incident must be a JSON object" },
                { "\n{\"kind\":", "2: An incident must be a JSON object" },
                { "{" STUCK WHEN ",\"when\":1}", "no key \"when\"" },
                { "{\"kind\":\"flood\"}", "\"kind\" must be leak," },
                { "{\"kind\":7}", "\"kind\" must be a string" },
                { "{\"kind\":\"leak\",\"pipeline\":\"PIPE-XX\",\"mile\":1" WHEN "}",
                                "no pipeline \"PIPE-XX\"" },
                { "{\"kind\":\"leak\",\"sensor\":\"SNS-pre-0042\"" WHEN "}",
                                "needs a \"pipeline\" and a \"mile\"" },
                { "{\"kind\":\"leak\",\"pipeline\":\"PIPE-TX-001\"" WHEN "}", "and a \"mile\"" },
                { "{" LEAK "e9" WHEN "}", "\"mile\" must be a number of miles" },
                { "{" LEAK "000" WHEN "}", "beyond the end" },
                { "{" STUCK ",\"mile\":1" WHEN "}", "needs a \"sensor\", and no" },
                { "{\"kind\":\"stuck\",\"sensor\":\"SNS-pre-9999\"" WHEN "}",
                                "no sensor \"SNS-pre-9999\" among the 8000" },
                { "{\"kind\":\"stuck\",\"sensor\":\"SNS-pre-7999\"" WHEN "}", "number 7999 is SNS-val-7999" },
                { "{" STUCK ",\"for\":\"1m\"}", "lacks its \"start\"" },
                { "{" STUCK ",\"start\":\"+1s\"}", "either \"for\" or \"end\"" },
                { "{" STUCK WHEN ",\"end\":\"+9s\"}", "either \"for\" or \"end\"" },
                { "{" STUCK ",\"start\":\"+9s\",\"end\":\"+9s\"}", "\"end\" must be after \"start\"" },
                { "{" STUCK ",\"start\":\"soon\",\"for\":\"1m\"}", "\"start\" must be a time like" },
                { "{" STUCK ",\"start\":\"+1s\",\"for\":\"0\"}", "\"for\" must be a span" },
                { "{" STUCK WHEN ",\"strength\":1.1}", "\"strength\" must be a number from 0 to 1" },
                { "{" STUCK WHEN ",\"direction\":\"left\"}", "\"direction\" must be up or down" },
                { "{" STUCK WHEN ",\"event\":0}", "\"event\" must be a whole number" },
                { "{" STUCK WHEN "}\n{" STUCK WHEN "}\n", "2: There is another incident of the same sensor" },
        };
        _cleanup_(model_freep) struct model *model = make(MODEL_NETWORK, 0);

        for (size_t i = 0; i < ELEMENTSOF(mistakes); ++i) {
                struct scenario *scenario = NULL;
                char told[4096];

                assert_int_equal(parse(&scenario, model, mistakes[i].text, told), -EINVAL);
                assert_null(scenario);
                if (!strstr(told, mistakes[i].told))
                        fail_msg("\"%s\" is told as \"%s\"", mistakes[i].text, told);
        }
}

static void test_uniform(void **state) {
        _cleanup_(model_freep) struct model *model = make(MODEL_UNIFORM, 0);
        struct scenario *scenario = NULL;
        char told[4096];

        assert_int_equal(parse(&scenario, model, "{" STUCK WHEN "}", told), -EINVAL);
        assert_non_null(strstr(told, "Only the network model has incidents"));
}

/* readings */

static void test_readings(void **state) {
        _cleanup_(model_freep) struct model *plain = make(MODEL_NETWORK, 0), *model = make(MODEL_NETWORK, 0);
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        _cleanup_(freep) struct i4_record *before = calloc(N_ALL, sizeof(*before)),
                                          *after = calloc(N_ALL, sizeof(*after));
        size_t n_stuck = 0, n_leak = 0;
        uint32_t leak, stuck;
        char told[4096];

        assert_int_equal(parse(&scenario, model,
                                         "{" LEAK "20,\"start\":\"+10s\",\"for\":\"60s\",\"strength\":1}\n"
                                         "{" STUCK ",\"start\":\"+20s\",\"for\":\"40s\"}\n",
                                         told),
                        0);
        leak = scenario->entries[0].incident.id;
        stuck = scenario->entries[1].incident.id;
        model_exchange_scenario(model, &scenario);
        assert_null(scenario);
        generate(plain, before, N_ALL);
        generate(model, after, N_ALL);

        for (size_t i = 0; i < N_ALL; ++i) {
                uint64_t time_ns = after[i].time_ns - EPOCH_NS;

                switch (after[i].fault) {
                case I4_FAULT_NONE:
                        /* Chance is as it was, whatever else happens. */
                        assert_memory_equal(&before[i], &after[i], sizeof(*before));
                        break;
                case I4_FAULT_STUCK:
                        assert_int_equal(after[i].sensor, 42);
                        assert_int_equal(after[i].event, stuck);
                        assert_in_range(time_ns, 20 * NSEC_PER_SEC, 60 * NSEC_PER_SEC - 1);
                        ++n_stuck;
                        break;
                case I4_FAULT_LEAK:
                        assert_int_equal(after[i].pipeline, 0);
                        assert_int_equal(after[i].event, leak);
                        assert_true(time_ns > 10 * NSEC_PER_SEC);
                        ++n_leak;
                        break;
                default:
                        fail_msg("fault %u", after[i].fault);
                }
        }

        /* One reading in two seconds. */
        assert_int_equal(n_stuck, 20);
        assert_true(n_leak > 1000);
}

/* A list taken back is as if it had never been. */
static void test_exchange(void **state) {
        _cleanup_(model_freep) struct model *plain = make(MODEL_NETWORK, 500),
                                            *model = make(MODEL_NETWORK, 500);
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        _cleanup_(freep) struct i4_record *before = calloc(N_ALL, sizeof(*before)),
                                          *after = calloc(N_ALL, sizeof(*after));
        char told[4096];

        assert_int_equal(parse(&scenario, model, "{" LEAK WHEN "}\n{" STUCK WHEN "}\n", told), 0);
        model_exchange_scenario(model, &scenario);
        generate(model, after, N_ALL);
        model_exchange_scenario(model, &scenario);
        assert_int_equal(scenario->n_entries, 2);

        generate(plain, before, N_ALL);
        assert_memory_not_equal(before, after, N_ALL * sizeof(*before));
        generate(model, after, N_ALL);
        assert_memory_equal(before, after, N_ALL * sizeof(*before));
}

/* what has shown */

/* The truth about one run, given to another in which nothing happens by chance, makes the same run. */
static void test_chronicle(void **state) {
        _cleanup_(model_freep) struct model *model = make(MODEL_NETWORK, 1000),
                                            *again = make(MODEL_NETWORK, 0);
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        _cleanup_(chronicle_freep) struct chronicle *chronicle = NULL;
        _cleanup_(freep) struct i4_record *before = calloc(N_ALL, sizeof(*before)),
                                          *after = calloc(N_ALL, sizeof(*after));
        _cleanup_(freep) char *text = NULL;
        char told[4096];
        size_t size;
        FILE *file;

        file = open_memstream(&text, &size);
        assert_non_null(file);
        assert_int_equal(chronicle_new(&chronicle, model, NULL, i4_catalog_get_default(), file), 0);
        generate(model, before, N_ALL);
        assert_int_equal(chronicle_look(chronicle, before, N_ALL / 2), 0);
        assert_int_equal(chronicle_look(chronicle, before + N_ALL / 2, N_ALL / 2), 0);
        assert_int_equal(fclose(file), 0);
        assert_true(chronicle_get_n_incidents(chronicle) > 100);

        assert_int_equal(parse(&scenario, again, text, told), 0);
        assert_int_equal(scenario->n_entries, chronicle_get_n_incidents(chronicle));
        model_exchange_scenario(again, &scenario);
        generate(again, after, N_ALL);
        assert_memory_equal(before, after, N_ALL * sizeof(*before));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_uniform),
                cmocka_unit_test(test_readings),
                cmocka_unit_test(test_exchange),
                cmocka_unit_test(test_chronicle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
