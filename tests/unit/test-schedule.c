/* SPDX-License-Identifier: Apache-2.0 */

#include "model/schedule.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define START_NS UINT64_C(1795430983700000001)

static const struct rate rates[] = {
        { 10000, NSEC_PER_SEC },
        { 3, NSEC_PER_SEC },
        { 7, NSEC_PER_MIN },
        { 1, NSEC_PER_MIN },
        { 1, NSEC_PER_DAY },
        { 25, 10 * NSEC_PER_SEC },
        { 999983, NSEC_PER_SEC },
        { 999999999, NSEC_PER_SEC },
        { 1000000000, NSEC_PER_SEC },
        { 123456789, 123456791 },
};

/* Steps and spans are drawn; everything stays below the end of the clock, in 2554. */
static const uint64_t reach_ns[] = { NSEC_PER_SEC, NSEC_PER_DAY, 365 * NSEC_PER_DAY,
        UINT64_C(400) * 365 * NSEC_PER_DAY };

/* A step is due from its own instant on and not a nanosecond earlier: the two directions are exact inverses.
 */
static void test_inverse(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rates); ++i)
                for (size_t j = 0; j < ELEMENTSOF(reach_ns); ++j)
                        for (uint64_t k = 0; k < 1000; ++k) {
                                struct anchor anchor = {
                                        .step = 1000 * i, .time_ns = START_NS, .rate = rates[i]
                                };
                                uint64_t time_ns = START_NS + random_scale(random_draw(j, k), reach_ns[j]);
                                uint64_t due = anchor_get_due(&anchor, time_ns), step = due - 1;

                                assert_true(due > anchor.step);
                                assert_true(anchor_get_time(&anchor, step) <= time_ns);
                                assert_true(anchor_get_time(&anchor, due) > time_ns);

                                assert_true(anchor_get_due(&anchor, anchor_get_time(&anchor, step)) == due);
                                if (step > anchor.step)
                                        assert_true(anchor_get_due(&anchor, anchor_get_time(&anchor, step) -
                                                                                            1) == step);
                        }
}

/* The definition, term by term. */
static void test_definition(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rates); ++i) {
                struct anchor anchor = { .time_ns = START_NS, .rate = rates[i] };

                for (uint64_t n = 0; n < 2000; ++n)
                        assert_true(anchor_get_time(&anchor, n) ==
                                        START_NS + n * rates[i].period_ns / rates[i].n_records);
        }
}

/* No error adds up: after any whole number of periods exactly that many times the records are due. */
static void test_whole_periods(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rates); ++i)
                for (size_t j = 0; j < ELEMENTSOF(reach_ns); ++j) {
                        struct anchor anchor = { .time_ns = START_NS, .rate = rates[i] };
                        uint64_t n = reach_ns[j] / rates[i].period_ns;

                        if (n == 0)
                                continue;

                        assert_true(anchor_get_time(&anchor, n * rates[i].n_records) ==
                                        START_NS + n * rates[i].period_ns);
                        assert_true(anchor_get_due(&anchor, START_NS + n * rates[i].period_ns - 1) ==
                                        n * rates[i].n_records);
                        assert_true(anchor_get_due(&anchor, START_NS + n * rates[i].period_ns) ==
                                        n * rates[i].n_records + 1);
                }
}

static void test_before_the_anchor(void **state) {
        struct anchor anchor = { .step = 17, .time_ns = START_NS, .rate = rates[0] };

        assert_int_equal(anchor_get_due(&anchor, 0), 17);
        assert_int_equal(anchor_get_due(&anchor, START_NS - 1), 17);
        assert_int_equal(anchor_get_due(&anchor, START_NS), 18);
        assert_true(anchor_get_time(&anchor, 17) == START_NS);
}

/* Beyond the end of the clock nothing wraps around. */
static void test_saturation(void **state) {
        struct anchor anchor = { .step = UINT64_MAX - 10, .time_ns = START_NS, .rate = rates[0] };

        assert_true(anchor_get_due(&anchor, UINT64_MAX) == UINT64_MAX);

        anchor = (struct anchor){ .time_ns = START_NS, .rate = { 1, NSEC_PER_DAY } };
        assert_true(anchor_get_time(&anchor, UINT64_MAX) == UINT64_MAX);
}

/* A walk gives the same times as single questions, wherever it begins. */
static void test_timeline(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rates); ++i)
                for (size_t j = 0; j < ELEMENTSOF(reach_ns); ++j) {
                        struct anchor anchor = { .step = 5, .time_ns = START_NS, .rate = rates[i] };
                        uint64_t step = anchor_get_due(&anchor, START_NS + reach_ns[j]);
                        struct timeline timeline;

                        timeline_init(&timeline, &anchor, step);
                        for (uint64_t n = step; n < step + 1000; ++n)
                                assert_true(timeline_next(&timeline) == anchor_get_time(&anchor, n));
                }
}

/* The last reading is made now, none at the end of the last span, and gaps differ by a nanosecond at most. */
static void test_span(void **state) {
        static const struct {
                uint64_t span_ns, n;
        } spans[] = { { 1000, 10 }, { 1000, 7 }, { 1, 1 }, { 999983, 1024 }, { 3, 10 }, { 0, 5 } };

        for (size_t i = 0; i < ELEMENTSOF(spans); ++i) {
                uint64_t span_ns = spans[i].span_ns, n = spans[i].n, last_ns = START_NS, time_ns = START_NS;
                struct timeline timeline;

                timeline_init_span(&timeline, START_NS, START_NS + span_ns, n);
                for (uint64_t j = 0; j < n; ++j) {
                        time_ns = timeline_next(&timeline);
                        assert_in_range(time_ns - last_ns, span_ns / n, span_ns / n + 1);
                        last_ns = time_ns;
                }

                assert_true(time_ns == START_NS + span_ns);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_inverse),
                cmocka_unit_test(test_definition),
                cmocka_unit_test(test_whole_periods),
                cmocka_unit_test(test_before_the_anchor),
                cmocka_unit_test(test_saturation),
                cmocka_unit_test(test_timeline),
                cmocka_unit_test(test_span),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
