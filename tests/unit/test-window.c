/* SPDX-License-Identifier: Apache-2.0 */

/* Readings on their way are done in any order, and the position is always the oldest that is not. */

#include "kafka/window.h"

#include "util/macros.h"
#include "util/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 64u

static void test_order(void **state) {
        struct window window;

        (void) state;
        assert_int_equal(window_init(&window, 4), 0);
        assert_int_equal(window_get_position(&window, 10), 10);

        assert_int_equal(window_add(&window, 10), 0);
        assert_int_equal(window_add(&window, 11), 1);
        /* lost in between */
        assert_int_equal(window_add(&window, 20), 2);
        assert_int_equal(window_add(&window, 21), 3);
        assert_int_equal(window_get_room(&window), 0);

        window_finish(&window, 1);
        assert_int_equal(window_get_position(&window, 22), 10);
        window_finish(&window, 0);
        assert_int_equal(window_get_position(&window, 22), 20);
        assert_int_equal(window_get_room(&window), 2);
        window_finish(&window, 3);
        window_finish(&window, 2);
        assert_true(window_is_empty(&window));
        assert_int_equal(window_get_position(&window, 22), 22);
        window_deinit(&window);
}

/* Against the same said in the slowest way. */
static void test_random(void **state) {
        bool is_open[2000] = {};
        struct window window;
        uint64_t n = 0, seed = 1;

        (void) state;
        assert_int_equal(window_init(&window, SIZE), 0);
        for (unsigned int i = 0; i < 8000; ++i) {
                uint64_t choice = random_mix(seed++), oldest = 0;

                if ((choice & 1) && window_get_room(&window) > 0 && n < ELEMENTSOF(is_open)) {
                        assert_int_equal(window_add(&window, n), n);
                        is_open[n++] = true;
                } else if (!window_is_empty(&window)) {
                        uint64_t ticket = window.first + (choice >> 1) % (window.next - window.first);

                        if (is_open[ticket])
                                window_finish(&window, ticket);
                        is_open[ticket] = false;
                }

                while (oldest < n && !is_open[oldest])
                        ++oldest;
                assert_int_equal(window_get_position(&window, n), oldest);
        }

        window_deinit(&window);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_random),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
