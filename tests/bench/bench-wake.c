/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From publish to the reader
 *
 * Each sample publishes one record that carries the time of its publication; the reader takes the difference.
 * The yardstick for a sleeping reader is a bare futex of the same kind; for a spinning one it is what the
 * machine cannot do without: a cache line of payload, and then one with a flag that the other core waits for.
 * All four take turns.
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

#define N_SAMPLES 500u
#define N_ROUNDS  8u
/* Long enough for the other side to have fallen asleep. */
#define PAUSE_NS  (200 * NSEC_PER_USEC)

struct bench;

struct lines {
        _Alignas(128) uint64_t time_ns;
        _Alignas(128) _Atomic uint64_t flag;
};

struct entry {
        const char *name;
        int (*contest)(struct bench *bench);
        double samples_ns[N_ROUNDS * N_SAMPLES];
};

struct bench {
        struct ring *ring;
        _Atomic uint32_t word;
        _Atomic uint64_t word_time_ns;
        int (*wait)(i4_reader *reader, int64_t timeout_ns);
        struct lines lines;
        double *samples_ns; /* N_SAMPLES of one round */
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

static void report(struct entry *entry) {
        const size_t n = N_ROUNDS * N_SAMPLES;

        bench_note("wake", entry->name, "ns", entry->samples_ns, n);
        qsort(entry->samples_ns, n, sizeof(double), bench_compare);
        printf("  %-42s %10.2f %10.2f\n", entry->name, entry->samples_ns[n / 2] / 1e3,
                        entry->samples_ns[n - n / 100] / 1e3);
}

static int contest_futex(struct bench *bench) {
        pthread_t thread;

        atomic_store(&bench->word, 0);
        if (pthread_create(&thread, NULL, futex_run, bench) != 0)
                abort();
        for (size_t i = 0; i < N_SAMPLES; ++i) {
                pause_between();
                wake_one(bench);
        }
        (void) pthread_join(thread, NULL);
        return 0;
}

static inline void cpu_relax(void) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ __volatile__("yield");
#endif
}

static void *lines_run(void *userdata) {
        struct bench *bench = userdata;
        struct lines *lines = &bench->lines;

        for (uint64_t i = 0; i < N_SAMPLES; ++i) {
                uint64_t time_ns;

                while (atomic_load_explicit(&lines->flag, memory_order_acquire) == i)
                        cpu_relax();
                /* The clock waits for what is read before it: the payload is part of the time. */
                time_ns = lines->time_ns;
                __asm__ __volatile__("" ::"r"(time_ns) : "memory");
                bench->samples_ns[i] = (double) (clock_now_ns(CLOCK_MONOTONIC) - time_ns);
        }

        return NULL;
}

static int contest_lines(struct bench *bench) {
        struct lines *lines = &bench->lines;
        pthread_t thread;

        atomic_store_explicit(&lines->flag, 0, memory_order_relaxed);
        if (pthread_create(&thread, NULL, lines_run, bench) != 0)
                abort();
        for (uint64_t i = 0; i < N_SAMPLES; ++i) {
                pause_between();
                lines->time_ns = clock_now_ns(CLOCK_MONOTONIC);
                atomic_store_explicit(&lines->flag, i + 1, memory_order_release);
        }
        (void) pthread_join(thread, NULL);
        return 0;
}

static int contest_ring(struct bench *bench, int (*wait)(i4_reader *, int64_t)) {
        const struct ring_settings settings = { .n_records = 8192, .n_consumers = 1 };
        pthread_t thread;
        int r;

        r = ring_new(&bench->ring, &settings, i4_catalog_get_default());
        if (r < 0)
                return r;
        ring_populate(bench->ring);
        ring_set_running(bench->ring);

        bench->wait = wait;
        if (pthread_create(&thread, NULL, reader_run, bench) != 0)
                abort();
        for (size_t i = 0; i < N_SAMPLES; ++i) {
                pause_between();
                publish_one(bench->ring);
        }
        (void) pthread_join(thread, NULL);
        bench->ring = ring_free(bench->ring);
        return 0;
}

static int contest_sleeping(struct bench *bench) {
        return contest_ring(bench, i4_reader_wait);
}

static int contest_spinning(struct bench *bench) {
        return contest_ring(bench, i4_reader_spin);
}

int main(void) {
        static struct bench bench;
        static struct entry entries[] = {
                { "bare futex", contest_futex, {} },
                { "sleeping reader", contest_sleeping, {} },
                { "two cache lines", contest_lines, {} },
                { "spinning reader", contest_spinning, {} },
        };
        int r = 0;

        for (size_t round = 0; round < N_ROUNDS; ++round)
                for (size_t i = 0; i < ELEMENTSOF(entries) && r >= 0; ++i) {
                        bench.samples_ns = entries[i].samples_ns + round * N_SAMPLES;
                        r = entries[i].contest(&bench);
                }
        if (r < 0) {
                fprintf(stderr, "ring: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }

        printf("%-44s %10s %10s\n", "from publish to the reader", "p50 us", "p99 us");
        for (size_t i = 0; i < ELEMENTSOF(entries); ++i)
                report(&entries[i]);
        return EXIT_SUCCESS;
}
