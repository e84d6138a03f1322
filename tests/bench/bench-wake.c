/* SPDX-License-Identifier: Apache-2.0 */

/*
 * From publish to the reader
 *
 * Each sample publishes one record that carries the time of its publication; the reader takes the difference.
 * The yardstick for a sleeping reader is a bare futex of the same kind; for a spinning one it is what the
 * machine cannot do without: a cache line of payload, and then one with a flag that the other core waits for.
 *
 * A reader and its yardstick take turns from burst to burst, in the same two threads: what a line takes
 * from one core to the other changes by a factor of three from one second to the next, where others have the
 * machine, too, and where the threads are is up to the kernel.
 */

#include "bench.h"

#include "ring/ring.h"
#include "util/relax.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

#define N_SAMPLES 500u
#define N_BURST   50u /* some hundredths of a second */
#define N_ROUNDS  24u
/* Long enough for the other side to have fallen asleep. */
#define PAUSE_NS  (200 * NSEC_PER_USEC)

struct bench;

/* Both sides of one sample, and how a reader of the ring waits meanwhile. */
struct contest {
        void (*bare_send)(struct bench *bench, uint64_t sample);
        uint64_t (*bare_receive)(struct bench *bench, uint64_t sample); /* when it was sent */
        int (*wait)(i4_reader *reader, int64_t timeout_ns);
        const char *bare_name, *name;
        double bare_ns[N_ROUNDS * N_SAMPLES], ns[N_ROUNDS * N_SAMPLES];
};

struct bench {
        struct ring *ring;
        struct contest *contest;
        size_t first_sample; /* of the round */
        _Alignas(128) _Atomic uint64_t
                        time_ns; /* of a later sample, for who is held up: the better for this one */
        _Alignas(128) _Atomic uint32_t flag; /* how many samples were sent */
};

static void pause_between(void) {
        struct timespec pause = { .tv_nsec = PAUSE_NS };

        (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

/* the yardsticks */

static void lines_send(struct bench *bench, uint64_t sample) {
        atomic_store_explicit(&bench->time_ns, clock_now_ns(CLOCK_MONOTONIC), memory_order_relaxed);
        atomic_store_explicit(&bench->flag, (uint32_t) sample + 1, memory_order_release);
}

static void futex_send(struct bench *bench, uint64_t sample) {
        lines_send(bench, sample);
        (void) syscall(SYS_futex, &bench->flag, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static uint64_t lines_receive(struct bench *bench, uint64_t sample) {
        while (atomic_load_explicit(&bench->flag, memory_order_acquire) == (uint32_t) sample)
                cpu_relax();

        return atomic_load_explicit(&bench->time_ns, memory_order_relaxed);
}

static uint64_t futex_receive(struct bench *bench, uint64_t sample) {
        while (atomic_load_explicit(&bench->flag, memory_order_acquire) == (uint32_t) sample)
                (void) syscall(SYS_futex, &bench->flag, FUTEX_WAIT, (uint32_t) sample, NULL, NULL, 0);

        return atomic_load_explicit(&bench->time_ns, memory_order_relaxed);
}

/* the ring */

static void ring_send(struct ring *ring) {
        size_t n = 1;
        struct i4_record *record = ring_claim(ring, &n);

        *record = (struct i4_record){ .sequence = ring->head, .time_ns = clock_now_ns(CLOCK_MONOTONIC) };
        ring_publish(ring, 1);
        (void) ring_wake(ring, 16);
}

static uint64_t ring_receive(const struct bench *bench, i4_reader *reader) {
        struct i4_record record;

        do
                (void) bench->contest->wait(reader, NSEC_PER_SEC);
        while (i4_reader_read(reader, &record, 1) != 1);

        return record.time_ns;
}

/* The clock waits for what is read before it: the payload is part of the time. */
static double since(uint64_t time_ns) {
        __asm__ __volatile__("" ::"r"(time_ns) : "memory");
        return (double) (clock_now_ns(CLOCK_MONOTONIC) - time_ns);
}

static void *reader_run(void *userdata) {
        _cleanup_(i4_reader_closep) i4_reader *reader = NULL;
        struct bench *bench = userdata;
        struct contest *contest = bench->contest;

        if (i4_reader_open_fd(&reader, bench->ring->reader_fd) < 0 || i4_reader_seek(reader, 0) < 0)
                abort();
        for (size_t burst = 0; burst < N_SAMPLES; burst += N_BURST) {
                for (size_t i = burst; i < burst + N_BURST; ++i)
                        contest->bare_ns[bench->first_sample + i] = since(contest->bare_receive(bench, i));
                for (size_t i = burst; i < burst + N_BURST; ++i)
                        contest->ns[bench->first_sample + i] = since(ring_receive(bench, reader));
        }

        return NULL;
}

static int round_run(struct bench *bench) {
        const struct ring_settings settings = { .n_records = 8192, .n_consumers = 1 };
        pthread_t thread;
        int r;

        r = ring_new(&bench->ring, &settings, i4_catalog_get_default());
        if (r < 0)
                return r;
        ring_populate(bench->ring);
        ring_set_running(bench->ring);

        atomic_store_explicit(&bench->flag, 0, memory_order_relaxed);
        if (pthread_create(&thread, NULL, reader_run, bench) != 0)
                abort();
        for (size_t burst = 0; burst < N_SAMPLES; burst += N_BURST) {
                for (size_t i = burst; i < burst + N_BURST; ++i) {
                        pause_between();
                        bench->contest->bare_send(bench, i);
                }
                for (size_t i = burst; i < burst + N_BURST; ++i) {
                        pause_between();
                        ring_send(bench->ring);
                }
        }
        (void) pthread_join(thread, NULL);
        bench->ring = ring_free(bench->ring);
        return 0;
}

static void report(const char *name, double *samples_ns) {
        const size_t n = N_ROUNDS * N_SAMPLES;

        bench_note("wake", name, "ns", samples_ns, n);
        qsort(samples_ns, n, sizeof(double), bench_compare);
        printf("  %-42s %10.2f %10.2f\n", name, samples_ns[n / 2] / 1e3, samples_ns[n - n / 100] / 1e3);
}

int main(void) {
        static struct contest contests[] = {
                { futex_send, futex_receive, i4_reader_wait, "bare futex", "sleeping reader", {}, {} },
                { lines_send, lines_receive, i4_reader_spin, "two cache lines", "spinning reader", {}, {} },
        };
        static struct bench bench;
        int r = 0;

        for (size_t i = 0; i < N_ROUNDS * ELEMENTSOF(contests) && r >= 0; ++i) {
                bench.contest = &contests[i % ELEMENTSOF(contests)];
                bench.first_sample = i / ELEMENTSOF(contests) * N_SAMPLES;
                r = round_run(&bench);
        }
        if (r < 0) {
                fprintf(stderr, "ring: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }

        printf("%-44s %10s %10s\n", "from publish to the reader", "p50 us", "p99 us");
        for (size_t i = 0; i < ELEMENTSOF(contests); ++i) {
                report(contests[i].bare_name, contests[i].bare_ns);
                report(contests[i].name, contests[i].ns);
        }
        return EXIT_SUCCESS;
}
