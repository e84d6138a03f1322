/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/pacer.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define BOOT_NS (100 * NSEC_PER_SEC)
#define REAL_NS (UINT64_C(1700000000) * NSEC_PER_SEC)
#define MONO_NS (40 * NSEC_PER_SEC)

static const struct pacer_settings settings = {
        .rate = { 10000, NSEC_PER_SEC },
        .batch_ns = 10 * NSEC_PER_MSEC,
        .catch_up_ns = 10 * NSEC_PER_SEC,
};

struct fixture {
        struct pacer_state state;
        struct pacer pacer;
        struct pacer_event event;
        uint64_t head;
};

/* The clocks when @ns have passed since the beginning. */
static struct clocks after(uint64_t ns) {
        return (struct clocks){ .boot_ns = BOOT_NS + ns, .real_ns = REAL_NS + ns, .mono_ns = MONO_NS + ns };
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->head = 500;
        pacer_init(&f->pacer, &settings, &f->state, f->head, after(0), &f->event);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        free(*state);
        return 0;
}

/* Makes all that is due. */
static uint64_t make(struct fixture *f, struct clocks now) {
        uint64_t n = pacer_get_due(&f->pacer, f->head, now);

        f->head += n;
        return n;
}

static uint64_t next_time(const struct fixture *f) {
        struct timeline timeline;

        pacer_init_timeline(&f->pacer, f->head, &timeline);
        return timeline_next(&timeline);
}

/* A successor of a process that was killed. */
static void succeed(struct fixture *f, const struct pacer_settings *s, struct clocks now) {
        pacer_init(&f->pacer, s, &f->state, f->head, now, &f->event);
}

/* However unevenly the thread wakes, in 5 s it has made 50,000 and the one due at the very end. */
static void test_no_drift(void **state) {
        struct fixture *f = *state;
        uint64_t n = 0, ns = 0;

        while (ns < 5 * NSEC_PER_SEC) {
                ns = MIN(ns + 7777777, 5 * NSEC_PER_SEC);
                n += make(f, after(ns));
                assert_int_equal(pacer_look(&f->pacer, f->head, after(ns), &f->event), 0);
        }

        assert_int_equal(n, 50001);
        assert_int_equal(next_time(f), REAL_NS + 5 * NSEC_PER_SEC + 100 * NSEC_PER_USEC);
}

static void test_start(void **state) {
        struct fixture *f = *state;

        assert_int_equal(f->event.kind, PACER_STARTED);
        assert_int_equal(f->event.anchor.sequence, 500);
        assert_int_equal(f->event.anchor.time_ns, REAL_NS);
        assert_int_equal(f->state.n_anchors, 1);
        assert_int_equal(pacer_get_step(&f->pacer, 500), 500);
}

/* Wakes lie on the grid of the anchor, however late the last one was. */
static void test_deadline(void **state) {
        struct fixture *f = *state;

        assert_int_equal(pacer_get_deadline(&f->pacer, f->head, after(0)), MONO_NS + 10 * NSEC_PER_MSEC);
        assert_int_equal(pacer_get_deadline(&f->pacer, f->head, after(10 * NSEC_PER_MSEC + 60000)),
                        MONO_NS + 20 * NSEC_PER_MSEC);
        assert_int_equal(pacer_get_deadline(&f->pacer, f->head, after(1234567890)),
                        MONO_NS + 1240 * NSEC_PER_MSEC);
}

/* Rare readings are made when they are due, not at the next multiple of a batch. */
static void test_slow(void **state) {
        struct fixture *f = *state;
        struct pacer_settings slow = settings;

        slow.rate = (struct rate){ 7, NSEC_PER_MIN };
        memset(&f->state, 0, sizeof(f->state));
        succeed(f, &slow, after(0));

        assert_int_equal(make(f, after(0)), 1);
        assert_int_equal(pacer_get_deadline(&f->pacer, f->head, after(1)), MONO_NS + NSEC_PER_MIN / 7);
        assert_int_equal(make(f, after(NSEC_PER_MIN / 7 - 1)), 0);
        assert_int_equal(make(f, after(NSEC_PER_MIN / 7)), 1);
        assert_int_equal(next_time(f), REAL_NS + 2 * NSEC_PER_MIN / 7);
}

/* A successor goes on where the last one stopped, each reading at its own time. */
static void test_resume(void **state) {
        struct fixture *f = *state;

        make(f, after(NSEC_PER_SEC));
        succeed(f, &settings, after(4 * NSEC_PER_SEC));

        assert_int_equal(f->event.kind, PACER_RESUMED);
        assert_int_equal(f->event.n_records, 30000);
        assert_int_equal(pacer_look(&f->pacer, f->head, after(4 * NSEC_PER_SEC), &f->event), 0);
        assert_int_equal(next_time(f), REAL_NS + NSEC_PER_SEC + 100 * NSEC_PER_USEC);
        assert_int_equal(make(f, after(4 * NSEC_PER_SEC)), 30000);
        assert_int_equal(f->state.n_anchors, 1);
}

/* Killed after half a batch: the rest is remade, with the same times and steps. */
static void test_resume_mid_batch(void **state) {
        struct fixture *f = *state;
        uint64_t step, time_ns;

        f->head += 37;
        step = pacer_get_step(&f->pacer, f->head);
        time_ns = next_time(f);

        succeed(f, &settings, after(NSEC_PER_SEC));
        assert_int_equal(pacer_get_step(&f->pacer, f->head), step);
        assert_int_equal(next_time(f), time_ns);
}

/* Too long ago to catch up: skipped, counted; the sequence goes on, the rhythm too. */
static void test_skip(void **state) {
        struct fixture *f = *state;
        struct clocks now = after(21 * NSEC_PER_SEC + 50);

        make(f, after(NSEC_PER_SEC));
        succeed(f, &settings, now);

        assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 1);
        assert_int_equal(f->event.kind, PACER_SKIPPED);
        assert_int_equal(f->event.n_records, 200000);
        assert_int_equal(f->event.anchor.sequence, f->head);
        assert_int_equal(f->event.anchor.step, 500 + 210001);
        assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 0);
        assert_int_equal(make(f, now), 0);
        assert_int_equal(next_time(f), REAL_NS + 21 * NSEC_PER_SEC + 100 * NSEC_PER_USEC);
}

static void test_never_skip(void **state) {
        struct fixture *f = *state;

        f->pacer.settings.catch_up_ns = NSEC_INFINITY;
        assert_int_equal(pacer_look(&f->pacer, f->head, after(NSEC_PER_DAY), &f->event), 0);
        assert_int_equal(make(f, after(NSEC_PER_DAY)), 864000001);
}

/* A clock that was set changes what readings are called, not when they are made. */
static void test_clock_step(void **state) {
        static const int64_t steps[] = { 3600 * (int64_t) NSEC_PER_SEC, -2 * (int64_t) NSEC_PER_SEC };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(steps); ++i) {
                struct clocks now = after((i + 1) * NSEC_PER_SEC);
                uint64_t time_ns;

                for (size_t j = 0; j < i; ++j)
                        now.real_ns += (uint64_t) steps[j];
                make(f, now);
                time_ns = next_time(f);
                now.real_ns += (uint64_t) steps[i];

                assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 1);
                assert_int_equal(f->event.kind, PACER_CLOCK_STEPPED);
                assert_true(f->event.clock_ns == steps[i]);
                assert_int_equal(next_time(f), time_ns + (uint64_t) steps[i]);
                assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 0);

                assert_int_equal(make(f, now), 0);
                now.boot_ns += 100 * NSEC_PER_USEC;
                assert_int_equal(make(f, now), 1);
        }
}

/* The clock is steered all the time; that is none of our business. */
static void test_clock_slew(void **state) {
        struct fixture *f = *state;
        struct clocks now = after(NSEC_PER_SEC);

        now.real_ns += NSEC_PER_SEC - 1;
        assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 0);
}

/* A suspended node is late, like one that was stopped: the clock was not set. */
static void test_suspend(void **state) {
        struct fixture *f = *state;
        struct clocks now = after(5 * NSEC_PER_SEC);

        now.mono_ns = MONO_NS;
        assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 0);
        assert_int_equal(make(f, now), 50001);
        assert_int_equal(pacer_get_deadline(&f->pacer, f->head, now), MONO_NS + 10 * NSEC_PER_MSEC);
}

/* A new rate holds from now on: no pause until the old next reading, no gap, no burst. */
static void test_rate_change(void **state) {
        struct fixture *f = *state;
        struct clocks now = after(NSEC_PER_SEC + 30000);

        make(f, now);
        f->pacer.settings.rate = (struct rate){ 50000, NSEC_PER_SEC };

        assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 1);
        assert_int_equal(f->event.kind, PACER_RATE_CHANGED);
        assert_int_equal(f->event.anchor.sequence, f->head);
        assert_int_equal(f->event.anchor.step, f->head);
        assert_int_equal(next_time(f), now.real_ns);
        assert_int_equal(make(f, now), 1);
        assert_int_equal(make(f, after(2 * NSEC_PER_SEC + 30000)), 50000);
}

/* What a machine could not keep up with is made at the lower rate from where the higher one stopped. */
static void test_rate_change_behind(void **state) {
        struct fixture *f = *state;
        struct clocks now = after(9 * NSEC_PER_SEC);

        make(f, after(NSEC_PER_SEC));
        f->pacer.settings.rate = (struct rate){ 10, NSEC_PER_SEC };

        assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 1);
        assert_int_equal(next_time(f), REAL_NS + NSEC_PER_SEC + 100 * NSEC_PER_USEC);
        assert_int_equal(make(f, now), 80);
}

static void test_free_running(void **state) {
        struct fixture *f = *state;
        struct clocks now = after(NSEC_PER_SEC);

        f->pacer.settings.rate = (struct rate){};
        assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 1);
        assert_true(pacer_is_free_running(&f->pacer));
        assert_int_equal(pacer_look(&f->pacer, f->head, after(NSEC_PER_DAY), &f->event), 0);
        assert_int_equal(pacer_get_time(&f->pacer, after(NSEC_PER_DAY)), REAL_NS + NSEC_PER_DAY);

        /* and back, from where it is by then */
        f->head += 123456789;
        now = after(NSEC_PER_DAY);
        f->pacer.settings.rate = settings.rate;
        assert_int_equal(pacer_look(&f->pacer, f->head, now, &f->event), 1);
        assert_int_equal(pacer_get_step(&f->pacer, f->head), f->head);
        assert_int_equal(next_time(f), now.real_ns);
}

/* Settings with another rate at the next start: a rate change like any other. */
static void test_resume_other_rate(void **state) {
        struct fixture *f = *state;
        struct pacer_settings other = settings;

        other.rate.n_records = 20;
        make(f, after(NSEC_PER_SEC));
        succeed(f, &other, after(2 * NSEC_PER_SEC));

        assert_int_equal(f->event.kind, PACER_RESUMED);
        assert_int_equal(pacer_look(&f->pacer, f->head, after(2 * NSEC_PER_SEC), &f->event), 1);
        assert_int_equal(f->event.kind, PACER_RATE_CHANGED);
        assert_int_equal(make(f, after(2 * NSEC_PER_SEC)), 20);
}

/* An anchor that contradicts the ring or the clock is not believed. */
static void test_bad_state(void **state) {
        static const struct pacer_anchor bad[] = {
                { .sequence = 501, .rate_records = 1, .rate_period_ns = 1, .boot_ns = BOOT_NS },
                { .sequence = 1, .rate_records = 0, .rate_period_ns = 1, .boot_ns = BOOT_NS },
                { .sequence = 1, .rate_records = 2, .rate_period_ns = 1, .boot_ns = BOOT_NS },
                { .sequence = 1, .rate_records = 1, .rate_period_ns = 1, .boot_ns = UINT64_MAX },
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(bad); ++i) {
                f->state.n_anchors = 7;
                f->state.anchors[6] = bad[i];
                succeed(f, &settings, after(0));
                assert_int_equal(f->event.kind, PACER_STARTED);
                assert_int_equal(f->state.n_anchors, 8);
                assert_int_equal(f->state.anchors[7].sequence, 500);
        }
}

/* A kill between the writing of an anchor and its count leaves the one before in force. */
static void test_torn_anchor(void **state) {
        struct fixture *f = *state;
        struct pacer_anchor last;

        for (unsigned int i = 0; i < 2 * PACER_N_ANCHORS; ++i) {
                f->pacer.settings.rate.n_records = 1 + i % 2;
                (void) pacer_look(&f->pacer, f->head, after(i), &f->event);
        }
        last = f->pacer.anchor;
        memset(&f->state.anchors[f->state.n_anchors % PACER_N_ANCHORS], 0xff, sizeof(struct pacer_anchor));

        succeed(f, &f->pacer.settings, after(100));
        assert_int_equal(f->event.kind, PACER_RESUMED);
        assert_memory_equal(&f->pacer.anchor, &last, sizeof(last));
}

static void test_settings(void **state) {
        static const struct {
                struct pacer_settings settings;
                int result;
        } cases[] = {
                { { .rate = { 1, 1 }, .batch_ns = 1 }, 0 },
                { { .rate = { 0, 0 }, .batch_ns = 1 }, 0 },
                { { .rate = { 0, 1 }, .batch_ns = 1 }, -EINVAL },
                { { .rate = { 2, 1 }, .batch_ns = 1 }, -EINVAL },
                { { .rate = { 1, 1 } }, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i)
                assert_int_equal(pacer_settings_verify(&cases[i].settings), cases[i].result);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_no_drift, setup, teardown),
                cmocka_unit_test_setup_teardown(test_start, setup, teardown),
                cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
                cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
                cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
                cmocka_unit_test_setup_teardown(test_resume_mid_batch, setup, teardown),
                cmocka_unit_test_setup_teardown(test_skip, setup, teardown),
                cmocka_unit_test_setup_teardown(test_never_skip, setup, teardown),
                cmocka_unit_test_setup_teardown(test_clock_step, setup, teardown),
                cmocka_unit_test_setup_teardown(test_clock_slew, setup, teardown),
                cmocka_unit_test_setup_teardown(test_suspend, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rate_change, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rate_change_behind, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_running, setup, teardown),
                cmocka_unit_test_setup_teardown(test_resume_other_rate, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bad_state, setup, teardown),
                cmocka_unit_test_setup_teardown(test_torn_anchor, setup, teardown),
                cmocka_unit_test(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
