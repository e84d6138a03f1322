/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/pacer.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

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
static void test_batch_max(void **state) {
        struct fixture *f = *state;
        struct pacer_settings small = settings;

        /* 40 readings at 10,000 a second */
        small.batch_max = 40;
        f->pacer.settings = small;
        assert_int_equal(pacer_get_deadline(&f->pacer, f->head, after(0)), MONO_NS + 4 * NSEC_PER_MSEC);
        assert_int_equal(pacer_get_behind(&f->pacer, f->head, after(4 * NSEC_PER_MSEC - 1)), 0);
        assert_int_equal(pacer_get_behind(&f->pacer, f->head, after(10 * NSEC_PER_MSEC)), 61);

        /* No more often than a timer can, no later than BatchSec=. */
        small.batch_max = 1;
        f->pacer.settings = small;
        assert_int_equal(pacer_get_deadline(&f->pacer, f->head, after(0)), MONO_NS + NSEC_PER_MSEC);
        small.batch_max = 1000;
        f->pacer.settings = small;
        assert_int_equal(pacer_get_deadline(&f->pacer, f->head, after(0)), MONO_NS + 10 * NSEC_PER_MSEC);
}

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
                { .sequence = 1, .rate_records = 1, .rate_period_ns = 1, .boot_ns = INT64_MAX },
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

/* several machines */

struct machine {
        struct pacer_state state;
        struct pacer_settings settings;
        struct pacer pacer;
        struct pacer_event event;
        uint64_t head;
        bool is_begun;
};

static void machine_start(struct machine *machine, struct clocks now) {
        pacer_init(&machine->pacer, &machine->settings, &machine->state, machine->head, now, &machine->event);
        machine->is_begun = true;
}

#define TIMES_MAX 4096u

/* Makes what is due on one machine, and notes the time of each step, which no other may have. */
static void machine_make(struct machine *machine, struct clocks now, uint64_t first_step,
                uint64_t times[static TIMES_MAX]) {
        uint64_t stride = pacer_get_stride(&machine->pacer), n;
        struct timeline timeline;

        while (pacer_look(&machine->pacer, machine->head, now, &machine->event) > 0)
                ;
        n = pacer_get_due(&machine->pacer, machine->head, now);
        pacer_init_timeline(&machine->pacer, machine->head, &timeline);
        for (; n > 0; --n) {
                uint64_t step = pacer_get_step(&machine->pacer, machine->head++);
                uint64_t time_ns = timeline_next(&timeline);

                assert_int_equal(step % stride, machine->settings.shard);
                assert_in_range(time_ns, 1, now.real_ns);
                if (step < first_step)
                        continue;
                assert_in_range(step - first_step, 0, TIMES_MAX - 1);
                assert_int_equal(times[step - first_step], 0);
                times[step - first_step] = time_ns;
        }
}

/*
 * Three machines, begun at different moments, one of them killed, none with the same BatchSec=, at a rate
 * whose steps are no whole nanoseconds: from when the last has begun each step is made once, at its time.
 */
static void check_machines(const struct rate *rate, uint64_t span_ns) {
        static const uint64_t begin_ns[] = { 1, 777777777, 1234567890 };
        struct machine machines[3] = {};
        uint64_t times[TIMES_MAX] = {}, tick_ns = span_ns / 500, first, last;
        struct anchor origin = { .rate = *rate };

        /* at the first tick after that */
        first = anchor_get_due(&origin, after((begin_ns[2] / tick_ns + 1) * tick_ns).real_ns);
        last = anchor_get_due(&origin, after(span_ns).real_ns);
        assert_in_range(last - first, 10, TIMES_MAX - 1);

        for (uint64_t ns = 0; ns <= span_ns; ns += tick_ns)
                for (uint32_t i = 0; i < ELEMENTSOF(machines); ++i) {
                        struct machine *machine = &machines[i];

                        machine->settings = settings;
                        machine->settings.rate = *rate;
                        machine->settings.shard = i;
                        machine->settings.n_shards = ELEMENTSOF(machines);
                        machine->settings.batch_ns += i;
                        machine->settings.catch_up_ns = NSEC_INFINITY;
                        if (!machine->is_begun || (i == 1 && ns % 7 == 0)) {
                                if (ns < begin_ns[i])
                                        continue;
                                machine_start(machine, after(ns));
                        }
                        machine_make(machine, after(ns), first, times);
                }

        for (uint64_t i = 0; i + 10 < last - first; ++i)
                assert_int_equal(times[i], anchor_get_time(&origin, first + i));
        for (uint32_t i = 0; i < ELEMENTSOF(machines); ++i)
                assert_int_equal(machines[i].state.n_anchors, 1);
}

static void test_machines(void **state) {
        (void) state;
        check_machines(&(struct rate){ 333, NSEC_PER_SEC }, 10 * NSEC_PER_SEC);
        check_machines(&(struct rate){ 7, NSEC_PER_SEC }, 100 * NSEC_PER_SEC);
        check_machines(&(struct rate){ 1999, NSEC_PER_HOUR }, 2 * NSEC_PER_HOUR);
}

/* After a new rate, a skip and a clock that was set it counts as others do again. */
static void test_machine_again(void **state) {
        struct machine machine = { .settings = settings };
        struct anchor origin = { .rate = { 250, NSEC_PER_SEC } };
        uint64_t step;
        struct clocks now;

        (void) state;
        machine.settings.shard = 1;
        machine.settings.n_shards = 4;
        machine_start(&machine, after(1));
        machine.head += pacer_get_due(&machine.pacer, machine.head, after(NSEC_PER_SEC));

        machine.pacer.settings.rate = origin.rate;
        assert_int_equal(pacer_look(&machine.pacer, machine.head, after(NSEC_PER_SEC), &machine.event), 1);
        assert_int_equal(machine.event.kind, PACER_RATE_CHANGED);
        step = pacer_get_step(&machine.pacer, machine.head);
        assert_int_equal(step % 4, 1);
        assert_in_range(anchor_get_time(&origin, step), REAL_NS, REAL_NS + NSEC_PER_SEC + 16 * NSEC_PER_MSEC);

        assert_int_equal(pacer_look(&machine.pacer, machine.head, after(60 * NSEC_PER_SEC), &machine.event),
                        1);
        assert_int_equal(machine.event.kind, PACER_SKIPPED);
        assert_in_range(machine.event.n_records, 59 * 250 / 4 - 1, 60 * 250 / 4);
        step = pacer_get_step(&machine.pacer, machine.head);
        assert_int_equal(step % 4, 1);
        assert_in_range(anchor_get_time(&origin, step), REAL_NS + 60 * NSEC_PER_SEC,
                        REAL_NS + 60 * NSEC_PER_SEC + 16 * NSEC_PER_MSEC);

        now = after(60 * NSEC_PER_SEC);
        now.real_ns += NSEC_PER_HOUR + 1;
        assert_int_equal(pacer_look(&machine.pacer, machine.head, now, &machine.event), 1);
        assert_int_equal(machine.event.kind, PACER_CLOCK_STEPPED);
        step = pacer_get_step(&machine.pacer, machine.head);
        assert_int_equal(step % 4, 1);
        assert_in_range(anchor_get_time(&origin, step), now.real_ns, now.real_ns + 32 * NSEC_PER_MSEC);

        /* Another share begins anew. */
        machine.settings.n_shards = 2;
        machine_start(&machine, now);
        assert_int_equal(machine.event.kind, PACER_STARTED);
}

/* Others may look at anchors while they are set, and get whole ones or none. */
static void test_get_anchor(void **state) {
        struct fixture *f = *state;
        struct pacer_anchor anchor;

        assert_int_equal(pacer_state_get_anchor(&f->state, 1, &anchor), -ENOENT);
        for (unsigned int i = 0; i < PACER_N_ANCHORS; ++i) {
                f->pacer.settings.rate.n_records = 1 + i % 2;
                assert_int_equal(pacer_look(&f->pacer, f->head, after(i), &f->event), 1);
                assert_int_equal(pacer_state_get_anchor(&f->state, i + 1, &anchor), 0);
                assert_memory_equal(&anchor, &f->event.anchor, sizeof(anchor));
        }
        assert_int_equal(pacer_state_get_anchor(&f->state, 1, &anchor), -ENOENT);
        assert_int_equal(pacer_state_get_anchor(&f->state, 2, &anchor), 0);
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

/* profiles */

#define MADE_MAX 400000u

struct run {
        struct fixture f;
        struct pacer_settings settings;
        uint64_t *times; /* of what was made */
        size_t n;
        uint64_t ns; /* since the beginning */
};

static void run_begin(struct run *run, const char *profile) {
        *run = (struct run){ .settings = settings, .times = calloc(MADE_MAX, sizeof(*run->times)) };
        assert_non_null(run->times);
        run->settings.catch_up_ns = NSEC_INFINITY;
        assert_int_equal(profile_parse(profile, &run->settings.profile), 0);
        succeed(&run->f, &run->settings, after(0));
}

static void run_end(struct run *run) {
        free(run->times);
}

/* As the generator does: looks, makes what is due, and again until nothing more is. */
static void run_to(struct run *run, uint64_t ns) {
        struct fixture *f = &run->f;
        uint64_t n;

        run->ns = ns;
        do {
                struct timeline timeline;

                while (pacer_look(&f->pacer, f->head, after(ns), &f->event) > 0)
                        ;
                n = pacer_get_due(&f->pacer, f->head, after(ns));
                if (n > 0)
                        pacer_init_timeline(&f->pacer, f->head, &timeline);
                for (uint64_t i = 0; i < n; ++i) {
                        assert_true(run->n < MADE_MAX);
                        run->times[run->n++] = timeline_next(&timeline);
                }
                f->head += n;
        } while (n > 0 || pacer_get_deadline(&f->pacer, f->head, after(ns)) <= after(ns).mono_ns);
}

/*
 * Looked at every 10 ms, or at odd times by processes that are killed and have successors: the same readings
 * at the same times.
 */
static void test_profile_exact(void **state) {
        static const char *const profiles[] = {
                "1000 for 5s, 7000 for 2s, repeat",
                "10..3000 for 40s, 5/min",
                "3/min..90/min for 50s",
                "daily 100..9000",
                "333 for 7s, 2000..10 for 11s, daily 50..60 for 9s",
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(profiles); ++i) {
                uint64_t seed = i + 1, ns = 0;
                struct run even, odd;

                run_begin(&even, profiles[i]);
                for (uint64_t t = 0; t <= 61 * NSEC_PER_SEC; t += 10 * NSEC_PER_MSEC)
                        run_to(&even, t);

                run_begin(&odd, profiles[i]);
                while (ns < 61 * NSEC_PER_SEC) {
                        ns += random_mix(seed++) % (3 * NSEC_PER_SEC);
                        ns = MIN(ns, 61 * NSEC_PER_SEC);
                        run_to(&odd, ns);
                        succeed(&odd.f, &odd.settings, after(ns));
                        assert_int_equal(odd.f.event.kind, PACER_RESUMED);
                }

                assert_int_equal(even.n, odd.n);
                assert_memory_equal(even.times, odd.times, even.n * sizeof(*even.times));
                for (size_t k = 1; k < even.n; ++k)
                        assert_true(even.times[k] > even.times[k - 1]);
                run_end(&even);
                run_end(&odd);
        }
}

/* Within a reading, as many are made as the area below the curve says; no interval exceeds that of the rate.
 */
static void test_profile_rate(void **state) {
        static const struct {
                const char *text;
                uint64_t span_ns;
                double n;
        } cases[] = {
                { "1000 for 5s, 7000 for 2s, repeat", 70 * NSEC_PER_SEC, 190000 },
                { "100..300 for 100s", 100 * NSEC_PER_SEC, 20000 },
                { "30/min..90/min for 60s, 60/min", 120 * NSEC_PER_SEC, 120 },
                { "12/min for 1s, 24/min for 1s, repeat", 600 * NSEC_PER_SEC, 180 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                struct run run;

                run_begin(&run, cases[i].text);
                run_to(&run, cases[i].span_ns - 1);
                assert_true((double) run.n >= cases[i].n - 1 && (double) run.n <= cases[i].n + 1);
                run_end(&run);
        }
}

/* A reload begins another profile then; one that says the same goes on; none is the rate again. */
static void test_profile_changes(void **state) {
        struct run run;
        size_t n;

        (void) state;
        run_begin(&run, "1000 for 10s, 5000 for 10s");
        run_to(&run, 9 * NSEC_PER_SEC);
        run.f.pacer.settings.rate = (struct rate){ 77, NSEC_PER_SEC };
        run_to(&run, 15 * NSEC_PER_SEC);
        assert_int_equal(run.n, 35001);

        assert_int_equal(profile_parse("100 for 10s", &run.f.pacer.settings.profile), 0);
        run_to(&run, 15 * NSEC_PER_SEC + 1);
        n = run.n;
        run_to(&run, 20 * NSEC_PER_SEC);
        assert_in_range(run.n - n, 499, 501);
        run_to(&run, 25 * NSEC_PER_SEC);
        n = run.n;

        /* It has ended, and the rate was changed meanwhile. */
        run_to(&run, 35 * NSEC_PER_SEC);
        assert_in_range(run.n - n, 769, 771);
        run.f.pacer.settings.rate = (struct rate){ 10, NSEC_PER_SEC };
        assert_int_equal(pacer_look(&run.f.pacer, run.f.head, after(35 * NSEC_PER_SEC), &run.f.event), 1);
        assert_int_equal(run.f.event.kind, PACER_RATE_CHANGED);
        assert_int_equal(run.f.event.anchor.rate_records, 10);
        run_end(&run);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_no_drift, setup, teardown),
                cmocka_unit_test_setup_teardown(test_start, setup, teardown),
                cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
                cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
                cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
                cmocka_unit_test_setup_teardown(test_batch_max, setup, teardown),
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
                cmocka_unit_test(test_profile_exact),
                cmocka_unit_test(test_profile_rate),
                cmocka_unit_test(test_profile_changes),
                cmocka_unit_test(test_machines),
                cmocka_unit_test(test_machine_again),
                cmocka_unit_test_setup_teardown(test_get_anchor, setup, teardown),
                cmocka_unit_test(test_settings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
