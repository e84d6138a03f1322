/* SPDX-License-Identifier: Apache-2.0 */

#include "util/macros.h"
#include "verify/reading.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define READING                                                                                                 \
        "{\"sensor_id\":\"SNS-flo-2977\",\"timestamp\":\"2026-11-23T05:22:42.436377Z\",\"type\":\"flow_rate\"," \
        "\"value\":12984.50,\"unit\":\"bbl/hr\",\"location\":{\"lat\":37.820000,\"lon\":-104.560000,"           \
        "\"mile_post\":203.70},\"pipeline_id\":\"PIPE-LA-001\",\"status\":\"normal\",\"quality_score\":0.8700"

/* Texts live as long as the readings that point into them. */
struct pair {
        struct reading_parser parser;
        struct reading truth;
        struct reading reading;
};

static void pair_init(struct pair *pair, const char *truth, const char *reading) {
        assert_int_equal(reading_parser_init(&pair->parser, NULL), 0);
        if (reading_parse(&pair->parser, &pair->truth, truth, strlen(truth)) < 0)
                fail_msg("%s: %s", truth, pair->truth.reason);
        if (reading_parse(&pair->parser, &pair->reading, reading, strlen(reading)) < 0)
                fail_msg("%s: %s", reading, pair->reading.reason);
}

static void require_same(const char *truth, const char *reading) {
        unsigned int differing, missing;
        struct pair pair;

        pair_init(&pair, truth, reading);
        differing = reading_compare(&pair.reading, &pair.truth, 0, &missing);
        if (differing != 0)
                fail_msg("%s differs in %s", reading,
                                reading_field_to_string((unsigned int) __builtin_ctz(differing)));
        assert_int_equal(missing, 0);
        reading_parser_deinit(&pair.parser);
}

static void require_differing(
                const char *truth, const char *reading, unsigned int differing, unsigned int missing) {
        unsigned int is_missing;
        struct pair pair;

        pair_init(&pair, truth, reading);
        assert_int_equal(reading_compare(&pair.reading, &pair.truth, 0, &is_missing), differing);
        assert_int_equal(is_missing, missing);
        assert_true(reading_get_digest(&pair.truth, 0) != reading_get_digest(&pair.reading, 0));
        /* What is not compared does not count. */
        assert_int_equal(reading_compare(&pair.reading, &pair.truth, differing, &is_missing), 0);
        assert_true(reading_get_digest(&pair.truth, differing) ==
                        reading_get_digest(&pair.reading, differing));
        reading_parser_deinit(&pair.parser);
}

static void require_reason(const char *text, const char *reason) {
        struct reading_parser parser;
        struct reading reading;

        assert_int_equal(reading_parser_init(&parser, NULL), 0);
        if (reading_parse(&parser, &reading, text, strlen(text)) != -EBADMSG ||
                        !strstr(reading.reason, reason))
                fail_msg("%s: '%s' instead of '%s'", text, reading.reason, reason);
        reading_parser_deinit(&parser);
}

static void test_key(void **state) {
        struct pair pair;

        pair_init(&pair, READING ",\"seq\":18446744073709551615}", "{\"seq\":18446744073709551616}");
        assert_true(pair.truth.has_sequence && pair.truth.sequence == UINT64_MAX);
        assert_true(pair.truth.has_time && pair.truth.time_ns == UINT64_C(1795411362436377000));
        assert_int_equal(pair.truth.sensor.size, strlen("SNS-flo-2977"));
        assert_memory_equal(pair.truth.sensor.text, "SNS-flo-2977", pair.truth.sensor.size);
        assert_false(pair.reading.has_sequence || pair.reading.has_time || pair.reading.sensor.size > 0);
        reading_parser_deinit(&pair.parser);

        pair_init(&pair, "{\"sensor_id\":\"S\\u004e\\u00e9\",\"timestamp\":\"yesterday\",\"seq\":12.0}",
                        "{\"sensor_id\":7,\"timestamp\":null,\"seq\":\"12\"}");
        assert_int_equal(pair.truth.sensor.size, 4);
        assert_memory_equal(pair.truth.sensor.text, "SN\xc3\xa9", 4);
        assert_true(pair.truth.has_sequence && pair.truth.sequence == 12);
        assert_false(pair.truth.has_time || pair.reading.has_time || pair.reading.has_sequence);
        assert_int_equal(pair.reading.sensor.size, 0);
        reading_parser_deinit(&pair.parser);
}

/* As another program may write the same. */
static void test_spelling(void **state) {
        static const char *const same[] = {
                READING "}",
                READING ",\"alert_level\":null}",
                "{ \"value\" : 1.29845e4, \"quality_score\":0.87,\"status\":\"norm\\u0061l\",\"type\":\"flow_rate\","
                "\"pipeline_id\":\"PIPE-LA-001\",\"location\":{\"mile_post\":203.7,\"lon\":-104.56,\"lat\":37.82},"
                "\"unit\":\"bbl\\/hr\",\"timestamp\":\"2026-11-23T06:22:42.4363770+01:00\","
                "\"s\\u0065nsor_id\":\"SNS-flo-2977\"}",
        };
        struct pair pair;

        for (size_t i = 0; i < ELEMENTSOF(same); ++i) {
                require_same(READING "}", same[i]);
                pair_init(&pair, READING "}", same[i]);
                assert_true(reading_get_digest(&pair.truth, 0) == reading_get_digest(&pair.reading, 0));
                assert_int_equal(pair.reading.n_extras, 0);
                reading_parser_deinit(&pair.parser);
        }

        require_same("{\"value\":0.00}", "{\"value\":-0}");
        require_same("{\"value\":9007199254740993}", "{\"value\":9007199254740993.0}");
        require_same("{\"value\":0.1}", "{\"value\":0.1000000000000000055511151231257827}");
}

static void test_damage(void **state) {
        require_differing("{\"value\":1.5}", "{\"value\":1.50001}", READING_BIT(READING_VALUE), 0);
        require_differing("{\"value\":1.5}", "{\"value\":\"1.5\"}", READING_BIT(READING_VALUE), 0);
        require_differing("{\"value\":1}", "{\"value\":true}", READING_BIT(READING_VALUE), 0);
        require_differing("{\"value\":1,\"unit\":\"x\"}", "{\"unit\":\"x\"}", READING_BIT(READING_VALUE),
                        READING_BIT(READING_VALUE));
        require_differing("{\"value\":1}", "{\"value\":null}", READING_BIT(READING_VALUE),
                        READING_BIT(READING_VALUE));
        require_differing("{\"value\":1}", "{\"value\":1,\"alert_level\":\"low\"}",
                        READING_BIT(READING_ALERT_LEVEL), 0);
        require_differing("{\"status\":\"normal\",\"unit\":\"x\"}", "{\"status\":\"x\",\"unit\":\"normal\"}",
                        READING_BIT(READING_STATUS) | READING_BIT(READING_UNIT), 0);
        require_differing("{\"timestamp\":\"2026-11-23T05:22:42.436377Z\"}",
                        "{\"timestamp\":\"2026-11-23T05:22:42.436Z\"}", READING_BIT(READING_TIMESTAMP), 0);
        /* Beside each other it is not where it was. */
        require_differing("{\"location\":{\"lat\":1}}", "{\"lat\":1}", READING_BIT(READING_LATITUDE),
                        READING_BIT(READING_LATITUDE));
        require_differing("{\"location\":{\"lat\":1}}", "{\"location\":[1]}", READING_BIT(READING_LATITUDE),
                        READING_BIT(READING_LATITUDE));
}

/* A label may be kept away from who is to find it, but not be another. */
static void test_label(void **state) {
        require_same("{\"value\":1,\"label\":\"leak\",\"event\":7}", "{\"value\":1}");
        require_same("{\"value\":1}", "{\"value\":1,\"label\":\"leak\",\"event\":7}");
        require_same("{\"value\":1,\"label\":\"none\"}", "{\"value\":1,\"label\":\"none\"}");
        require_differing("{\"label\":\"none\"}", "{\"label\":\"leak\"}", READING_BIT(READING_LABEL), 0);
        require_differing("{\"label\":\"leak\",\"event\":7}", "{\"label\":\"leak\",\"event\":8}",
                        READING_BIT(READING_EVENT), 0);
}

static void test_malformed(void **state) {
        require_reason("", "byte 0 should be an object");
        require_reason("[]", "byte 0 should be an object");
        require_reason(READING, "no JSON: byte");
        require_reason("{\"value\":1,\"value\":1}", "value is there twice");
        require_reason("{\"location\":{\"lat\":1},\"location\":{\"lat\":1}}", "location.lat is there twice");
}

static void test_extras(void **state) {
        struct pair pair;

        pair_init(&pair, "{\"location\":{\"lat\":1,\"height\":2},\"a\":[],\"b\":{\"value\":1}}",
                        "{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"10\":0,"
                        "\"11\":0,\"12\":0,\"13\":0,\"14\":0,\"15\":0,\"16\":0,\"17\":0}");
        assert_int_equal(pair.truth.n_extras, 3);
        assert_memory_equal(pair.truth.extras[0].text, "height", pair.truth.extras[0].size);
        assert_int_equal(pair.reading.n_extras, 17);
        reading_parser_deinit(&pair.parser);
}

static bool is_detected(const char *key, const char *text) {
        struct reading_parser parser;
        struct reading reading;

        assert_int_equal(reading_parser_init(&parser, key), 0);
        assert_int_equal(reading_parse(&parser, &reading, text, strlen(text)), 0);
        reading_parser_deinit(&parser);
        assert_true(reading.has_verdict || !reading.is_detected);
        assert_int_equal(reading.n_extras, 0);
        return reading.is_detected;
}

static void test_verdict(void **state) {
        static const char *const yes[] = { "true", "1", "\"leak\"", "[1]", "{\"a\":1}", "0.1" };
        static const char *const no[] = { "false", "0", "\"none\"", "\"\"", "[ ]", "{}", "null", "0.0" };
        struct reading_parser parser;
        char text[64];

        for (size_t i = 0; i < ELEMENTSOF(yes); ++i) {
                (void) snprintf(text, sizeof(text), "{\"is_odd\":%s}", yes[i]);
                assert_true(is_detected("is_odd", text));
        }
        for (size_t i = 0; i < ELEMENTSOF(no); ++i) {
                (void) snprintf(text, sizeof(text), "{\"is_odd\":%s}", no[i]);
                assert_false(is_detected("is_odd", text));
        }

        assert_true(is_detected("quality.is_odd", "{\"quality\":{\"x\":1,\"is_odd\":true}}"));
        assert_false(is_detected("quality.is_odd", "{\"quality\":{\"x\":true}}"));
        assert_false(is_detected("quality.is_odd", "{\"quality\":true}"));
        assert_true(is_detected("alert_level", "{\"alert_level\":\"low\"}"));

        memset(text, 'k', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        assert_int_equal(reading_parser_init(&parser, text), 0);
        reading_parser_deinit(&parser);
        assert_int_equal(reading_parser_init(&parser,
                                         "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"),
                        -ENAMETOOLONG);
}

static void test_names(void **state) {
        for (int field = 0; field < READING_N_FIELDS; ++field)
                assert_int_equal(reading_field_from_string(reading_field_to_string((unsigned int) field)),
                                field);
        assert_int_equal(reading_field_from_string("lat"), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_key),
                cmocka_unit_test(test_spelling),
                cmocka_unit_test(test_damage),
                cmocka_unit_test(test_label),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_extras),
                cmocka_unit_test(test_verdict),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
