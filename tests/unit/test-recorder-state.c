/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/recorder_state.h"
#include "util/macros.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void store(struct recorder_state *state, uint64_t n) {
        recorder_state_store(state, &(struct recorder_position){
                                                    .sequence = n,
                                                    .offset = 10 * n,
                                                    .device = 7,
                                                    .inode = 100 + n,
                                    });
}

static void assert_noted(const struct recorder_state *state, uint64_t n) {
        struct recorder_position position;

        assert_true(recorder_state_load(state, &position));
        assert_true(position.sequence == n);
        assert_true(position.offset == 10 * n);
        assert_true(position.device == 7);
        assert_true(position.inode == 100 + n);
}

static void test_nothing_noted(void **unused) {
        struct recorder_state state = {};
        struct recorder_position position;

        assert_false(recorder_state_load(&state, &position));
}

static void test_last_is_noted(void **unused) {
        struct recorder_state state = {};

        for (uint64_t n = 0; n < 5; ++n) {
                store(&state, n);
                assert_noted(&state, n);
        }
}

/* While one copy is written the other holds: a kill midway leaves what was noted before. */
static void test_copy_in_force_is_kept(void **unused) {
        struct recorder_state state = {}, before;

        for (uint64_t n = 0; n < 5; ++n) {
                store(&state, n);
                before = state;
                store(&state, n + 1);

                before.positions[0] = state.positions[0];
                before.positions[1] = state.positions[1];
                assert_noted(&before, n);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_noted),
                cmocka_unit_test(test_last_is_noted),
                cmocka_unit_test(test_copy_in_force_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
