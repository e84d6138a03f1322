/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/encoder.h"
#include "util/clock.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct i4_record record_example(void) {
        return (struct i4_record){
                .sequence = 17,
                .time_ns = UINT64_C(1705209762436377999), /* 2024-01-14T05:22:42.436377999Z */
                .sensor = 2977,
                .value_e2 = 1298471,
                .latitude_e6 = 37820000,
                .longitude_e6 = -104560000,
                .mile_post_e2 = 20370,
                .quality_e4 = 8700,
                .pipeline = 3,
                .type = 2,
                .status = I4_STATUS_NORMAL,
                .alert = I4_ALERT_LOW,
        };
}

static const char *encode_with(
                i4_encoder *encoder, const struct i4_record *record, char buffer[static I4_LINE_MAX + 1]) {
        size_t n, n_encoded;

        n = i4_encoder_encode(encoder, record, 1, buffer, I4_LINE_MAX, &n_encoded);
        assert_int_equal(n_encoded, 1);
        assert_in_range(n, 1, I4_LINE_MAX);
        buffer[n] = 0;
        return buffer;
}

static const char *encode(const struct i4_record *record, char buffer[static I4_LINE_MAX + 1]) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;

        assert_int_equal(i4_encoder_new(&encoder, i4_catalog_get_default()), 0);
        return encode_with(encoder, record, buffer);
}

/* Keys, their order and their formats are a contract with everything that reads our files. */
static void test_line(void **state) {
        struct i4_record record = record_example();
        char buffer[I4_LINE_MAX + 1];

        assert_string_equal(encode(&record, buffer),
                        "{\"sensor_id\":\"SNS-flo-2977\",\"timestamp\":\"2024-01-14T05:22:42.436377Z\","
                        "\"type\":\"flow_rate\",\"value\":12984.71,\"unit\":\"bbl/hr\","
                        "\"location\":{\"lat\":37.820000,\"lon\":-104.560000,\"mile_post\":203.70},"
                        "\"pipeline_id\":\"PIPE-LA-001\",\"status\":\"normal\",\"quality_score\":0.8700,"
                        "\"alert_level\":\"low\"}\n");

        record.alert = I4_ALERT_NONE;
        assert_null(strstr(encode(&record, buffer), "alert_level"));
        assert_non_null(strstr(buffer, "\"quality_score\":0.8700}\n"));
}

/* The straightforward way to print the same. */
static void format_slowly(const struct i4_record *record, char *buffer, size_t size) {
        const i4_catalog *catalog = i4_catalog_get_default();
        time_t second = (time_t) (record->time_ns / NSEC_PER_SEC);
        char id[I4_SENSOR_ID_MAX], date[32], alert[64] = "";
        struct tm tm;

        assert_true(i4_catalog_format_sensor_id(catalog, record, id, sizeof(id)) > 0);
        assert_non_null(gmtime_r(&second, &tm));
        assert_int_not_equal(strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm), 0);
        if (record->alert)
                (void) snprintf(alert, sizeof(alert), ",\"alert_level\":\"%s\"",
                                i4_alert_to_string(record->alert));

        (void) snprintf(buffer, size,
                        "{\"sensor_id\":\"%s\",\"timestamp\":\"%s.%06uZ\",\"type\":\"%s\",\"value\":%.2f,"
                        "\"unit\":\"%s\",\"location\":{\"lat\":%.6f,\"lon\":%.6f,\"mile_post\":%.2f},"
                        "\"pipeline_id\":\"%s\",\"status\":\"%s\",\"quality_score\":%.4f%s}\n",
                        id, date, (unsigned int) (record->time_ns % NSEC_PER_SEC / 1000),
                        i4_catalog_get_type_name(catalog, record->type), i4_record_get_value(record),
                        i4_catalog_get_type_unit(catalog, record->type), i4_record_get_latitude(record),
                        i4_record_get_longitude(record), i4_record_get_mile_post(record),
                        i4_catalog_get_pipeline_id(catalog, record->pipeline),
                        i4_status_to_string(record->status), i4_record_get_quality(record), alert);
}

static uint64_t random_next(uint64_t *state) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return *state >> 16;
}

/* Lengths of numbers vary: small ones and large ones must be as frequent as those between. */
static uint32_t random_magnitude(uint64_t *state) {
        return (uint32_t) (random_next(state) & UINT32_MAX) >> (random_next(state) % 32);
}

static struct i4_record record_random(uint64_t *state) {
        return (struct i4_record){
                .time_ns = random_next(state) << 16,
                .sensor = random_magnitude(state),
                .value_e2 = (int32_t) random_magnitude(state),
                .latitude_e6 = (int32_t) random_magnitude(state),
                .longitude_e6 = -(int32_t) (random_magnitude(state) >> 1),
                .mile_post_e2 = random_magnitude(state),
                .quality_e4 = (uint16_t) random_magnitude(state),
                .pipeline = (uint16_t) (random_next(state) % 8),
                .type = (uint8_t) (random_next(state) % 8),
                .status = (uint8_t) (random_next(state) % I4_N_STATUS),
                .alert = (uint8_t) (random_next(state) % I4_N_ALERT),
        };
}

/* Shifts, tables and pieces print what printf() prints. */
static void test_against_printf(void **state) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
        char buffer[I4_LINE_MAX + 1], expected[2 * I4_LINE_MAX];
        /* Emulated, printf() takes fifty times as long, and tries the same code. */
        const unsigned int n_records = getenv("I4_EMULATED") ? 10000 : 100000;
        uint64_t random = 1;

        assert_int_equal(i4_encoder_new(&encoder, i4_catalog_get_default()), 0);
        for (unsigned int i = 0; i < n_records; ++i) {
                struct i4_record record = record_random(&random);

                format_slowly(&record, expected, sizeof(expected));
                assert_string_equal(encode_with(encoder, &record, buffer), expected);
        }
}

/* Each digit's first and last value: what is multiplied instead of divided is off by one there or nowhere. */
static void test_values(void **state) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
        struct i4_record record = record_example();
        char buffer[I4_LINE_MAX + 1], expected[64];

        assert_int_equal(i4_encoder_new(&encoder, i4_catalog_get_default()), 0);
        for (uint32_t hundreds = 1; hundreds <= 100001; ++hundreds)
                for (uint32_t i = 0; i < 2; ++i) {
                        uint32_t value_e2 = hundreds * 100 - i;

                        record.value_e2 = (int32_t) value_e2;
                        (void) snprintf(expected, sizeof(expected), "\"value\":%u.%02u,\"unit\"",
                                        value_e2 / 100, value_e2 % 100);
                        if (!strstr(encode_with(encoder, &record, buffer), expected))
                                fail_msg("%s in %s", expected, buffer);
                }
}

/* A sensor that was never seen, where everything is 0. */
static void test_nowhere(void **state) {
        struct i4_record record = record_example();
        char buffer[I4_LINE_MAX + 1];

        record.latitude_e6 = record.longitude_e6 = 0;
        record.mile_post_e2 = 0;
        assert_non_null(strstr(encode(&record, buffer),
                        "\"location\":{\"lat\":0.000000,\"lon\":0.000000,\"mile_post\":0.00},"));
}

/* Sensors that stay where they are, others that come back elsewhere, and more of them than are remembered,
 * with every length of number. */
static struct i4_record record_of_fleet(uint64_t *state) {
        static const uint32_t numbers[] = { 0, 1, 7, 999, 7999, 8000, 8191, 9999, 10000, 70000, 131071,
                999999, 1000000, UINT32_MAX };
        struct i4_record record = record_random(state);
        uint64_t draw = random_next(state);

        record.sensor = numbers[draw % ELEMENTSOF(numbers)];
        if (draw >> 8 & 1) {
                record.latitude_e6 = (int32_t) (record.sensor * 1000000u) % 90000000;
                record.longitude_e6 = record.latitude_e6 * -2;
                record.mile_post_e2 = (uint32_t) record.latitude_e6 % 99999;
        }

        return record;
}

/* One encoder for all records prints what printf() prints. */
static void check_copies(const i4_catalog *catalog, enum encoder_copy copy, const struct i4_record *records,
                size_t n_records, char *buffer) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
        char expected[2 * I4_LINE_MAX];
        size_t n_encoded;

        assert_int_equal(i4_encoder_new(&encoder, catalog), 0);
        if (encoder_set_copy(encoder, copy) < 0) {
                print_message("this processor cannot copy in way %u\n", (unsigned int) copy);
                return;
        }

        (void) i4_encoder_encode(encoder, records, n_records, buffer, n_records * I4_LINE_MAX, &n_encoded);
        assert_int_equal(n_encoded, n_records);
        for (size_t i = 0; i < n_records; ++i) {
                format_slowly(&records[i], expected, sizeof(expected));
                assert_memory_equal(buffer, expected, strlen(expected));
                buffer += strlen(expected);
        }
}

static void test_copies(void **state) {
        static struct i4_record records[5000];
        static char buffer[ELEMENTSOF(records) * I4_LINE_MAX];
        struct i4_catalog large = *i4_catalog_get_default();
        uint64_t random = 3;

        for (size_t i = 0; i < ELEMENTSOF(records); ++i)
                records[i] = record_of_fleet(&random);

        large.n_sensors = 1000000;
        for (int copy = 0; copy < N_ENCODER_COPIES; ++copy) {
                check_copies(i4_catalog_get_default(), (enum encoder_copy) copy, records, ELEMENTSOF(records),
                                buffer);
                check_copies(&large, (enum encoder_copy) copy, records, ELEMENTSOF(records), buffer);
        }
}

/* Whatever lies in a slot, the line parses and stays within its bound. */
static void test_any_bytes(void **state) {
        struct i4_record record;
        char buffer[I4_LINE_MAX + 1];
        uint64_t random = 7;

        for (unsigned int i = 0; i < 20000; ++i) {
                cJSON *json;

                for (size_t j = 0; j < sizeof(record); j += 4) {
                        uint32_t word = i == 0   ? UINT32_MAX
                                        : i == 1 ? 0x80000000
                                                 : (uint32_t) random_next(&random);

                        memcpy((char *) &record + j, &word, sizeof(word));
                }

                json = cJSON_Parse(encode(&record, buffer));
                assert_non_null(json);
                assert_string_equal(json->child->string, "sensor_id");
                cJSON_Delete(json);
        }
}

static void test_extras(void **state) {
        static const struct {
                unsigned int extras;
                struct i4_record record;
                const char *end;
        } cases[] = {
                { 0, { .sequence = 7 }, "" },
                { I4_EXTRA_SEQUENCE, { .sequence = 0 }, ",\"seq\":0" },
                { I4_EXTRA_SEQUENCE, { .sequence = UINT64_MAX }, ",\"seq\":18446744073709551615" },
                { I4_EXTRA_LABEL, { .sequence = 7 }, ",\"label\":\"none\"" },
                { I4_EXTRA_LABEL, { .fault = I4_FAULT_LEAK, .event = UINT32_MAX },
                                ",\"label\":\"leak\",\"event\":4294967295" },
                { I4_EXTRA_LABEL, { .fault = UINT8_MAX }, ",\"label\":\"unknown\"" },
                { I4_EXTRA_LABEL | I4_EXTRA_SEQUENCE, { .sequence = 12, .fault = I4_FAULT_STUCK, .event = 3 },
                                ",\"seq\":12,\"label\":\"stuck\",\"event\":3" },
        };
        char plain[I4_LINE_MAX + 1], expected[2 * I4_LINE_MAX], buffer[I4_LINE_MAX + 1];

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
                size_t n, n_encoded;

                (void) encode(&cases[i].record, plain);
                (void) snprintf(expected, sizeof(expected), "%.*s%s}\n", (int) strlen(plain) - 2, plain,
                                cases[i].end);
                assert_int_equal(i4_encoder_new(&encoder, i4_catalog_get_default()), 0);
                i4_encoder_set_extras(encoder, cases[i].extras);
                n = i4_encoder_encode(encoder, &cases[i].record, 1, buffer, I4_LINE_MAX, &n_encoded);
                buffer[n] = 0;
                assert_string_equal(buffer, expected);
        }
}

/* The longest names that a catalog may hold fit into a line, next to the longest numbers. */
static void test_longest_line(void **state) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
        struct catalog_type type = { .minimum_e2 = 0, .maximum_e2 = 1 };
        struct catalog_pipeline pipeline = {};
        struct i4_record record;
        char buffer[I4_LINE_MAX];
        size_t n_encoded;

        memset(type.name, 'n', sizeof(type.name) - 1);
        memset(type.unit, 'u', sizeof(type.unit) - 1);
        memset(type.prefix, 'p', sizeof(type.prefix) - 1);
        memset(pipeline.id, 'i', sizeof(pipeline.id) - 1);
        assert_int_equal(catalog_new(&catalog, &type, 1, &pipeline, 1, 1), 0);
        assert_int_equal(i4_encoder_new(&encoder, catalog), 0);

        memset(&record, 0xff, sizeof(record));
        record.type = record.pipeline = 0;
        record.alert = I4_ALERT_MEDIUM;
        record.status = I4_STATUS_MAINTENANCE;
        record.value_e2 = record.latitude_e6 = record.longitude_e6 = INT32_MIN;
        record.fault = I4_FAULT_VALVE_CLOSURE;
        i4_encoder_set_extras(encoder, I4_EXTRA_SEQUENCE | I4_EXTRA_LABEL);

        assert_in_range(i4_encoder_encode(encoder, &record, 1, buffer, sizeof(buffer), &n_encoded), 300,
                        I4_LINE_MAX - 64 /* surplus of the last copy */);
        assert_int_equal(n_encoded, 1);
}

/* A span stops where a line might not fit, and goes on from there to the same bytes. */
static void test_span(void **state) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
        char whole[64 * I4_LINE_MAX], pieces[64 * I4_LINE_MAX];
        struct i4_record records[32];
        size_t n_encoded, n_whole, n_pieces = 0, done = 0;

        for (unsigned int i = 0; i < ELEMENTSOF(records); ++i) {
                records[i] = record_example();
                records[i].time_ns += i * 300 * NSEC_PER_MSEC;
        }

        assert_int_equal(i4_encoder_new(&encoder, i4_catalog_get_default()), 0);
        n_whole = i4_encoder_encode(encoder, records, ELEMENTSOF(records), whole, sizeof(whole), &n_encoded);
        assert_int_equal(n_encoded, ELEMENTSOF(records));

        while (done < ELEMENTSOF(records)) {
                n_pieces += i4_encoder_encode(encoder, records + done, ELEMENTSOF(records) - done,
                                pieces + n_pieces, I4_LINE_MAX + 300, &n_encoded);
                assert_in_range(n_encoded, 1, 2);
                done += n_encoded;
        }

        assert_int_equal(n_pieces, n_whole);
        assert_memory_equal(pieces, whole, n_whole);

        assert_int_equal(i4_encoder_encode(encoder, records, 1, pieces, I4_LINE_MAX - 1, &n_encoded), 0);
        assert_int_equal(n_encoded, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_line),
                cmocka_unit_test(test_against_printf),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_nowhere),
                cmocka_unit_test(test_copies),
                cmocka_unit_test(test_any_bytes),
                cmocka_unit_test(test_extras),
                cmocka_unit_test(test_longest_line),
                cmocka_unit_test(test_span),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
