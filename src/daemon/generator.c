/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/generator.h"

#include "daemon/recorder.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

/* Large enough that looking at clocks costs nothing, small enough to stay in a core's cache. */
#define CLAIM_MAX         4096u
/* No more often while there is always more to make. */
#define WAKE_INTERVAL_NS  NSEC_PER_MSEC
/* Bounded cost; see generator.h. */
#define WAKE_SLEEPERS_MAX 16
/* A sign of life at least so often. */
#define BEAT_INTERVAL_NS  NSEC_PER_SEC
/* Who waits for storage cannot hear the main loop: it listens in between. */
#define STORAGE_WAIT_NS   (50 * NSEC_PER_MSEC)
#define EVENTS_MAX        16u

struct generator {
        /* its own */
        struct ring *ring;
        struct model *model;
        struct recorder *recorder;
        struct audience *audience;
        struct pacer pacer;
        bool is_blocking;
        bool is_wake_due;       /* something was published since the last wake-up of readers */
        size_t claim_max;       /* records */
        uint64_t last_wake_ns;  /* CLOCK_MONOTONIC */
        uint64_t free_until_ns; /* at Rate=max: CLOCK_REALTIME up to which the last claim reached */
        uint64_t n_achieved;
        uint64_t n_skipped;
        uint64_t behind_max;
        uint32_t control_seen;

        /* main loop → generator */
        _Atomic uint32_t control; /* counts requests; the generator sleeps on it */
        _Atomic bool is_stopping;
        pthread_mutex_t lock;             /* of the next five; taken when something happens, not in a batch */
        struct generator_settings wanted; /* in force once control is seen */
        struct scenario *scenario;        /* the same, or the one before if it is not new */
        bool is_scenario_new;
        struct pacer_event events[EVENTS_MAX];
        size_t n_events;

        /* generator → main loop */
        _Atomic uint32_t calls; /* mask of enum generator_call, not yet taken */
        _Atomic uint64_t progress;
        int fd;

        pthread_t thread;
        bool is_running;
};

/* calls on the main loop */

static void generator_call(struct generator *generator, uint32_t calls) {
        uint64_t one = 1;

        /* Pairs with the exchange in generator_take_calls(): the first call since then says so. */
        if (atomic_fetch_or_explicit(&generator->calls, calls, memory_order_acq_rel) == 0)
                (void) !write(generator->fd, &one, sizeof(one));
}

unsigned int generator_take_calls(struct generator *generator) {
        uint64_t n;

        /* Before the exchange: a call after it makes the descriptor readable again. */
        (void) !read(generator->fd, &n, sizeof(n));
        return atomic_exchange_explicit(&generator->calls, 0, memory_order_acq_rel);
}

static void generator_tell(struct generator *generator, const struct pacer_event *event) {
        pthread_mutex_lock(&generator->lock);
        if (generator->n_events < EVENTS_MAX)
                generator->events[generator->n_events++] = *event;
        pthread_mutex_unlock(&generator->lock);

        generator_call(generator, GENERATOR_CALL_EVENT);
}

int generator_next_event(struct generator *generator, struct pacer_event *eventp) {
        int r = 0;

        pthread_mutex_lock(&generator->lock);
        if (generator->n_events > 0) {
                *eventp = generator->events[0];
                --generator->n_events;
                for (size_t i = 0; i < generator->n_events; ++i)
                        generator->events[i] = generator->events[i + 1];
                r = 1;
        }
        pthread_mutex_unlock(&generator->lock);

        return r;
}

/* readers */

static void generator_wake(struct generator *generator, struct clocks now) {
        uint32_t calls = 0;

        if (audience_get_readers(generator->audience) > 0 &&
                        ring_wake(generator->ring, WAKE_SLEEPERS_MAX) >= WAKE_SLEEPERS_MAX)
                calls |= GENERATOR_CALL_SLEEPERS;
        if (audience_take_arm(generator->audience))
                calls |= GENERATOR_CALL_ARMED;
        if (calls)
                generator_call(generator, calls);

        generator->is_wake_due = false;
        generator->last_wake_ns = now.mono_ns;
}

/* records */

/* How many of @n slots can be claimed without overwriting what storage has not yet read. Waits a moment if
 * none. */
static size_t generator_get_room(struct generator *generator, size_t n, struct clocks now) {
        const struct ring *ring = generator->ring;
        uint64_t end;

        if (!generator->is_blocking || !generator->recorder)
                return n;

        end = recorder_get_stored(generator->recorder) + ring->n_records;
        if (end > ring->head)
                return MIN(n, end - ring->head);

        /* Waits for the whole of it, so that a full ring is not refilled in crumbs. */
        if (generator->is_wake_due)
                generator_wake(generator, now);
        (void) recorder_wait(generator->recorder, ring->head + n - ring->n_records, STORAGE_WAIT_NS);
        return 0;
}

static void generator_init_timeline(
                struct generator *generator, size_t n, struct clocks now, struct timeline *timeline) {
        uint64_t time_ns;

        if (!pacer_is_free_running(&generator->pacer)) {
                pacer_init_timeline(&generator->pacer, generator->ring->head, timeline);
                return;
        }

        time_ns = pacer_get_time(&generator->pacer, now);
        timeline_init_span(timeline, MIN(generator->free_until_ns, time_ns), time_ns, n);
        generator->free_until_ns = time_ns;
}

/* Makes some of the next @n_due records: how many. 0: storage holds it up. */
static size_t generator_make(struct generator *generator, uint64_t n_due, struct clocks now) {
        struct ring *ring = generator->ring;
        size_t n = MIN(n_due, generator->claim_max);
        struct timeline timeline;
        struct i4_record *records;

        n = generator_get_room(generator, n, now);
        if (n == 0)
                return 0;

        records = ring_claim(ring, &n);
        generator_init_timeline(generator, n, now, &timeline);
        model_generate(generator->model, pacer_get_step(&generator->pacer, ring->head), ring->head, &timeline,
                        records, n);
        if (pacer_get_stride(&generator->pacer) > 1)
                records_number(records, n, ring->head);
        ring_publish(ring, n);

        if (generator->recorder)
                recorder_kick(generator->recorder, ring->head);
        generator->n_achieved += n;
        generator->is_wake_due = true;
        return n;
}

/* rounds */

static void generator_take_settings(struct generator *generator) {
        uint32_t control;

        /* Pairs with the release in generator_control(). */
        control = atomic_load_explicit(&generator->control, memory_order_acquire);
        if (likely(control == generator->control_seen))
                return;

        pthread_mutex_lock(&generator->lock);
        generator->pacer.settings = generator->wanted.pacer;
        generator->is_blocking = generator->wanted.is_blocking;
        if (generator->is_scenario_new)
                model_exchange_scenario(generator->model, &generator->scenario);
        generator->is_scenario_new = false;
        pthread_mutex_unlock(&generator->lock);
        generator->control_seen = control;
}

static void generator_note_anchor(
                struct generator *generator, const struct pacer_event *event, struct clocks now) {
        struct ring_statistics *statistics = generator->ring->statistics;
        uint64_t period_ns = 0;

        /* of this machine's share */
        if (__builtin_mul_overflow(
                            event->anchor.rate_period_ns, pacer_get_stride(&generator->pacer), &period_ns))
                period_ns = UINT64_MAX;
        atomic_store_explicit(&statistics->rate_records, event->anchor.rate_records, memory_order_relaxed);
        atomic_store_explicit(&statistics->rate_period_ns, period_ns, memory_order_relaxed);

        if (event->kind == PACER_SKIPPED)
                generator->n_skipped += event->n_records;
        generator->free_until_ns = pacer_get_time(&generator->pacer, now);
        if (!pacer_anchor_is_implied(&event->anchor))
                generator_tell(generator, event);
}

static void generator_count(struct generator *generator, uint64_t n_due, uint64_t n_behind) {
        struct ring_statistics *statistics = generator->ring->statistics;
        uint64_t n_target = generator->n_achieved + generator->n_skipped + n_due;

        generator->behind_max = MAX(generator->behind_max, n_behind);

        atomic_store_explicit(&statistics->target, n_target, memory_order_relaxed);
        atomic_store_explicit(&statistics->achieved, generator->n_achieved, memory_order_relaxed);
        atomic_store_explicit(&statistics->skipped, generator->n_skipped, memory_order_relaxed);
        atomic_store_explicit(&statistics->behind, n_behind, memory_order_relaxed);
        atomic_store_explicit(&statistics->behind_max, generator->behind_max, memory_order_relaxed);
}

static void generator_beat(struct generator *generator) {
        ring_beat(generator->ring);
        (void) atomic_fetch_add_explicit(&generator->progress, 1, memory_order_relaxed);
}

static void generator_sleep(struct generator *generator, struct clocks now) {
        uint64_t deadline_ns = pacer_get_deadline(&generator->pacer, generator->ring->head, now);
        struct timespec deadline = timespec_from_ns(MIN(deadline_ns, now.mono_ns + BEAT_INTERVAL_NS));

        /* Whatever ends it, the next round looks at everything. */
        (void) syscall(SYS_futex, &generator->control, FUTEX_WAIT_BITSET_PRIVATE, generator->control_seen,
                        &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void generator_round(struct generator *generator, struct clocks now) {
        struct pacer *pacer = &generator->pacer;
        uint64_t n_due = UINT64_MAX, n_behind = 0;
        struct pacer_event event;
        size_t n = 0;

        while (pacer_look(pacer, generator->ring->head, now, &event) > 0)
                generator_note_anchor(generator, &event, now);

        if (!pacer_is_free_running(pacer)) {
                n_due = pacer_get_due(pacer, generator->ring->head, now);
                n_behind = pacer_get_behind(pacer, generator->ring->head, now);
        }

        if (n_due > 0)
                n = generator_make(generator, n_due, now);

        generator_count(generator, pacer_is_free_running(pacer) ? 0 : n_due - n, n_behind);
        generator_beat(generator);

        if (generator->is_wake_due &&
                        (n == n_due || now.mono_ns - generator->last_wake_ns >= WAKE_INTERVAL_NS))
                generator_wake(generator, now);
        if (n == n_due)
                generator_sleep(generator, now);
}

static void *generator_run(void *userdata) {
        struct generator *generator = userdata;

        (void) pthread_setname_np(pthread_self(), "generator");
        /* Here, where nobody waits for it: not for READY. */
        ring_populate(generator->ring);

        while (!atomic_load_explicit(&generator->is_stopping, memory_order_relaxed)) {
                /* In this order: what is not seen now holds for later times only, see incidents.c. */
                struct clocks now = clocks_now();

                generator_take_settings(generator);
                generator_round(generator, now);
        }

        return NULL;
}

/* main loop's side */

static void generator_control(struct generator *generator) {
        /* Pairs with the acquire in generator_take_settings(). */
        (void) atomic_fetch_add_explicit(&generator->control, 1, memory_order_release);
        (void) syscall(SYS_futex, &generator->control, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

int generator_set_settings(struct generator *generator, const struct generator_settings *settings) {
        int r;

        r = pacer_settings_verify(&settings->pacer);
        if (r < 0)
                return r;

        pthread_mutex_lock(&generator->lock);
        generator->wanted = *settings;
        pthread_mutex_unlock(&generator->lock);

        generator_control(generator);
        return 0;
}

void generator_set_scenario(struct generator *generator, struct scenario *scenario) {
        struct scenario *before;

        pthread_mutex_lock(&generator->lock);
        before = generator->scenario;
        generator->scenario = scenario;
        generator->is_scenario_new = true;
        pthread_mutex_unlock(&generator->lock);

        (void) scenario_free(before);
        generator_control(generator);
}

int generator_get_fd(const struct generator *generator) {
        return generator->fd;
}

uint64_t generator_get_progress(const struct generator *generator) {
        return atomic_load_explicit(&generator->progress, memory_order_relaxed);
}

int generator_new(struct generator **generatorp, const struct generator_settings *settings, struct ring *ring,
                struct model *model, struct recorder *recorder, struct audience *audience,
                struct pacer_state *state) {
        _cleanup_(generator_freep) struct generator *generator = NULL;
        int r;

        r = pacer_settings_verify(&settings->pacer);
        if (r < 0)
                return r;

        generator = calloc(1, sizeof(*generator));
        if (!generator)
                return -ENOMEM;

        (void) pthread_mutex_init(&generator->lock, NULL);
        generator->ring = ring;
        generator->model = model;
        generator->recorder = recorder;
        generator->audience = audience;
        generator->wanted = *settings;
        generator->is_blocking = settings->is_blocking;
        generator->pacer = (struct pacer){ .settings = settings->pacer, .state = state };
        /* Readers that keep up lose nothing to a claim of a quarter of the ring. */
        generator->claim_max = MIN(CLAIM_MAX, ring->n_records / 4);

        generator->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (generator->fd < 0)
                return -errno;

        *generatorp = TAKE_PTR(generator);
        return 0;
}

void generator_begin(struct generator *generator) {
        struct clocks now = clocks_now();
        struct pacer_event event;

        assert(!generator->is_running);

        pacer_init(&generator->pacer, &generator->wanted.pacer, generator->pacer.state, generator->ring->head,
                        now, &event);
        generator_note_anchor(generator, &event, now);
}

int generator_start(struct generator *generator) {
        int r;

        assert(!generator->is_running);

        atomic_store_explicit(&generator->is_stopping, false, memory_order_relaxed);

        r = pthread_create(&generator->thread, NULL, generator_run, generator);
        if (r > 0)
                return -r;

        generator->is_running = true;
        return 0;
}

void generator_stop(struct generator *generator) {
        if (!generator->is_running)
                return;

        atomic_store_explicit(&generator->is_stopping, true, memory_order_relaxed);
        generator_control(generator);
        (void) pthread_join(generator->thread, NULL);
        generator->is_running = false;
}

struct generator *generator_free(struct generator *generator) {
        if (!generator)
                return NULL;

        generator_stop(generator);
        (void) scenario_free(generator->scenario);
        closep(&generator->fd);
        (void) pthread_mutex_destroy(&generator->lock);
        free(generator);
        return NULL;
}
