/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/recorder_events.h"
#include "util/macros.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add(struct recorder_events *events, uint64_t value) {
        recorder_events_add(events, &(struct recorder_event){ .kind = RECORDER_DROPPED, .value = value });
}

static uint64_t next(struct recorder_events *events) {
        struct recorder_event event;

        assert_int_equal(recorder_events_next(events, &event), 1);
        return event.value;
}

static bool is_readable(const struct recorder_events *events) {
        struct pollfd fd = { .fd = recorder_events_get_fd(events), .events = POLLIN };

        return poll(&fd, 1, 0) > 0;
}

static void test_order(void **state) {
        _cleanup_(recorder_events_deinit) struct recorder_events events = {};
        struct recorder_event event;

        assert_int_equal(recorder_events_init(&events), 0);
        assert_int_equal(recorder_events_next(&events, &event), 0);

        add(&events, 1);
        add(&events, 2);
        assert_true(next(&events) == 1);
        add(&events, 3);
        assert_true(next(&events) == 2);
        assert_true(next(&events) == 3);
        assert_int_equal(recorder_events_next(&events, &event), 0);
}

/* Until it is said that there are no more: who takes one at a time is called again for the next. */
static void test_readable(void **state) {
        _cleanup_(recorder_events_deinit) struct recorder_events events = {};
        struct recorder_event event;

        assert_int_equal(recorder_events_init(&events), 0);
        assert_false(is_readable(&events));

        add(&events, 1);
        add(&events, 2);
        (void) next(&events);
        assert_true(is_readable(&events));
        (void) next(&events);
        assert_int_equal(recorder_events_next(&events, &event), 0);
        assert_false(is_readable(&events));

        add(&events, 3);
        assert_true(is_readable(&events));
}

static void test_oldest_gives_way(void **state) {
        _cleanup_(recorder_events_deinit) struct recorder_events events = {};
        struct recorder_event event;

        assert_int_equal(recorder_events_init(&events), 0);
        for (uint64_t i = 0; i < RECORDER_EVENTS_MAX + 3; ++i)
                add(&events, i);

        for (uint64_t i = 3; i < RECORDER_EVENTS_MAX + 3; ++i)
                assert_true(next(&events) == i);
        assert_int_equal(recorder_events_next(&events, &event), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_readable),
                cmocka_unit_test(test_oldest_gives_way),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
