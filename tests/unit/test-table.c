/* SPDX-License-Identifier: Apache-2.0 */

#include "util/macros.h"
#include "verify/names.h"
#include "verify/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define N_RECORDS 100000u

static struct table_record make_record(uint32_t i) {
        return (struct table_record){ .sequence = 7 + 3 * (uint64_t) i, .time_ns = i / 10, .sensor = i % 10 };
}

static void table_fill(struct table **tablep, uint32_t n) {
        assert_int_equal(table_new(tablep), 0);
        for (uint32_t i = 0; i < n; ++i)
                assert_int_equal(table_add(*tablep, make_record(i)), 0);
        assert_int_equal(table_get_n(*tablep), n);
}

static void test_find(void **state) {
        _cleanup_(table_freep) struct table *table = NULL;
        uint32_t twins[2];

        table_fill(&table, N_RECORDS);
        assert_int_equal(table_index(table, TABLE_BY_SEQUENCE, twins), 0);
        assert_int_equal(table_index(table, TABLE_BY_SENSOR, twins), 0);
        assert_int_equal(table_index(table, TABLE_BY_SENSOR, twins), 0);

        /* Forwards, where the next is guessed, and backwards, where it is not. */
        for (uint32_t i = 0; i < N_RECORDS; ++i) {
                struct table_record record = make_record(i);

                assert_int_equal(table_find_sequence(table, record.sequence), i);
                assert_int_equal(table_find_sensor(table, record.sensor, record.time_ns), i);
        }
        for (uint32_t i = N_RECORDS; i-- > 0;) {
                struct table_record record = make_record(i);

                assert_int_equal(table_find_sequence(table, record.sequence), i);
                assert_int_equal(table_find_sensor(table, record.sensor, record.time_ns), i);
                assert_int_equal(table_find_sequence(table, record.sequence + 1), TABLE_NONE);
        }
        assert_int_equal(table_find_sensor(table, 10, 0), TABLE_NONE);
        assert_int_equal(table_find_sensor(table, 0, N_RECORDS), TABLE_NONE);
        /* As the manual says: 32 bytes, and 6 to 12 for each index. */
        assert_true(table_get_size(table) >= N_RECORDS * (32 + 2 * 6));
        assert_true(table_get_size(table) <= N_RECORDS * (32 + 2 * 12));
}

static void test_empty(void **state) {
        _cleanup_(table_freep) struct table *table = NULL;
        uint32_t twins[2];

        table_fill(&table, 0);
        assert_int_equal(table_index(table, TABLE_BY_SEQUENCE, twins), 0);
        assert_int_equal(table_find_sequence(table, 0), TABLE_NONE);
}

static void test_twins(void **state) {
        _cleanup_(table_freep) struct table *table = NULL;
        uint32_t twins[2];

        table_fill(&table, 100);
        assert_int_equal(table_add(table, (struct table_record){ .sequence = 1, .time_ns = 3, .sensor = 4 }),
                        0);
        assert_int_equal(table_index(table, TABLE_BY_SENSOR, twins), -EEXIST);
        assert_int_equal(twins[0], 34);
        assert_int_equal(twins[1], 100);
        /* Known by another key they are different all the same. */
        assert_int_equal(table_index(table, TABLE_BY_SEQUENCE, twins), 0);
        assert_int_equal(table_find_sequence(table, 1), 100);
}

static void test_digest(void **state) {
        struct table_record record = { .offset = TABLE_OFFSET_MAX };

        table_record_set_digest(&record, UINT64_C(0xfedcba9876543210));
        assert_true(table_record_has_digest(&record, UINT64_C(0xfedcba9876543210)));
        assert_true(table_record_has_digest(&record, UINT64_C(0x0000ba9876543210)));
        assert_false(table_record_has_digest(&record, UINT64_C(0xfedcbb9876543210)));
        assert_false(table_record_has_digest(&record, UINT64_C(0xfedcba9876543211)));
        assert_true(record.offset == TABLE_OFFSET_MAX && !record.is_delivered && !record.is_detected);
}

static void test_names(void **state) {
        _cleanup_(names_freep) struct names *names = NULL;
        uint32_t number;
        char text[32];

        assert_int_equal(names_new(&names), 0);
        for (unsigned int round = 0; round < 2; ++round)
                for (uint32_t i = 0; i < 10000; ++i) {
                        int n = snprintf(text, sizeof(text), "SNS-%u", i);

                        assert_int_equal(names_add(names, text, (size_t) n, &number), 0);
                        assert_int_equal(number, i);
                }
        assert_int_equal(names_get_n(names), 10000);
        assert_string_equal(names_get(names, 77), "SNS-77");

        assert_int_equal(names_find(names, "SNS-9999", 8, &number), 0);
        assert_int_equal(number, 9999);
        assert_int_equal(names_find(names, "SNS-9999", 7, &number), 0);
        assert_int_equal(number, 999);
        assert_int_equal(names_find(names, "", 0, &number), -ENOENT);
        assert_int_equal(names_add(names, "a\0b", 3, &number), 0);
        assert_int_equal(names_find(names, "a\0c", 3, &number), -ENOENT);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_twins),
                cmocka_unit_test(test_digest),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
