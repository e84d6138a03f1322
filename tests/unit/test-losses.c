/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/losses.h"

#include "util/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BEGIN NSEC_PER_HOUR

/* The first at once, what follows within a second together, and each of them once. */
static void test_interval(void **state) {
        struct losses losses = {};
        struct recorder_event event;

        assert_false(losses_take_event(&losses, BEGIN, &event));
        losses_add(&losses, 100, 5);
        assert_true(losses_take_event(&losses, BEGIN, &event));
        assert_int_equal(event.kind, RECORDER_DROPPED);
        assert_int_equal(event.value, 100);
        assert_int_equal(event.records, 5);
        assert_false(losses_take_event(&losses, BEGIN + NSEC_PER_SEC, &event));

        losses_add(&losses, 200, 1);
        losses_add(&losses, 300, 7);
        assert_false(losses_take_event(&losses, BEGIN + NSEC_PER_SEC - 1, &event));
        assert_true(losses_take_event(&losses, BEGIN + NSEC_PER_SEC, &event));
        assert_int_equal(event.value, 200);
        assert_int_equal(event.records, 8);
        assert_int_equal(losses.n_dropped, 13);
}

/* The end is not waited for. */
static void test_end(void **state) {
        struct losses losses = {};
        struct recorder_event event;

        losses_add(&losses, 1, 1);
        assert_true(losses_take_event(&losses, BEGIN, &event));
        losses_add(&losses, 2, 1);
        assert_true(losses_take_event(&losses, NSEC_INFINITY, &event));
        assert_int_equal(event.value, 2);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_interval),
                cmocka_unit_test(test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
