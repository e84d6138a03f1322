/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The seeds are fixed, so these tests pass always or never. Shares are held to five standard deviations,
 * tables to a chi-square whose z value is below five: a fault of half a percent in any of them would not
 * pass.
 */

#include "model/model.h"
#include "util/clock.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define N_READINGS 1000000u
#define START_NS   UINT64_C(1795430983000000000)

static const struct model_settings settings_default = {
        .kind = MODEL_UNIFORM, .seed = 42, .anomalies_e4 = 200
};

static struct i4_record *readings_free(struct i4_record *records) {
        free(records);
        return NULL;
}

static struct i4_record *readings_make(
                struct model_settings settings, const struct i4_catalog *catalog, uint64_t step, size_t n) {
        struct anchor anchor = { .time_ns = START_NS, .rate = { 10000, NSEC_PER_SEC } };
        struct model *model = NULL;
        struct timeline timeline;
        struct i4_record *records;

        records = malloc(n * sizeof(*records));
        assert_non_null(records);
        /* Whatever a reading does not write would show. */
        memset(records, 0xa5, n * sizeof(*records));

        assert_int_equal(model_new(&model, &settings, catalog), 0);
        timeline_init(&timeline, &anchor, step);
        model_generate(model, step, step + 1000, &timeline, records, n);
        assert_null(model_free(model));

        return records;
}

static int setup(void **state) {
        *state = readings_make(settings_default, i4_catalog_get_default(), 0, N_READINGS);
        return 0;
}

static int teardown(void **state) {
        *state = readings_free(*state);
        return 0;
}

static void share_check(uint64_t n, uint64_t n_all, double expected) {
        double deviation = sqrt(expected * (1 - expected) / (double) n_all);

        if (fabs((double) n / (double) n_all - expected) > 5 * deviation)
                fail_msg("%f instead of %f", (double) n / (double) n_all, expected);
}

/* All of the @n_counts counts are expected to be equal; Wilson and Hilferty's approximation of chi-square. */
static void uniform_check(const uint64_t *counts, size_t n_counts) {
        double sum = 0, chi2 = 0, freedom = (double) n_counts - 1, z;

        for (size_t i = 0; i < n_counts; ++i)
                sum += (double) counts[i];
        for (size_t i = 0; i < n_counts; ++i) {
                double expected = sum / (double) n_counts;

                chi2 += ((double) counts[i] - expected) * ((double) counts[i] - expected) / expected;
        }

        z = (cbrt(chi2 / freedom) - (1 - 2 / (9 * freedom))) / sqrt(2 / (9 * freedom));
        if (fabs(z) > 5)
                fail_msg("chi-square %f at %f degrees of freedom", chi2, freedom);
}

static bool is_anomaly(const struct i4_record *record) {
        return record->fault != I4_FAULT_NONE;
}

/* A sensor is what it is, whatever the seed, and the digits of its id are its number. */
static void test_fleet(void **state) {
        const struct i4_catalog *catalog = i4_catalog_get_default();
        const struct i4_record *records = *state, *sensors[8000] = {};
        struct model_settings settings = settings_default;
        struct i4_record *others;
        char id[I4_SENSOR_ID_MAX];

        settings.seed = 43;
        others = readings_make(settings, catalog, 0, 8000);

        for (size_t i = 0; i < N_READINGS; ++i) {
                const struct i4_record *record = &records[i], *first;

                assert_in_range(record->sensor, 0, 7999);
                if (i < 8000) {
                        assert_null(sensors[record->sensor]);
                        sensors[record->sensor] = record;
                        first = &others[i];
                } else
                        first = sensors[record->sensor];

                assert_int_equal(record->sensor, first->sensor);
                assert_int_equal(record->type, first->type);
                assert_int_equal(record->pipeline, first->pipeline);
                assert_int_equal(record->latitude_e6, first->latitude_e6);
                assert_int_equal(record->longitude_e6, first->longitude_e6);
                assert_int_equal(record->mile_post_e2, first->mile_post_e2);
        }

        assert_true(i4_catalog_format_sensor_id(catalog, sensors[2977], id, sizeof(id)) > 0);
        assert_string_equal(id, "SNS-flo-2977");
        readings_free(others);
}

/* Every type meets every pipeline equally often, and positions fill their ranges. */
static void test_fleet_is_even(void **state) {
        const struct i4_record *records = *state;
        uint64_t pairs[8][8] = {}, latitudes[20] = {}, longitudes[15] = {}, mile_posts[10] = {};

        for (size_t i = 0; i < 8000; ++i) {
                const struct i4_record *record = &records[i];

                ++pairs[record->type][record->pipeline];
                assert_in_range(record->latitude_e6, 25000000, 45000000);
                ++latitudes[(record->latitude_e6 - 25000000) * INT64_C(20) / 20000001];
                assert_in_range(-record->longitude_e6, 90000000, 105000000);
                ++longitudes[(record->longitude_e6 + 105000000) * INT64_C(15) / 15000001];
                assert_in_range(record->mile_post_e2, 0, 50000);
                ++mile_posts[record->mile_post_e2 * UINT64_C(10) / 50001];
        }

        for (size_t type = 0; type < 8; ++type)
                for (size_t pipeline = 0; pipeline < 8; ++pipeline)
                        assert_int_equal(pairs[type][pipeline], 125);
        uniform_check(latitudes, 20);
        uniform_check(longitudes, 15);
        uniform_check(mile_posts, 10);
}

/* Neighbours in time are strangers in the plant. */
static void test_scan_mixes(void **state) {
        const struct i4_record *records = *state;
        uint64_t n_neighbours = 0, pairs[8][8] = {};

        for (size_t i = 0; i + 1 < 8000; ++i) {
                uint32_t a = records[i].sensor, b = records[i + 1].sensor;

                n_neighbours += (a > b ? a - b : b - a) <= 8;
                ++pairs[records[i].type][records[i + 1].type];
        }

        assert_in_range(n_neighbours, 0, 40);
        uniform_check(pairs[0], 64);
}

static void test_fields(void **state) {
        static const uint8_t zero[16];
        const struct i4_record *records = *state;

        for (size_t i = 0; i < N_READINGS; ++i) {
                const struct i4_record *record = &records[i];

                assert_int_equal(record->sequence, 1000 + i);
                assert_true(record->time_ns == START_NS + i * 100000);
                assert_int_equal(record->event, 0);
                assert_memory_equal(record->reserved, zero, sizeof(zero));
        }
}

/* Uniform over the range of the type, ends included. */
static void test_values(void **state) {
        const struct i4_catalog *catalog = i4_catalog_get_default();
        const struct i4_record *records = *state;
        uint64_t counts[8][100] = {}, n_lowest = 0, n_highest = 0;

        for (size_t i = 0; i < N_READINGS; ++i) {
                const struct i4_record *record = &records[i];
                const struct catalog_type *type = &catalog->types[record->type];
                int64_t range_e2 = (int64_t) type->maximum_e2 - type->minimum_e2 + 1;

                if (is_anomaly(record))
                        continue;

                assert_true(record->value_e2 >= type->minimum_e2 && record->value_e2 <= type->maximum_e2);
                ++counts[record->type][(record->value_e2 - type->minimum_e2) * 100 / range_e2];
                n_lowest += record->value_e2 == type->minimum_e2;
                n_highest += record->value_e2 == type->maximum_e2;
        }

        for (size_t type = 0; type < 8; ++type) {
                /* Ranges of 2501 and 20001 values do not divide by 100: cells differ by up to 4 %. */
                int64_t range = catalog->types[type].maximum_e2 - catalog->types[type].minimum_e2 + 1;

                if (range > 50000)
                        uniform_check(counts[type], 100);
        }
        assert_true(n_lowest > 0);
        assert_true(n_highest > 0);
}

/* 2 % exceed the maximum, in print too, by up to a fifth of it, and each of them has an alert. */
static void test_anomalies(void **state) {
        const struct i4_catalog *catalog = i4_catalog_get_default();
        const struct i4_record *records = *state;
        uint64_t n = 0, n_medium = 0, n_low = 0, n_types[8] = {}, tenths[10] = {};

        for (size_t i = 0; i < N_READINGS; ++i) {
                const struct i4_record *record = &records[i];
                int32_t maximum_e2 = catalog->types[record->type].maximum_e2;

                assert_in_range(record->fault, I4_FAULT_NONE, I4_FAULT_OUT_OF_RANGE);
                assert_int_equal(is_anomaly(record), record->value_e2 > maximum_e2);
                if (!is_anomaly(record))
                        continue;

                ++n;
                ++n_types[record->type];
                ++tenths[(record->value_e2 - maximum_e2 - 1) * INT64_C(50) / maximum_e2];
                assert_in_range(record->value_e2, maximum_e2 + 1, maximum_e2 + maximum_e2 / 5);
                assert_int_not_equal(record->alert, I4_ALERT_NONE);
                n_medium += record->alert == I4_ALERT_MEDIUM;
                n_low += record->alert == I4_ALERT_LOW;
        }

        share_check(n, N_READINGS, 0.02);
        share_check(n_medium, n, 6.0 / 8);
        share_check(n_low, n, 1.0 / 8);
        uniform_check(n_types, 8);
        uniform_check(tenths, 10);
}

static void test_status_and_alert(void **state) {
        static const double status_shares[] = { 4.0 / 6, 1.0 / 6, 1.0 / 6 };
        static const double alert_shares[] = { 5.0 / 8, 1.0 / 8, 1.0 / 8, 1.0 / 8 };
        const struct i4_record *records = *state;
        uint64_t counts[I4_N_STATUS][I4_N_ALERT] = {}, anomalous[I4_N_STATUS] = {}, n = 0;

        for (size_t i = 0; i < N_READINGS; ++i) {
                assert_in_range(records[i].status, 0, I4_N_STATUS - 1);
                assert_in_range(records[i].alert, 0, I4_N_ALERT - 1);
                if (is_anomaly(&records[i])) {
                        ++anomalous[records[i].status];
                        continue;
                }
                ++n;
                ++counts[records[i].status][records[i].alert];
        }

        /* Independent of each other, and the status of being an anomaly. */
        for (size_t status = 0; status < I4_N_STATUS; ++status) {
                share_check(anomalous[status], N_READINGS - n, status_shares[status]);
                for (size_t alert = 0; alert < I4_N_ALERT; ++alert)
                        share_check(counts[status][alert], n, status_shares[status] * alert_shares[alert]);
        }
}

/* Uniform over 0.85 … 1.0, the same for anomalies. */
static void test_quality(void **state) {
        const struct i4_record *records = *state;
        uint64_t counts[1501] = {}, anomalous[19] = {};

        for (size_t i = 0; i < N_READINGS; ++i) {
                assert_in_range(records[i].quality_e4, 8500, 10000);
                ++counts[records[i].quality_e4 - 8500];
                if (is_anomaly(&records[i]))
                        ++anomalous[(records[i].quality_e4 - 8500) / 79];
        }

        uniform_check(counts, 1501);
        uniform_check(anomalous, 19);
}

/* What one sensor reads says nothing about what it reads next, nor about what is read after it. */
static void test_independence(void **state) {
        const struct i4_catalog *catalog = i4_catalog_get_default();
        const struct i4_record *records = *state;
        static const size_t distances[] = { 1, 8000 };

        for (size_t k = 0; k < 2; ++k) {
                uint64_t cells[8][8] = {};

                for (size_t i = 0; i + distances[k] < N_READINGS; ++i) {
                        size_t cell[2];
                        size_t j;

                        for (j = 0; j < 2 && !is_anomaly(&records[i + j * distances[k]]); ++j) {
                                const struct i4_record *record = &records[i + j * distances[k]];
                                const struct catalog_type *type = &catalog->types[record->type];

                                cell[j] = (size_t) ((record->value_e2 - type->minimum_e2) * INT64_C(8) /
                                                    (type->maximum_e2 - type->minimum_e2 + 1));
                        }
                        if (j == 2)
                                ++cells[cell[0]][cell[1]];
                }

                uniform_check(cells[0], 64);
        }
}

/* Same seed, same bytes; and it does not matter in which pieces they were made. */
static void test_same_bytes(void **state) {
        static const size_t cuts[] = { 1, 7, 7999, 8000, 8001, 16000, 99999 };
        const struct i4_record *records = *state;

        for (size_t i = 0; i < ELEMENTSOF(cuts); ++i) {
                size_t n = MIN(N_READINGS - cuts[i], 20000u);
                struct i4_record *rest;

                rest = readings_make(settings_default, i4_catalog_get_default(), cuts[i], n);
                assert_memory_equal(rest, records + cuts[i], n * sizeof(*rest));
                readings_free(rest);
        }
}

static void test_other_seed(void **state) {
        const struct i4_record *records = *state;
        struct model_settings settings = settings_default;
        struct i4_record *others;
        uint64_t n_equal = 0;

        settings.seed = 43;
        others = readings_make(settings, i4_catalog_get_default(), 0, 20000);
        for (size_t i = 0; i < 20000; ++i)
                n_equal += records[i].value_e2 == others[i].value_e2;
        readings_free(others);

        /* Vibrations have 2501 values, so some are equal. */
        assert_in_range(n_equal, 0, 60);
}

static void test_share_of_anomalies(void **state) {
        static const uint32_t shares_e4[] = { 0, 1, 5000, 10000 };

        for (size_t i = 0; i < ELEMENTSOF(shares_e4); ++i) {
                struct model_settings settings = settings_default;
                struct i4_record *records;
                uint64_t n = 0;

                settings.anomalies_e4 = shares_e4[i];
                records = readings_make(settings, i4_catalog_get_default(), 0, 200000);
                for (size_t j = 0; j < 200000; ++j)
                        n += is_anomaly(&records[j]);
                readings_free(records);

                share_check(n, 200000, shares_e4[i] / 10000.0);
        }
}

/* Fleets of any size, ranges at the edges of what a record can hold. */
static void test_odd_catalogs(void **state) {
        static const struct catalog_type types[] = {
                { "widest", "u", "wid", INT32_MIN, INT32_MAX - 1 },
                { "negative", "u", "neg", -1000, -500 },
                { "zero", "u", "zer", -1000, 0 },
                { "point", "u", "poi", 3, 3 },
        };
        static const int32_t highest_e2[] = { INT32_MAX, -400, 200, 4 };
        static const struct catalog_pipeline pipelines[] = { { "P1" }, { "P2" }, { "P3" } };

        for (uint32_t n_sensors = 1; n_sensors < 50; ++n_sensors) {
                struct i4_catalog catalog = {
                        .types = types,
                        .n_types = 4,
                        .pipelines = pipelines,
                        .n_pipelines = 3,
                        .n_sensors = n_sensors,
                };
                struct model_settings settings = settings_default;
                struct i4_record *records;
                uint32_t n_types[4] = {};

                settings.anomalies_e4 = 5000;
                records = readings_make(settings, &catalog, 0, 1000);

                for (size_t i = 0; i < 1000; ++i) {
                        const struct i4_record *record = &records[i];

                        assert_in_range(record->sensor, 0, n_sensors - 1);
                        assert_in_range(record->type, 0, 3);
                        assert_in_range(record->pipeline, 0, 2);
                        assert_true(record->value_e2 >= types[record->type].minimum_e2);
                        assert_true(record->value_e2 <= highest_e2[record->type]);
                        assert_int_equal(is_anomaly(record),
                                        record->value_e2 > types[record->type].maximum_e2);
                        if (i < n_sensors)
                                ++n_types[record->type];
                }

                for (size_t i = 0; i < 4; ++i)
                        assert_in_range(n_types[i], n_sensors / 4, (n_sensors + 3) / 4);
                readings_free(records);
        }
}

static void test_refusals(void **state) {
        static const struct catalog_type full = { "full", "u", "ful", 0, INT32_MAX };
        static const struct catalog_pipeline pipeline = { "P" };
        struct i4_catalog catalog = *i4_catalog_get_default();
        struct model_settings settings = settings_default;
        enum model_kind kind = MODEL_N_KINDS;
        struct model *model = NULL;

        settings.anomalies_e4 = 10001;
        assert_int_equal(model_new(&model, &settings, &catalog), -EINVAL);
        settings.anomalies_e4 = 10000;
        settings.kind = MODEL_N_KINDS;
        assert_int_equal(model_new(&model, &settings, &catalog), -EINVAL);
        settings.kind = MODEL_UNIFORM;
        catalog.n_sensors = 0;
        assert_int_equal(model_new(&model, &settings, &catalog), -EINVAL);
        catalog = (struct i4_catalog){ 1, 1, 1, &full, &pipeline, NULL };
        assert_int_equal(model_new(&model, &settings, &catalog), -ERANGE);
        assert_null(model);

        assert_int_equal(model_kind_from_string("uniform", &kind), 0);
        assert_int_equal(kind, MODEL_UNIFORM);
        assert_int_equal(model_kind_from_string("", &kind), -EINVAL);
        assert_string_equal(model_kind_to_string(MODEL_UNIFORM), "uniform");
        assert_null(model_kind_to_string(MODEL_N_KINDS));
        assert_null(model_free(NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fleet),
                cmocka_unit_test(test_fleet_is_even),
                cmocka_unit_test(test_scan_mixes),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_anomalies),
                cmocka_unit_test(test_status_and_alert),
                cmocka_unit_test(test_quality),
                cmocka_unit_test(test_independence),
                cmocka_unit_test(test_same_bytes),
                cmocka_unit_test(test_other_seed),
                cmocka_unit_test(test_share_of_anomalies),
                cmocka_unit_test(test_odd_catalogs),
                cmocka_unit_test(test_refusals),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
