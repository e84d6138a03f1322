/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/limiter.h"

#include "daemon/condition.h"
#include "util/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BEGIN NSEC_PER_HOUR

/* Some, then none until half a minute is over, and then it is told how many there were. */
static void test_window(void **state) {
        struct limiter limiter = {};
        uint64_t n_held_back = 7;

        for (unsigned int i = 0; i < 3; ++i) {
                assert_true(limiter_admit(&limiter, 3, BEGIN + i, &n_held_back));
                assert_int_equal(n_held_back, 0);
        }

        n_held_back = 7;
        for (unsigned int i = 0; i < 5; ++i)
                assert_false(limiter_admit(&limiter, 3, BEGIN + 29 * NSEC_PER_SEC, &n_held_back));
        assert_int_equal(n_held_back, 7);

        assert_true(limiter_admit(&limiter, 3, BEGIN + 30 * NSEC_PER_SEC, &n_held_back));
        assert_int_equal(n_held_back, 5);
        assert_true(limiter_admit(&limiter, 3, BEGIN + 30 * NSEC_PER_SEC, &n_held_back));
        assert_int_equal(n_held_back, 0);
}

static void test_unlimited(void **state) {
        struct limiter limiter = {};
        uint64_t n_held_back;

        for (unsigned int i = 0; i < 1000; ++i)
                assert_true(limiter_admit(&limiter, CONDITION_UNLIMITED, BEGIN, &n_held_back));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_window),
                cmocka_unit_test(test_unlimited),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
