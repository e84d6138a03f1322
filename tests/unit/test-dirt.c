/* SPDX-License-Identifier: Apache-2.0 */

#include "dirt/dirt.h"
#include "dirt/edit.h"
#include "dirt/unit.h"
#include "util/clock.h"
#include "util/macros.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_RECORDS 20000u
#define START_NS  (UINT64_C(1767225600) * NSEC_PER_SEC)
#define STEP_NS   (50 * NSEC_PER_MSEC) /* 1000 s in all: enough for what is late to come */

static struct i4_record record_number(uint64_t sequence) {
        return (struct i4_record){
                .sequence = sequence,
                .time_ns = START_NS + sequence * STEP_NS,
                .sensor = (uint32_t) (sequence % 8000),
                .value_e2 = 50000 + (int32_t) (sequence % 1000),
                .quality_e4 = 9000,
                .type = (uint8_t) (sequence % 8),
        };
}

/* All that comes out of N_RECORDS records that are handed over @n_batch at a time. */
struct outcome {
        char *text;
        size_t n;
        uint64_t counters[N_DIRT_KINDS];
};

static void outcome_deinit(struct outcome *outcome) {
        free(outcome->text);
}

static struct outcome spoil(const char *spec, size_t n_batch, size_t size, FILE *log) {
        _cleanup_(dirt_freep) struct dirt *dirt = NULL;
        _cleanup_(freep) struct i4_record *records = calloc(n_batch, sizeof(*records));
        struct outcome outcome = { .text = malloc((size_t) 2 * N_RECORDS * I4_LINE_MAX) };
        struct dirt_settings settings;
        char complaint[DIRT_COMPLAINT_MAX];
        size_t n;

        assert_non_null(outcome.text);
        assert_int_equal(dirt_settings_parse(&settings, spec, complaint), 0);
        assert_int_equal(dirt_new(&dirt, &settings, i4_catalog_get_default(), I4_EXTRA_SEQUENCE, log), 0);

        for (uint64_t sequence = 0; sequence < N_RECORDS; sequence += n) {
                size_t n_due = MIN(n_batch, N_RECORDS - (size_t) sequence);

                for (size_t i = 0; i < n_due; ++i)
                        records[i] = record_number(sequence + i);
                outcome.n += dirt_encode(dirt, records, n_due, outcome.text + outcome.n, size, &n);
                assert_in_range(n, 0, n_due);
        }
        while ((n = dirt_finish(dirt, outcome.text + outcome.n, size)) > 0)
                outcome.n += n;

        outcome.text[outcome.n] = '\0';
        memcpy(outcome.counters, dirt_get_counters(dirt), sizeof(outcome.counters));
        return outcome;
}

/* What a consumer can see without knowing the truth. */
struct findings {
        uint64_t n_lines, n_damaged, n_incomplete, n_null, n_disorder;
        uint64_t n_renamed, n_added;
        uint8_t n_seen[N_RECORDS];
};

static void findings_take(struct findings *findings, const cJSON *object, uint64_t *newestp) {
        const cJSON *sequence = cJSON_GetObjectItem(object, "seq"), *item;
        uint64_t number = (uint64_t) sequence->valuedouble;
        size_t n_fields = 0;

        for (size_t i = 0; i < edit_get_n_fields(); ++i) {
                item = cJSON_GetObjectItem(object, edit_get_field(i));
                n_fields += item != NULL;
                findings->n_null += item && cJSON_IsNull(item);
        }
        if (cJSON_GetObjectItem(object, "quality")) {
                ++findings->n_renamed;
                ++n_fields;
        }
        findings->n_added += cJSON_GetObjectItem(object, "firmware") != NULL;
        findings->n_incomplete += n_fields < edit_get_n_fields();

        findings->n_disorder += number < *newestp && findings->n_seen[number] == 0;
        *newestp = MAX(*newestp, number);
        ++findings->n_seen[number];
}

static void look(const struct outcome *outcome, struct findings *findings) {
        uint64_t newest = 0;
        char *rest = outcome->text, *line;

        *findings = (struct findings){};
        while ((line = strsep(&rest, "\n")) && *line) {
                const char *end = NULL;
                cJSON *object = cJSON_ParseWithOpts(line, &end, true);

                ++findings->n_lines;
                if (object)
                        findings_take(findings, object, &newest);
                else
                        ++findings->n_damaged;
                cJSON_Delete(object);
        }
}

static struct findings found;

static void test_clean(void **state) {
        _cleanup_(outcome_deinit) struct outcome outcome = spoil("0%", 100, 1 << 20, NULL);

        look(&outcome, &found);
        assert_int_equal(found.n_lines, N_RECORDS);
        assert_int_equal(found.n_damaged + found.n_incomplete + found.n_null + found.n_disorder, 0);
        for (size_t i = 0; i < N_DIRT_KINDS; ++i)
                assert_int_equal(outcome.counters[i], 0);
}

/* A counter says what a consumer finds, to the line. */
static void test_counters(void **state) {
        _cleanup_(outcome_deinit) struct outcome outcome = spoil("9%", 100, 1 << 20, NULL);
        const uint64_t *counters = outcome.counters;
        uint64_t n_twice = 0, n_gone = 0;

        look(&outcome, &found);
        for (size_t i = 0; i < N_RECORDS; ++i) {
                n_twice += found.n_seen[i] == 2;
                n_gone += found.n_seen[i] == 0;
                assert_in_range(found.n_seen[i], 0, 2);
        }

        assert_int_equal(found.n_lines, N_RECORDS + counters[DIRT_DUPLICATE]);
        assert_int_equal(n_twice, counters[DIRT_DUPLICATE]);
        assert_int_equal(found.n_damaged, counters[DIRT_MALFORMED] + counters[DIRT_TRUNCATED]);
        assert_int_equal(n_gone, found.n_damaged);
        assert_int_equal(found.n_incomplete, counters[DIRT_MISSING]);
        assert_int_equal(found.n_null, counters[DIRT_NULL]);
        assert_int_equal(found.n_disorder, counters[DIRT_LATE] + counters[DIRT_DISORDER]);

        /* 1 % each; six standard deviations are 85. The values made here are the same in no two units. */
        for (size_t i = 0; i < N_DIRT_DEFECTS; ++i)
                assert_in_range(counters[i], N_RECORDS / 100 - 85, N_RECORDS / 100 + 85);
        assert_int_equal(counters[DIRT_SKEW] + counters[DIRT_RENAME] + counters[DIRT_ADDED], 0);
}

static void test_drift(void **state) {
        _cleanup_(outcome_deinit) struct outcome outcome =
                        spoil("rename=100s,added=2026-01-01T00:05:00Z,skew=10%", 100, 1 << 20, NULL);

        look(&outcome, &found);
        assert_int_equal(found.n_renamed, N_RECORDS - 100 * NSEC_PER_SEC / STEP_NS);
        assert_int_equal(found.n_added, N_RECORDS - 300 * NSEC_PER_SEC / STEP_NS);
        assert_int_equal(outcome.counters[DIRT_RENAME], found.n_renamed);
        assert_int_equal(outcome.counters[DIRT_ADDED], found.n_added);
        assert_int_equal(found.n_incomplete, 0);
        /* of 8000 sensors, six standard deviations either way */
        assert_in_range(outcome.counters[DIRT_SKEW], N_RECORDS / 10 - 400, N_RECORDS / 10 + 400);
}

/* However records are handed over and however little room there is, the same bytes come out. */
static void test_batches(void **state) {
        _cleanup_(outcome_deinit) struct outcome whole = spoil("20%", 5000, 1 << 20, NULL);
        _cleanup_(outcome_deinit) struct outcome single = spoil("20%", 1, 1 << 20, NULL);
        _cleanup_(outcome_deinit) struct outcome narrow = spoil("20%", 777, DIRT_SIZE_MIN, NULL);
        _cleanup_(outcome_deinit) struct outcome other = spoil("20%,seed=2", 777, 1 << 20, NULL);

        assert_string_equal(whole.text, single.text);
        assert_string_equal(whole.text, narrow.text);
        assert_string_not_equal(whole.text, other.text);
}

static void test_log(void **state) {
        _cleanup_(freep) char *text = NULL;
        size_t n, n_lines = 0, n_skewed = 0;
        uint64_t n_counted = 0;
        FILE *log = open_memstream(&text, &n);
        _cleanup_(outcome_deinit) struct outcome outcome = spoil("9%,skew=5%,rename=1s", 100, 1 << 20, log);
        char *rest, *line;

        assert_non_null(log);
        assert_int_equal(fclose(log), 0);

        rest = text;
        while ((line = strsep(&rest, "\n")) && *line) {
                cJSON *object = cJSON_Parse(line);
                const char *defect = cJSON_GetStringValue(cJSON_GetObjectItem(object, "defect"));

                assert_non_null(defect);
                assert_non_null(cJSON_GetStringValue(cJSON_GetObjectItem(object, "sensor_id")));
                assert_non_null(cJSON_GetStringValue(cJSON_GetObjectItem(object, "timestamp")));
                n_skewed += strcmp(defect, dirt_kind_to_string(DIRT_SKEW)) == 0;
                ++n_lines;
                cJSON_Delete(object);
        }

        for (size_t i = 0; i < N_DIRT_DEFECTS; ++i)
                n_counted += outcome.counters[i];
        assert_in_range(n_skewed, 1, 8000);
        assert_int_equal(n_lines, n_counted + n_skewed + 1);
}

static void edit_example(char text[static 128], struct line *line) {
        strcpy(text, "{\"type\":\"flow\",\"location\":{\"value\":1},\"value\":12.5}\n");
        *line = (struct line){ .text = text, .n = strlen(text) };
}

static void test_edit(void **state) {
        char text[128];
        struct line line;

        edit_example(text, &line);
        edit_remove(&line, "value");
        assert_string_equal(text, "{\"type\":\"flow\",\"location\":{\"value\":1}}\n");
        edit_remove(&line, "type");
        assert_string_equal(text, "{\"location\":{\"value\":1}}\n");
        edit_change_type(&line, "location");
        assert_string_equal(text, "{\"location\":[]}\n");
        edit_remove(&line, "location");
        assert_string_equal(text, "{}\n");
        assert_int_equal(line.n, strlen(text));

        edit_example(text, &line);
        edit_set_null(&line, "type");
        edit_change_type(&line, "value");
        edit_rename(&line, "location", "place");
        edit_append(&line, "\"new\":1");
        assert_string_equal(text, "{\"type\":null,\"place\":{\"value\":1},\"value\":\"12.5\",\"new\":1}\n");
        assert_int_equal(line.n, strlen(text));
}

static void test_unit(void **state) {
        assert_int_equal(unit_mix_up("fahrenheit", 21200), 10000);
        assert_int_equal(unit_mix_up("psi", 100000), 6894);
        assert_int_equal(unit_mix_up("furlong", 100000), 100);
}

static void test_settings(void **state) {
        static const struct {
                const char *text;
                const char *complaint;
        } wrong[] = {
                { "", "'' is neither a share such as 1% nor KIND=VALUE with a kind of dirt" },
                { "nul=1%", "'nul' is neither a share such as 1% nor KIND=VALUE with a kind of dirt" },
                { "null=1", "null=1 is not a share such as 0.5%" },
                { "rename=soon", "rename=soon is not a span such as 10m, or a time" },
                { "null=60%,late=41%", "shares of lines come to more than 100% together" },
                { "1%,seed=x", "seed=x is not a whole number below 2^64" },
        };
        struct dirt_settings settings = {};
        char complaint[DIRT_COMPLAINT_MAX];
        uint32_t sum_e4 = 0;

        for (size_t i = 0; i < ELEMENTSOF(wrong); ++i) {
                assert_true(dirt_settings_parse(&settings, wrong[i].text, complaint) < 0);
                assert_string_equal(complaint, wrong[i].complaint);
        }

        assert_int_equal(dirt_settings_parse(&settings, "1%,seed=5", complaint), 0);
        for (size_t i = 0; i < N_DIRT_DEFECTS; ++i)
                sum_e4 += settings.shares_e4[i];
        assert_int_equal(sum_e4, 100);
        assert_true(settings.has_seed);
        assert_int_equal(settings.seed, 5);
        assert_int_equal(settings.rename.ns, NSEC_INFINITY);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_clean),
                cmocka_unit_test(test_counters),
                cmocka_unit_test(test_drift),
                cmocka_unit_test(test_batches),
                cmocka_unit_test(test_log),
                cmocka_unit_test(test_edit),
                cmocka_unit_test(test_unit),
                cmocka_unit_test(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
