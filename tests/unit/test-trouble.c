/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/trouble.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BEGIN NSEC_PER_HOUR

static void test_none(void **state) {
        struct trouble trouble = {};

        assert_true(trouble_is(&trouble, TROUBLE_NONE, 0));
        assert_int_equal(trouble_get_state(&trouble), I4_STORAGE_WRITING);
}

/* One that gives way to another has lasted since the first; the next one begins anew. */
static void test_span(void **state) {
        struct trouble trouble = {};

        trouble_begin(&trouble, TROUBLE_FULL, -ENOSPC, 10, BEGIN);
        trouble_begin(&trouble, TROUBLE_FAILING, -EIO, 20, BEGIN + 5);
        assert_true(trouble_is(&trouble, TROUBLE_FAILING, -EIO));
        assert_false(trouble_is(&trouble, TROUBLE_FAILING, -EROFS));
        assert_int_equal(trouble.n_bytes, 20);
        assert_int_equal(trouble_end(&trouble, BEGIN + 7), 7);
        assert_true(trouble_is(&trouble, TROUBLE_NONE, 0));

        trouble_begin(&trouble, TROUBLE_LIMITED, 0, 20, BEGIN + 10);
        assert_int_equal(trouble_end(&trouble, BEGIN + 11), 1);
}

static void test_kinds(void **state) {
        const struct {
                enum trouble_kind kind;
                int error;
                enum recorder_event_kind event;
                enum i4_storage_state state;
        } kinds[] = {
                { TROUBLE_LIMITED, 0, RECORDER_LIMITED, I4_STORAGE_FULL },
                { TROUBLE_LIMITED, -ENOSPC, RECORDER_FULL,
                                I4_STORAGE_FULL }, /* the whole disk is the limit */
                { trouble_from_error(-ENOSPC), -ENOSPC, RECORDER_FULL, I4_STORAGE_FULL },
                { trouble_from_error(-EDQUOT), -EDQUOT, RECORDER_FULL, I4_STORAGE_FULL },
                { trouble_from_error(-EIO), -EIO, RECORDER_FAILING, I4_STORAGE_FAILED },
                { trouble_from_error(-EROFS), -EROFS, RECORDER_FAILING, I4_STORAGE_FAILED },
        };

        for (size_t i = 0; i < ELEMENTSOF(kinds); ++i) {
                struct trouble trouble = {};

                trouble_begin(&trouble, kinds[i].kind, kinds[i].error, 0, BEGIN);
                assert_int_equal(trouble_get_event(&trouble), kinds[i].event);
                assert_int_equal(trouble_get_state(&trouble), kinds[i].state);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_none),
                cmocka_unit_test(test_span),
                cmocka_unit_test(test_kinds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
