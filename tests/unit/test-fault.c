/* SPDX-License-Identifier: Apache-2.0 */

#include "model/fault.h"

#include "util/clock.h"
#include "util/macros.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define KEY      UINT64_C(0x5eed)
#define START_NS (1000 * NSEC_PER_SEC)
#define END_NS   (1600 * NSEC_PER_SEC)
#define HELD_E2  4000

static const struct signal_type type = { .minimum_e2 = 0, .maximum_e2 = 10000 };

static struct incident incident_make(enum i4_fault kind) {
        return (struct incident){ .start_ns = START_NS,
                .end_ns = END_NS,
                .id = 77,
                .strength_q16 = 65536,
                .kind = (uint8_t) kind };
}

static struct observation apply(const struct incident *incident, uint64_t time_ns, int32_t value_e2) {
        return fault_apply(incident, KEY, HELD_E2, &type, time_ns, value_e2);
}

/* From its start to its end, and spikes now and then between. */
static void test_shows(void **state) {
        struct incident offset = incident_make(I4_FAULT_OFFSET), spike = incident_make(I4_FAULT_SPIKE);
        unsigned int n = 0;

        assert_false(fault_shows(&offset, KEY, START_NS - 1));
        assert_true(fault_shows(&offset, KEY, START_NS));
        assert_true(fault_shows(&offset, KEY, END_NS - 1));
        assert_false(fault_shows(&offset, KEY, END_NS));

        for (uint64_t i = 0; i < 8000; ++i)
                n += fault_shows(&spike, KEY, START_NS + i * NSEC_PER_MSEC);
        /* Three standard deviations are 89. */
        assert_in_range(n, 8000 / FAULT_SPIKE_ODDS - 100, 8000 / FAULT_SPIKE_ODDS + 100);
        assert_false(fault_shows(&spike, KEY, END_NS + NSEC_PER_SEC));
}

/* Whatever the kind, strength, direction and value: it tells which and what it is, and stays in the range of
 * the type, but for the one that does not. */
static void test_range(void **state) {
        static const int32_t values_e2[] = { 0, 1, 5000, 10000 };

        for (unsigned int kind = I4_FAULT_OUT_OF_RANGE; kind < I4_FAULT_LEAK; ++kind)
                for (unsigned int i = 0; i < 2 * ELEMENTSOF(values_e2); ++i) {
                        struct incident incident = incident_make((enum i4_fault) kind);
                        struct observation result;

                        incident.is_negative = i % 2;
                        result = apply(&incident, START_NS + i * NSEC_PER_SEC, values_e2[i / 2]);
                        assert_int_equal(result.fault, kind);
                        assert_int_equal(result.event, 77);
                        assert_int_equal(result.is_bad, kind == I4_FAULT_OUT_OF_RANGE ||
                                                                        kind == I4_FAULT_NOISE ||
                                                                        kind == I4_FAULT_DROPOUT);
                        if (kind == I4_FAULT_OUT_OF_RANGE)
                                assert_in_range(result.value_e2, 10001, 12001);
                        else
                                assert_in_range(result.value_e2, 0, 10000);
                }
}

static void test_kinds(void **state) {
        static const struct signal_type narrow = { .minimum_e2 = 3, .maximum_e2 = 7 };
        struct incident incident;

        incident = incident_make(I4_FAULT_STUCK);
        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, HELD_E2);

        incident = incident_make(I4_FAULT_CLIPPING);
        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, HELD_E2);
        assert_int_equal(apply(&incident, START_NS, 3000).value_e2, 3000);

        incident = incident_make(I4_FAULT_DROPOUT);
        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, type.minimum_e2);

        /* By a fifth of the range at most: of so small a one by the least there is. */
        incident = incident_make(I4_FAULT_OUT_OF_RANGE);
        assert_int_equal(fault_apply(&incident, KEY, HELD_E2, &narrow, START_NS, 5).value_e2, 8);

        incident = incident_make(I4_FAULT_SPIKE);
        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, 9000);
        incident.is_negative = true;
        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, 1000);

        /* By its strength from half to whole. */
        incident = incident_make(I4_FAULT_OFFSET);
        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, 6250);
        incident.strength_q16 = 0;
        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, 5625);
}

static void test_drift(void **state) {
        struct incident incident = incident_make(I4_FAULT_DRIFT);
        int32_t before_e2 = 5000;

        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, 5000);
        for (uint64_t time_ns = START_NS + NSEC_PER_SEC; time_ns < END_NS; time_ns += NSEC_PER_SEC) {
                int32_t value_e2 = apply(&incident, time_ns, 5000).value_e2;

                assert_true(value_e2 > before_e2);
                before_e2 = value_e2;
        }
        assert_in_range(before_e2, 7450, 7500);

        /* Shorter than the steps it goes in. */
        incident.end_ns = START_NS + 1;
        assert_int_equal(apply(&incident, START_NS, 5000).value_e2, 5000);
}

static void test_noise(void **state) {
        struct incident incident = incident_make(I4_FAULT_NOISE);
        int64_t sum_e2 = 0, n_above = 0;

        for (uint64_t i = 0; i < 1000; ++i) {
                int32_t value_e2 = apply(&incident, START_NS + i * NSEC_PER_MSEC, 5000).value_e2;

                sum_e2 += value_e2;
                n_above += value_e2 > 5000 + 10000 / 12;
        }
        /* Of a thousand draws, with a standard deviation of a twelfth of the range. */
        assert_in_range(sum_e2 / 1000, 5000 - 90, 5000 + 90);
        assert_in_range(n_above, 120, 200);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_shows),
                cmocka_unit_test(test_range),
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_drift),
                cmocka_unit_test(test_noise),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
