/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/allocation.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MIB UINT64_C(1048576)

/* As a file of which the first block needs @need bytes, all that is asked for given at @now_ns. */
static uint64_t grow(struct allocation *a, uint64_t need, uint64_t now_ns) {
        uint64_t size = allocation_plan(a, need) - a->end;

        assert_int_equal(allocation_complete(a, size, need, 0, now_ns), 0);
        return size;
}

/* Pieces double while they are used up fast, up to what is allowed, and are calm again when they are not. */
static void test_fast_and_calm(void **state) {
        uint64_t now_ns = NSEC_PER_HOUR, size = 0;
        struct allocation a;

        allocation_init(&a);
        allocation_begin(&a, 0);
        assert_int_equal(grow(&a, MIB, now_ns), 16 * MIB);
        assert_true(a.has_surplus);
        for (unsigned int i = 0; i < 10; ++i)
                size = grow(&a, a.end + MIB, now_ns += NSEC_PER_MSEC);
        assert_int_equal(size, 256 * MIB);

        (void) grow(&a, a.end + MIB, now_ns += NSEC_PER_SEC);
        assert_int_equal(grow(&a, a.end + MIB, now_ns += NSEC_PER_SEC), 16 * MIB);

        allocation_set_limits(&a, 4 * MIB, UINT64_MAX);
        assert_int_equal(grow(&a, a.end + MIB, now_ns), 4 * MIB);
}

/* Not beyond the limit, unless what has to be written lies there. */
static void test_limit(void **state) {
        struct allocation a;

        allocation_init(&a);
        allocation_begin(&a, MIB);
        allocation_set_limits(&a, 64 * MIB, 3 * MIB);
        assert_int_equal(allocation_plan(&a, 2 * MIB), 3 * MIB);
        assert_int_equal(allocation_plan(&a, 5 * MIB), 5 * MIB);
}

static void test_rounds(void **state) {
        struct allocation a;

        assert_int_equal(allocation_round(0), 0);
        assert_int_equal(allocation_round(1), 4096);
        assert_int_equal(allocation_round(4096), 4096);

        allocation_init(&a);
        allocation_begin(&a, 100);
        allocation_set_limits(&a, 0, UINT64_MAX);
        assert_int_equal(allocation_plan(&a, 4096), 8192);
}

/* Refused pieces are halved, also below what is needed, down to a page: then it is over, and what there is
 * stays. */
static void test_full(void **state) {
        const uint64_t need = MIB;
        struct allocation a;
        uint64_t size = 0, n = 0;
        int r = 1;

        allocation_init(&a);
        allocation_begin(&a, 0);
        while (r > 0 && ++n < 100) {
                uint64_t last = size;

                size = allocation_plan(&a, need) - a.end;
                assert_true(last == 0 || size < last);
                r = allocation_complete(&a, size, need, -ENOSPC, NSEC_PER_SEC);
        }
        assert_int_equal(r, -ENOSPC);
        assert_int_equal(size, 4096);
        assert_true(a.is_tight);
        assert_int_equal(a.end, 0);

        /* Room for a part: it is taken, and known to be one. */
        size = allocation_plan(&a, need);
        assert_int_equal(size, 4096);
        assert_int_equal(allocation_complete(&a, size, need, 0, NSEC_PER_SEC), 0);
        assert_int_equal(a.end, 4096);
        assert_true(a.is_tight);

        /* Room for all again. */
        for (n = 0; a.is_tight && n < 100; ++n)
                (void) grow(&a, need, NSEC_PER_SEC);
        assert_true(a.end >= need);
}

static void test_errors(void **state) {
        struct allocation a;

        allocation_init(&a);
        allocation_begin(&a, 0);
        assert_int_equal(allocation_complete(&a, MIB, MIB, -EIO, NSEC_PER_SEC), -EIO);
        assert_int_equal(a.end, 0);

        /* A file system that does not allocate is written to without. */
        assert_int_equal(allocation_complete(&a, MIB, MIB, -EOPNOTSUPP, NSEC_PER_SEC), 0);
        assert_true(a.end == UINT64_MAX);
        assert_false(a.has_surplus);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fast_and_calm),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_rounds),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
