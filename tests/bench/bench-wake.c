/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From publish to the reader
 *
 * Each sample publishes one record that carries the time of its publication; the reader takes the difference.
 * The yardstick for a sleeping reader is a bare futex of the same kind, in the same run.
 */

#include "bench.h"

#include "ring/ring.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

#define N_SAMPLES 4000u
/* Long enough for the other side to have fallen asleep. */
#define PAUSE_NS  (200 * NSEC_PER_USEC)

struct bench {
        struct ring *ring;
        _Atomic uint32_t word;
        _Atomic uint64_t word_time_ns;
        int (*wait)(i4_reader *reader, int64_t timeout_ns);
        double samples_ns[N_SAMPLES];
};

static void pause_between(void) {
        struct timespec pause = { .tv_nsec = PAUSE_NS };

        (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

static void *reader_run(void *userdata) {
        _cleanup_(i4_reader_closep) i4_reader *reader = NULL;
        struct bench *bench = userdata;
        struct i4_record record;

        if (i4_reader_open_fd(&reader, bench->ring->reader_fd) < 0 || i4_reader_seek(reader, 0) < 0)
                abort();
        for (size_t i = 0; i < N_SAMPLES;) {
                (void) bench->wait(reader, NSEC_PER_SEC);
                if (i4_reader_read(reader, &record, 1) == 1)
                        bench->samples_ns[i++] = (double) (clock_now_ns(CLOCK_MONOTONIC) - record.time_ns);
        }

        return NULL;
}

static void publish_one(struct ring *ring) {
        size_t n = 1;
        struct i4_record *record = ring_claim(ring, &n);

        *record = (struct i4_record){ .sequence = ring->head, .time_ns = clock_now_ns(CLOCK_MONOTONIC) };
        ring_publish(ring, 1);
        (void) ring_wake(ring, 16);
}

static void *futex_run(void *userdata) {
        struct bench *bench = userdata;

        for (uint32_t i = 0; i < N_SAMPLES; ++i) {
                while (atomic_load_explicit(&bench->word, memory_order_acquire) == i)
                        (void) syscall(SYS_futex, &bench->word, FUTEX_WAIT, i, NULL, NULL, 0);
                bench->samples_ns[i] = (double) (clock_now_ns(CLOCK_MONOTONIC) - bench->word_time_ns);
        }

        return NULL;
}

static void wake_one(struct bench *bench) {
        bench->word_time_ns = clock_now_ns(CLOCK_MONOTONIC);
        atomic_fetch_add_explicit(&bench->word, 1, memory_order_release);
        (void) syscall(SYS_futex, &bench->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void report(const char *name, struct bench *bench) {
        qsort(bench->samples_ns, N_SAMPLES, sizeof(double), bench_compare);
        printf("  %-42s %10.2f %10.2f\n", name, bench->samples_ns[N_SAMPLES / 2] / 1e3,
                        bench->samples_ns[N_SAMPLES - N_SAMPLES / 100] / 1e3);
}

static void contest_futex(struct bench *bench) {
        pthread_t thread;

        atomic_store(&bench->word, 0);
        if (pthread_create(&thread, NULL, futex_run, bench) != 0)
                abort();
        for (size_t i = 0; i < N_SAMPLES; ++i) {
                pause_between();
                wake_one(bench);
        }
        (void) pthread_join(thread, NULL);
        report("bare futex", bench);
}

static int contest_ring(struct bench *bench, const char *name, int (*wait)(i4_reader *, int64_t)) {
        const struct ring_settings settings = { .n_records = 8192, .n_consumers = 1 };
        pthread_t thread;
        int r;

        r = ring_new(&bench->ring, &settings, i4_catalog_get_default());
        if (r < 0)
                return r;
        ring_set_running(bench->ring);

        bench->wait = wait;
        if (pthread_create(&thread, NULL, reader_run, bench) != 0)
                abort();
        for (size_t i = 0; i < N_SAMPLES; ++i) {
                pause_between();
                publish_one(bench->ring);
        }
        (void) pthread_join(thread, NULL);
        report(name, bench);
        bench->ring = ring_free(bench->ring);
        return 0;
}

int main(void) {
        static struct bench bench;
        int r = 0;

        printf("%-44s %10s %10s\n", "from publish to the reader", "p50 us", "p99 us");
        for (int i = 0; i < 2 && r >= 0; ++i) {
                contest_futex(&bench);
                r = contest_ring(&bench, "sleeping reader", i4_reader_wait);
                if (r >= 0)
                        r = contest_ring(&bench, "spinning reader", i4_reader_spin);
        }

        if (r < 0)
                fprintf(stderr, "ring: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
