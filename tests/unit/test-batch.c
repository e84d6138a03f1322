/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/batch.h"
#include "util/clock.h"
#include "util/macros.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NOW_NS (UINT64_C(1705209772) * NSEC_PER_SEC + 345678901)

struct fixture {
        struct batch batch;
        struct rules *rules;
        i4_encoder *encoder;
        cJSON *root; /* of the text that was last closed */
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        assert_int_equal(rules_new(&f->rules, RULES_REFERENCE, i4_catalog_get_default()), 0);
        assert_int_equal(i4_encoder_new(&f->encoder, i4_catalog_get_default()), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        cJSON_Delete(f->root);
        batch_deinit(&f->batch);
        i4_encoder_free(f->encoder);
        rules_free(f->rules);
        free(f);
        return 0;
}

static void make(struct fixture *f, enum batch_form form) {
        const struct batch_settings settings = {
                .form = form,
                .n_records = 100,
                .edge_node = "edge \"west\"",
                .pipeline = "p",
                .rules = f->rules,
                .is_scored = form == BATCH_ENRICHED,
        };

        assert_int_equal(batch_init(&f->batch, &settings), 0);
        assert_int_equal(batch_set_source(&f->batch, "ring/\\"), 0);
        batch_begin(&f->batch, 5);
}

/* A pressure of @value psi. */
static struct i4_record record_make(
                uint64_t sequence, int32_t value, uint16_t quality_e4, enum i4_fault fault) {
        return (struct i4_record){
                .sequence = sequence,
                .time_ns = NOW_NS,
                .value_e2 = value * 100,
                .quality_e4 = quality_e4,
                .type = (uint8_t) i4_catalog_find_type(i4_catalog_get_default(), "pressure"),
                .fault = (uint8_t) fault,
        };
}

static void add(struct fixture *f, const struct i4_record *records, size_t n) {
        assert_int_equal(batch_add_records(&f->batch, f->encoder, records, n, NOW_NS), 0);
}

static void add_line(struct fixture *f, const char *text) {
        struct line line;

        assert_int_equal(line_parse(&line, text, strlen(text)), 0);
        assert_int_equal(batch_add_line(&f->batch, &line, NOW_NS), 0);
}

static const cJSON *close_batch(struct fixture *f) {
        struct json_span text = batch_close(&f->batch, NOW_NS);
        const char *end;

        cJSON_Delete(f->root);
        f->root = cJSON_ParseWithLengthOpts(text.text, text.size, &end, false);
        assert_non_null(f->root);
        assert_ptr_equal(end + 1, text.text + text.size);
        return f->root;
}

static const cJSON *get(const cJSON *object, const char *key) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

        if (!item)
                fail_msg("there is no %s", key);
        return item;
}

static void require_number(const cJSON *object, const char *key, double expected) {
        if (get(object, key)->valuedouble != expected)
                fail_msg("%s is %g, not %g", key, get(object, key)->valuedouble, expected);
}

static void require_string(const cJSON *object, const char *key, const char *expected) {
        assert_string_equal(cJSON_GetStringValue(get(object, key)), expected);
}

static void require_keys(const cJSON *object, const char *expected) {
        char keys[512] = "";
        const cJSON *item;

        cJSON_ArrayForEach (item, object) {
                (void) strcat(keys, item->string);
                (void) strcat(keys, " ");
        }
        assert_string_equal(keys, expected);
}

/* An array of what the encoder writes, and nothing else. */
static void test_plain(void **state) {
        struct i4_record records[] = { record_make(5, 300, 10000, 0), record_make(6, 1600, 10000, 0) };
        struct fixture *f = *state;
        const cJSON *root;

        make(f, BATCH_PLAIN);
        add(f, records, 2);
        add_line(f, "{\"sensor_id\":\"a\",\"timestamp\":\"2026-11-23T10:49:43Z\",\"type\":\"x\",\"value\":2.50,"
                    "\"lineage\":7}");
        root = close_batch(f);
        assert_true(cJSON_IsArray(root));
        assert_int_equal(cJSON_GetArraySize(root), 3);
        require_keys(root->child,
                        "sensor_id timestamp type value unit location pipeline_id status quality_score ");
        require_number(root->child->next, "value", 1600);
        require_number(root->child->next->next, "lineage", 7);

        /* The next one does not remember it. */
        batch_begin(&f->batch, 8);
        add_line(f, "{\"sensor_id\":\"a\",\"timestamp\":\"2026-11-23T10:49:43Z\",\"type\":\"x\",\"value\":2}");
        assert_int_equal(cJSON_GetArraySize(close_batch(f)), 1);
}

/* Keys, their order and their values as the reference documents them; what is ours comes after. */
static void test_enriched(void **state) {
        struct i4_record records[] = { record_make(5, 300, 10000, I4_FAULT_STUCK),
                record_make(6, 1600, 7000, I4_FAULT_SPIKE), record_make(7, 300, 7000, I4_FAULT_NONE) };
        const cJSON *root, *meta, *record, *quality, *score;
        struct fixture *f = *state;

        make(f, BATCH_ENRICHED);
        add(f, records, 3);
        root = close_batch(f);
        require_keys(root, "batch_meta records ");

        meta = get(root, "batch_meta");
        require_keys(meta, "record_count anomaly_count anomaly_rate_pct batch_time edge_node pipeline source "
                           "first_sequence last_sequence lost_records rejected_count score ");
        require_number(meta, "record_count", 3);
        require_number(meta, "anomaly_count", 2);
        require_number(meta, "anomaly_rate_pct", 67);
        require_string(meta, "batch_time", "2024-01-14T05:22:52.345Z");
        require_string(meta, "edge_node", "edge \"west\"");
        require_string(meta, "pipeline", "p");
        require_string(meta, "source", "ring/\\");
        require_number(meta, "first_sequence", 5);
        require_number(meta, "last_sequence", 7);

        score = get(meta, "score");
        require_number(score, "faulty_count", 2);
        require_number(score, "true_positives", 1);
        require_number(score, "false_positives", 1);
        require_number(score, "false_negatives", 1);

        record = get(root, "records")->child;
        require_keys(record,
                        "sensor_id timestamp type value unit location pipeline_id status quality_score lineage "
                        "data_quality ");
        require_keys(get(record, "lineage"), "edge_node pipeline ingested_at ");
        require_string(get(record, "lineage"), "edge_node", "edge \"west\"");
        require_string(get(record, "lineage"), "ingested_at", "2024-01-14T05:22:52.345Z");

        quality = get(record, "data_quality");
        require_keys(quality, "is_anomaly anomaly_reasons validated ");
        assert_true(cJSON_IsFalse(get(quality, "is_anomaly")));
        assert_int_equal(cJSON_GetArraySize(get(quality, "anomaly_reasons")), 0);
        assert_true(cJSON_IsTrue(get(quality, "validated")));

        quality = get(record->next, "data_quality");
        assert_true(cJSON_IsTrue(get(quality, "is_anomaly")));
        assert_int_equal(cJSON_GetArraySize(get(quality, "anomaly_reasons")), 2);
}

static void test_compact(void **state) {
        struct i4_record records[] = { record_make(5, 1600, 10000, 0) };
        struct fixture *f = *state;
        const cJSON *root;

        make(f, BATCH_COMPACT);
        add(f, records, 1);
        root = close_batch(f);
        require_keys(get(root, "batch_meta"),
                        "record_count anomaly_count anomaly_rate_pct batch_time edge_node source "
                        "first_sequence last_sequence lost_records rejected_count ");
        require_keys(get(get(root, "records")->child, "data_quality"), "is_anomaly validated ");
}

/* A batch covers its range without a hole, and says how many records of it there were. */
static void test_range(void **state) {
        struct i4_record records[2] = { record_make(9, 300, 10000, 0), record_make(10, 300, 10000, 0) };
        struct fixture *f = *state;
        const cJSON *meta;

        make(f, BATCH_ENRICHED);
        add(f, records, 2);
        records[0] = record_make(100, 300, 10000, 0);
        add(f, records, 1);
        meta = get(close_batch(f), "batch_meta");
        require_number(meta, "first_sequence", 5);
        require_number(meta, "last_sequence", 100);
        require_number(meta, "record_count", 3);
        require_number(meta, "lost_records", 93);
}

static void test_lines(void **state) {
        struct fixture *f = *state;
        const cJSON *root, *record, *reasons;

        make(f, BATCH_ENRICHED);
        batch_skip_line(&f->batch, true);
        batch_skip_line(&f->batch, false);
        add_line(f, "{\"extra\":[1,2],\"data_quality\":1,\"sensor_id\":\"a\",\"timestamp\":\"2026-11-23T10:49:43Z\","
                    "\"type\":\"flow_rate\",\"value\":50001}");
        root = close_batch(f);
        require_number(get(root, "batch_meta"), "first_sequence", 5);
        require_number(get(root, "batch_meta"), "last_sequence", 7);
        require_number(get(root, "batch_meta"), "rejected_count", 1);

        record = get(root, "records")->child;
        require_keys(record, "extra sensor_id timestamp type value lineage data_quality ");
        reasons = get(get(record, "data_quality"), "anomaly_reasons");
        assert_string_equal(cJSON_GetStringValue(reasons->child), "flow_rate_exceeded");
}

/* A batch may be as large as it is told, and grows while it is filled. */
static void test_room(void **state) {
        struct fixture *f = *state;
        struct i4_record record;

        make(f, BATCH_ENRICHED);
        f->batch.settings.n_records = 5000;
        for (uint64_t i = 0; batch_get_room(&f->batch) > 0; ++i) {
                record = record_make(5 + i, 1600, 100, 0);
                add(f, &record, 1);
        }
        assert_int_equal(f->batch.n_records, 5000);
        assert_int_equal(cJSON_GetArraySize(get(close_batch(f), "records")), 5000);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
                cmocka_unit_test_setup_teardown(test_enriched, setup, teardown),
                cmocka_unit_test_setup_teardown(test_compact, setup, teardown),
                cmocka_unit_test_setup_teardown(test_range, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
                cmocka_unit_test_setup_teardown(test_room, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
