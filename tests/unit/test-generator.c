/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/generator.h"
#include "daemon/recorder.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define N_RECORDS   65536u /* three seconds: a reader on a busy machine loses nothing */
#define N_READ      2048u
#define N_SLEEPERS  20u
#define WAIT_MS     10000
#define INTERVAL_NS (NSEC_PER_SEC / 20000)

/* In place of the storage thread: stores when a test says so. */
struct recorder {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        uint64_t stored;
        uint64_t kicked;
        unsigned int n_waits;
};

void recorder_kick(struct recorder *recorder, uint64_t published) {
        pthread_mutex_lock(&recorder->lock);
        recorder->kicked = published;
        pthread_mutex_unlock(&recorder->lock);
}

uint64_t recorder_get_stored(const struct recorder *recorder) {
        struct recorder *r = (struct recorder *) recorder;
        uint64_t stored;

        pthread_mutex_lock(&r->lock);
        stored = r->stored;
        pthread_mutex_unlock(&r->lock);
        return stored;
}

int recorder_wait(struct recorder *recorder, uint64_t sequence, uint64_t timeout_ns) {
        struct timespec deadline = timespec_from_ns(clock_now_ns(CLOCK_REALTIME) + timeout_ns);
        int r = 0;

        pthread_mutex_lock(&recorder->lock);
        ++recorder->n_waits;
        pthread_cond_broadcast(&recorder->changed);
        while (recorder->stored < sequence && r == 0)
                r = pthread_cond_timedwait(&recorder->changed, &recorder->lock, &deadline);
        pthread_mutex_unlock(&recorder->lock);

        return r == 0 ? 0 : -ETIMEDOUT;
}

struct fixture {
        struct ring *ring;
        struct model *model, *twin; /* the generator's thread has one of them */
        struct audience audience;
        struct pacer_state state;
        struct recorder recorder;
        struct generator_settings settings;
        struct generator *generator;
        i4_reader *reader;
};

static int setup(void **state) {
        static const struct ring_settings ring_settings = {
                .n_records = N_RECORDS, .n_consumers = 1, .first_sequence = 1000
        };
        static const struct model_settings model_settings = { .seed = 1, .anomalies_e4 = 200 };
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->settings = (struct generator_settings){
                .pacer = { .rate = { 20000, NSEC_PER_SEC },
                                .batch_ns = 5 * NSEC_PER_MSEC,
                                .catch_up_ns = NSEC_INFINITY },
        };
        f->recorder = (struct recorder){ .lock = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER };
        assert_int_equal(ring_new(&f->ring, &ring_settings, i4_catalog_get_default()), 0);
        assert_int_equal(model_new(&f->model, &model_settings, i4_catalog_get_default()), 0);
        assert_int_equal(model_new(&f->twin, &model_settings, i4_catalog_get_default()), 0);
        assert_int_equal(i4_reader_open_fd(&f->reader, f->ring->reader_fd), 0);
        audience_set_readers(&f->audience, 1);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        generator_free(f->generator);
        i4_reader_close(f->reader);
        model_free(f->model);
        model_free(f->twin);
        ring_free(f->ring);
        free(f);
        return 0;
}

static void start(struct fixture *f) {
        f->generator = generator_free(f->generator);
        assert_int_equal(generator_new(&f->generator, &f->settings, f->ring, f->model, &f->recorder,
                                         &f->audience, &f->state),
                        0);
        generator_begin(f->generator);
        assert_int_equal(generator_start(f->generator), 0);
}

static struct pacer_event next_event(struct fixture *f) {
        struct pollfd pollfd = { .fd = generator_get_fd(f->generator), .events = POLLIN };
        struct pacer_event event = {};

        while (generator_next_event(f->generator, &event) == 0) {
                assert_int_equal(poll(&pollfd, 1, WAIT_MS), 1);
                (void) generator_take_calls(f->generator);
        }

        return event;
}

/* The next @n records, without loss: the reader is asked as soon as there are any. */
static void read_all(struct fixture *f, struct i4_record *records, size_t n) {
        while (n > 0) {
                int r;

                assert_int_equal(i4_reader_wait(f->reader, WAIT_MS * (int64_t) NSEC_PER_MSEC), 1);
                r = i4_reader_read(f->reader, records, n);
                assert_true(r > 0);
                records += r;
                n -= (size_t) r;
        }
}

/* Waits for anything that the generator changes, one round after the other. */
static void await_published(struct fixture *f, uint64_t sequence) {
        i4_reader *reader = f->reader;

        while (i4_reader_get_newest(reader) < sequence) {
                assert_true(i4_reader_seek(reader, I4_NEWEST) >= 0);
                assert_int_equal(i4_reader_wait(reader, WAIT_MS * (int64_t) NSEC_PER_MSEC), 1);
        }
}

static void test_pace(void **state) {
        struct fixture *f = *state;
        struct i4_record records[N_READ], expected;
        struct pacer_event event;

        start(f);
        read_all(f, records, ELEMENTSOF(records));

        event = next_event(f);
        assert_int_equal(event.kind, PACER_STARTED);
        assert_int_equal(event.anchor.sequence, 1000);
        for (size_t i = 0; i < ELEMENTSOF(records); ++i) {
                assert_int_equal(records[i].sequence, 1000 + i);
                assert_int_equal(records[i].time_ns, event.anchor.time_ns + i * INTERVAL_NS);
        }
        assert_true(records[ELEMENTSOF(records) - 1].time_ns <= clock_now_ns(CLOCK_REALTIME));

        /* the bytes are the model's, and nobody else's */
        for (size_t i = 0; i < ELEMENTSOF(records); i += 97) {
                struct timeline timeline = { .time_ns = records[i].time_ns, .divisor = 1 };

                model_generate(f->twin, 1000 + i, 1000 + i, &timeline, &expected, 1);
                assert_memory_equal(&records[i], &expected, sizeof(expected));
        }
}

static void test_statistics(void **state) {
        struct fixture *f = *state;
        const struct ring_statistics *statistics = f->ring->statistics;

        start(f);
        await_published(f, 1500);
        generator_stop(f->generator);

        assert_int_equal(statistics->rate_records, 20000);
        assert_int_equal(statistics->rate_period_ns, NSEC_PER_SEC);
        assert_int_equal(statistics->achieved, f->ring->head - 1000);
        assert_int_equal(statistics->target, statistics->achieved);
        assert_int_equal(statistics->skipped, 0);
        assert_int_equal(f->recorder.kicked, f->ring->head);
        assert_true(f->ring->header->identity.heartbeat_ns > 0);
}

/* Stopped and started, the stream is one. */
static void test_resume(void **state) {
        struct fixture *f = *state;
        struct i4_record records[N_READ];

        start(f);
        read_all(f, records, 300);
        generator_stop(f->generator);
        start(f);
        read_all(f, records + 300, ELEMENTSOF(records) - 300);

        assert_int_equal(next_event(f).kind, PACER_RESUMED);
        for (size_t i = 0; i < ELEMENTSOF(records); ++i) {
                assert_int_equal(records[i].sequence, 1000 + i);
                assert_int_equal(records[i].time_ns, records[0].time_ns + i * INTERVAL_NS);
        }
}

static void set_anchor(struct fixture *f, uint64_t ago_ns, struct rate rate) {
        f->state.anchors[0] = (struct pacer_anchor){
                .step = 7,
                .first_step = 7,
                .sequence = 1000,
                .time_ns = clock_now_ns(CLOCK_REALTIME) - ago_ns,
                .boot_ns = clock_now_ns(CLOCK_BOOTTIME) - ago_ns,
                .rate_records = rate.n_records,
                .rate_period_ns = rate.period_ns,
        };
        f->state.n_anchors = 1;
        f->state.n_shards = 1;
        f->settings.pacer.rate = rate;
}

/* After a short stop everything that was due is made, each reading with its own time. */
static void test_catch_up(void **state) {
        struct fixture *f = *state;
        struct i4_record records[N_READ / 2];
        struct pacer_event event;

        set_anchor(f, 2 * NSEC_PER_SEC, (struct rate){ 250, NSEC_PER_SEC });
        f->settings.pacer.catch_up_ns = 100 * NSEC_PER_SEC;
        start(f);
        read_all(f, records, 500);

        event = next_event(f);
        assert_int_equal(event.kind, PACER_RESUMED);
        assert_true(event.n_records >= 500);
        for (size_t i = 0; i < 500; ++i)
                assert_int_equal(records[i].time_ns, event.anchor.time_ns + i * NSEC_PER_SEC / 250);
        assert_true(f->ring->statistics->behind_max >= 490);
        assert_int_equal(f->ring->statistics->skipped, 0);
}

static void test_skip(void **state) {
        struct fixture *f = *state;
        struct i4_record record;
        struct pacer_event event;

        /* no longer ago than any machine has been up: before its boot there is no anchor */
        set_anchor(f, 10 * NSEC_PER_SEC, (struct rate){ 250, NSEC_PER_SEC });
        f->settings.pacer.catch_up_ns = NSEC_PER_SEC;
        start(f);
        read_all(f, &record, 1);
        generator_stop(f->generator);

        assert_int_equal(next_event(f).kind, PACER_RESUMED);
        event = next_event(f);
        assert_int_equal(event.kind, PACER_SKIPPED);
        assert_true(event.n_records >= 250 * 10);
        assert_int_equal(event.anchor.step, 7 + event.n_records);
        assert_int_equal(record.sequence, 1000);
        assert_int_equal(record.time_ns, event.anchor.time_ns);
        assert_int_equal(f->ring->statistics->skipped, event.n_records);
        assert_int_equal(f->ring->statistics->target, event.n_records + f->ring->statistics->achieved);
}

/* From one a day to many at once: the sleeping thread hears of it. */
static void test_rate_change(void **state) {
        struct fixture *f = *state;
        struct i4_record records[N_READ / 2];
        struct pacer_event event;

        f->settings.pacer.rate = (struct rate){ 1, NSEC_PER_DAY };
        start(f);
        read_all(f, records, 1);
        f->settings.pacer.rate = (struct rate){ 20000, NSEC_PER_SEC };
        assert_int_equal(generator_set_settings(f->generator, &f->settings), 0);
        read_all(f, records + 1, ELEMENTSOF(records) - 1);

        assert_int_equal(next_event(f).kind, PACER_STARTED);
        event = next_event(f);
        assert_int_equal(event.kind, PACER_RATE_CHANGED);
        assert_int_equal(event.anchor.sequence, 1001);
        for (size_t i = 1; i < ELEMENTSOF(records); ++i) {
                assert_int_equal(records[i].sequence, 1000 + i);
                assert_int_equal(records[i].time_ns, event.anchor.time_ns + (i - 1) * INTERVAL_NS);
        }

        f->settings.pacer.rate.period_ns = 1;
        assert_int_equal(generator_set_settings(f->generator, &f->settings), -EINVAL);
}

/* As fast as the machine goes: times are the clock's, in order. */
static void test_free_running(void **state) {
        struct fixture *f = *state;
        uint64_t begin_ns = clock_now_ns(CLOCK_REALTIME), end_ns;

        f->settings.pacer.rate = (struct rate){};
        start(f);
        await_published(f, 1000 + 10 * N_RECORDS);
        generator_stop(f->generator);
        end_ns = clock_now_ns(CLOCK_REALTIME);

        assert_true(f->ring->head >= 1000 + 10 * N_RECORDS);
        for (uint64_t i = f->ring->head - N_RECORDS; i < f->ring->head; ++i) {
                const struct i4_record *record = &f->ring->records[i % N_RECORDS];

                assert_int_equal(record->sequence, i);
                assert_true(record->time_ns >= begin_ns && record->time_ns <= end_ns);
                if (i > f->ring->head - N_RECORDS)
                        assert_true(record->time_ns >= (&f->ring->records[(i - 1) % N_RECORDS])->time_ns);
        }
        assert_int_equal(f->ring->statistics->behind, 0);
        assert_int_equal(f->ring->statistics->target, f->ring->head - 1000);
}

/* Until it has waited for storage once more. */
static void await_wait(struct fixture *f) {
        unsigned int n;

        pthread_mutex_lock(&f->recorder.lock);
        n = f->recorder.n_waits + 2;
        while (f->recorder.n_waits < n)
                pthread_cond_wait(&f->recorder.changed, &f->recorder.lock);
        pthread_mutex_unlock(&f->recorder.lock);
}

static void store(struct fixture *f, uint64_t sequence) {
        pthread_mutex_lock(&f->recorder.lock);
        f->recorder.stored = sequence;
        pthread_cond_broadcast(&f->recorder.changed);
        pthread_mutex_unlock(&f->recorder.lock);
}

/* Nothing that is not stored is overwritten, at any rate; while it waits it gives signs of life, and stops.
 */
static void test_blocking(void **state) {
        struct fixture *f = *state;
        uint64_t progress;

        f->settings.pacer.rate = (struct rate){};
        f->settings.is_blocking = true;
        store(f, 1000);
        start(f);
        await_wait(f);
        assert_int_equal(i4_reader_get_newest(f->reader), 1000 + N_RECORDS);

        progress = generator_get_progress(f->generator);
        await_wait(f);
        assert_int_not_equal(generator_get_progress(f->generator), progress);
        assert_int_equal(i4_reader_get_newest(f->reader), 1000 + N_RECORDS);

        store(f, 1000 + N_RECORDS / 4 + 1);
        await_wait(f);
        assert_int_equal(i4_reader_get_newest(f->reader), 1000 + N_RECORDS + N_RECORDS / 4 + 1);

        /* and not at all when a reload says so */
        f->settings.is_blocking = false;
        assert_int_equal(generator_set_settings(f->generator, &f->settings), 0);
        await_published(f, 1000 + 10 * N_RECORDS);
}

static void await_call(struct fixture *f, unsigned int call) {
        struct pollfd pollfd = { .fd = generator_get_fd(f->generator), .events = POLLIN };

        do
                assert_int_equal(poll(&pollfd, 1, WAIT_MS), 1);
        while (!(generator_take_calls(f->generator) & call));
}

/* The main loop hears of armed readers, and of nothing as long as there are none. */
static void test_armed(void **state) {
        struct fixture *f = *state;

        start(f);
        (void) next_event(f);
        (void) generator_take_calls(f->generator);
        await_published(f, 1500);
        assert_int_equal(generator_take_calls(f->generator), 0);

        for (unsigned int i = 0; i < 3; ++i) {
                audience_arm(&f->audience);
                await_call(f, GENERATOR_CALL_ARMED);
        }
}

struct sleeper {
        struct ring *ring;
        _Atomic bool *is_over;
        pthread_t thread;
};

static void *sleep_on_ring(void *userdata) {
        struct sleeper *sleeper = userdata;
        void *word = &sleeper->ring->header->published;

        while (!*sleeper->is_over)
                (void) syscall(SYS_futex, word, FUTEX_WAIT,
                                (uint32_t) atomic_load(&sleeper->ring->header->published), NULL, NULL, 0);
        return NULL;
}

/* It wakes 16 itself and leaves the rest of a larger audience to the main loop. */
static void test_sleepers(void **state) {
        struct fixture *f = *state;
        struct sleeper sleepers[N_SLEEPERS];
        _Atomic bool is_over = false;

        for (size_t i = 0; i < N_SLEEPERS; ++i) {
                sleepers[i] = (struct sleeper){ .ring = f->ring, .is_over = &is_over };
                assert_int_equal(pthread_create(&sleepers[i].thread, NULL, sleep_on_ring, &sleepers[i]), 0);
        }

        audience_set_readers(&f->audience, N_SLEEPERS);
        start(f);
        await_call(f, GENERATOR_CALL_SLEEPERS);

        is_over = true;
        for (size_t i = 0; i < N_SLEEPERS; ++i)
                assert_int_equal(pthread_join(sleepers[i].thread, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_pace, setup, teardown),
                cmocka_unit_test_setup_teardown(test_statistics, setup, teardown),
                cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
                cmocka_unit_test_setup_teardown(test_catch_up, setup, teardown),
                cmocka_unit_test_setup_teardown(test_skip, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rate_change, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_running, setup, teardown),
                cmocka_unit_test_setup_teardown(test_blocking, setup, teardown),
                cmocka_unit_test_setup_teardown(test_armed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sleepers, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
