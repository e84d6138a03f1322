/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every public function is there for a program that links libi4 and nothing else
 *
 * A function that is missing from libi4.sym fails to link. That this table is complete is check-names'
 * affair.
 */

#include <i4.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef void (*function)(void);

static const function functions[] = {
        (function) i4_alert_from_string,
        (function) i4_alert_to_string,
        (function) i4_catalog_find_pipeline,
        (function) i4_catalog_find_sensor,
        (function) i4_catalog_find_type,
        (function) i4_catalog_format_sensor_id,
        (function) i4_catalog_get_default,
        (function) i4_catalog_get_n_pipelines,
        (function) i4_catalog_get_n_sensors,
        (function) i4_catalog_get_n_types,
        (function) i4_catalog_get_pipeline_id,
        (function) i4_catalog_get_type_name,
        (function) i4_catalog_get_type_range,
        (function) i4_catalog_get_type_unit,
        (function) i4_encoder_encode,
        (function) i4_encoder_free,
        (function) i4_encoder_new,
        (function) i4_encoder_set_extras,
        (function) i4_fault_from_string,
        (function) i4_fault_to_string,
        (function) i4_reader_arm,
        (function) i4_reader_close,
        (function) i4_reader_get_catalog,
        (function) i4_reader_get_cursor,
        (function) i4_reader_get_fd,
        (function) i4_reader_get_lost,
        (function) i4_reader_get_newest,
        (function) i4_reader_get_oldest,
        (function) i4_reader_get_peers,
        (function) i4_reader_get_stats,
        (function) i4_reader_open,
        (function) i4_reader_open_fd,
        (function) i4_reader_open_observer,
        (function) i4_reader_read,
        (function) i4_reader_reattach,
        (function) i4_reader_seek,
        (function) i4_reader_spin,
        (function) i4_reader_wait,
        (function) i4_record_get_alert,
        (function) i4_record_get_event,
        (function) i4_record_get_fault,
        (function) i4_record_get_latitude,
        (function) i4_record_get_longitude,
        (function) i4_record_get_mile_post,
        (function) i4_record_get_pipeline,
        (function) i4_record_get_quality,
        (function) i4_record_get_sensor,
        (function) i4_record_get_sequence,
        (function) i4_record_get_status,
        (function) i4_record_get_time,
        (function) i4_record_get_type,
        (function) i4_record_get_value,
        (function) i4_status_from_string,
        (function) i4_status_to_string,
        (function) i4_storage_state_to_string,
};

static void test_functions(void **state) {
        for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); ++i)
                assert_non_null(functions[i]);
}

/* Programs are built against this layout, and the ring is made of it. */
static void test_record_layout(void **state) {
        assert_int_equal(sizeof(struct i4_record), 64);
        assert_int_equal(offsetof(struct i4_record, sequence), 0);
        assert_int_equal(offsetof(struct i4_record, time_ns), 8);
        assert_int_equal(offsetof(struct i4_record, sensor), 16);
        assert_int_equal(offsetof(struct i4_record, event), 20);
        assert_int_equal(offsetof(struct i4_record, value_e2), 24);
        assert_int_equal(offsetof(struct i4_record, latitude_e6), 28);
        assert_int_equal(offsetof(struct i4_record, longitude_e6), 32);
        assert_int_equal(offsetof(struct i4_record, mile_post_e2), 36);
        assert_int_equal(offsetof(struct i4_record, quality_e4), 40);
        assert_int_equal(offsetof(struct i4_record, pipeline), 42);
        assert_int_equal(offsetof(struct i4_record, type), 44);
        assert_int_equal(offsetof(struct i4_record, status), 45);
        assert_int_equal(offsetof(struct i4_record, alert), 46);
        assert_int_equal(offsetof(struct i4_record, fault), 47);
}

/* Each accessor gives its field, in natural units. */
static void test_record_accessors(void **state) {
        const struct i4_record record = {
                .sequence = UINT64_MAX,
                .time_ns = UINT64_C(1700000000123456789),
                .sensor = 2977,
                .event = 12,
                .value_e2 = -1234,
                .latitude_e6 = 37820001,
                .longitude_e6 = -104560002,
                .mile_post_e2 = 20370,
                .quality_e4 = 8700,
                .pipeline = 3,
                .type = 2,
                .status = I4_STATUS_MAINTENANCE,
                .alert = I4_ALERT_HIGH,
                .fault = I4_FAULT_OUT_OF_RANGE,
        };

        assert_true(i4_record_get_sequence(&record) == UINT64_MAX);
        assert_int_equal(i4_record_get_time(&record).tv_sec, 1700000000);
        assert_int_equal(i4_record_get_time(&record).tv_nsec, 123456789);
        assert_int_equal(i4_record_get_sensor(&record), 2977);
        assert_int_equal(i4_record_get_event(&record), 12);
        assert_true(i4_record_get_value(&record) == -12.34);
        assert_true(i4_record_get_latitude(&record) == 37.820001);
        assert_true(i4_record_get_longitude(&record) == -104.560002);
        assert_true(i4_record_get_mile_post(&record) == 203.7);
        assert_true(i4_record_get_quality(&record) == 0.87);
        assert_int_equal(i4_record_get_pipeline(&record), 3);
        assert_int_equal(i4_record_get_type(&record), 2);
        assert_int_equal(i4_record_get_status(&record), I4_STATUS_MAINTENANCE);
        assert_int_equal(i4_record_get_alert(&record), I4_ALERT_HIGH);
        assert_int_equal(i4_record_get_fault(&record), I4_FAULT_OUT_OF_RANGE);
}

/* Names and numbers are each other's reverse, and there are no others. */
static void test_names(void **state) {
        for (int i = 0; i < I4_N_STATUS; ++i)
                assert_int_equal(i4_status_from_string(i4_status_to_string((unsigned int) i)), i);
        for (int i = 0; i < I4_N_ALERT; ++i)
                assert_int_equal(i4_alert_from_string(i4_alert_to_string((unsigned int) i)), i);
        for (int i = 0; i < I4_N_FAULT; ++i)
                assert_int_equal(i4_fault_from_string(i4_fault_to_string((unsigned int) i)), i);

        for (unsigned int i = 0; i < I4_N_STORAGE_STATES; ++i)
                assert_non_null(i4_storage_state_to_string(i));
        assert_string_equal(i4_storage_state_to_string(I4_STORAGE_HANGS), "hangs");

        assert_null(i4_storage_state_to_string(I4_N_STORAGE_STATES));
        assert_null(i4_status_to_string(I4_N_STATUS));
        assert_null(i4_alert_to_string(I4_N_ALERT));
        assert_null(i4_fault_to_string(I4_N_FAULT));
        assert_true(i4_status_from_string("") < 0);
        assert_true(i4_alert_from_string("Low") < 0);
        assert_true(i4_fault_from_string("no such") < 0);
}

static void test_catalog(void **state) {
        const i4_catalog *catalog = i4_catalog_get_default();
        double minimum, maximum;
        uint32_t sensor;

        assert_int_equal(i4_catalog_get_n_types(catalog), 8);
        assert_int_equal(i4_catalog_get_n_pipelines(catalog), 8);
        for (unsigned int i = 0; i < 8; ++i) {
                struct i4_record record = { .type = (uint8_t) i, .sensor = 42 };
                char id[I4_SENSOR_ID_MAX];
                int n;

                assert_int_equal(i4_catalog_find_type(catalog, i4_catalog_get_type_name(catalog, i)), i);
                assert_int_equal(
                                i4_catalog_find_pipeline(catalog, i4_catalog_get_pipeline_id(catalog, i)), i);
                assert_non_null(i4_catalog_get_type_unit(catalog, i));
                assert_int_equal(i4_catalog_get_type_range(catalog, i, &minimum, &maximum), 0);
                assert_true(minimum < maximum);

                n = i4_catalog_format_sensor_id(catalog, &record, id, sizeof(id));
                assert_int_equal(n, strlen(id));
                assert_int_equal(i4_catalog_find_sensor(catalog, id, &sensor), 0);
                assert_int_equal(sensor, 42);
        }

        assert_null(i4_catalog_get_type_name(catalog, 8));
        assert_null(i4_catalog_get_type_unit(catalog, 8));
        assert_null(i4_catalog_get_pipeline_id(catalog, 8));
        assert_true(i4_catalog_get_type_range(catalog, 8, &minimum, &maximum) < 0);
        assert_true(i4_catalog_find_type(catalog, "colour") < 0);
        assert_true(i4_catalog_find_pipeline(catalog, "PIPE") < 0);
        assert_true(i4_catalog_find_sensor(catalog, "SNS-flo-8000", &sensor) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_functions),
                cmocka_unit_test(test_record_layout),
                cmocka_unit_test(test_record_accessors),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_catalog),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
