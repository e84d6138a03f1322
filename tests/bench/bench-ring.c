/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What publishing costs: ready-made records into the ring, alone and with readers in other processes
 *
 *     bench-ring [SLOTS]
 *
 * The yardstick is a memcpy of the same records round a buffer of the same size. Readers are stopped by a
 * signal in the middle of their reading, or poll flat out. With those, what is delivered counts as much as
 * what is produced: a reader that is lapped loses, it does not slow the writer.
 *
 * All readers are there from the beginning, before there is a buffer that fork() would make the next write to
 * a page pay for. Between the runs that they take part in, they have not mapped the ring, and sleep.
 */

/* What stopped readers cost is less than what one round differs from the next by. */
#define BENCH_ROUNDS 41u

#include "bench.h"

#include "ring/ring.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_SLOTS_DEFAULT UINT64_C(262144)
#define N_SLOTS_MAX     (UINT64_C(1) << 26)
#define BATCH           256u
#define N_PER_RUN       (UINT64_C(1) << 21)
#define READERS_MAX     64u
/* As often as the daemon's generator that always has more to publish: some million records a millisecond. */
#define WAKE_INTERVAL   (N_PER_RUN / 8)

#define PAUSE_US 2000u

enum order {
        ORDER_AWAY, /* no mapping of the ring */
        ORDER_POLL,
        ORDER_STOP, /* read something, and be stopped */
};

/* Shared with a reader. */
struct place {
        _Atomic uint32_t order;
        _Atomic uint32_t done; /* the order that is carried out */
        _Atomic uint64_t n_delivered;
        char pad[48];
};

struct bench {
        struct ring *ring;
        struct i4_record *buffer;
        struct i4_record batch[BATCH];
        struct place *places;
        pid_t pids[READERS_MAX]; /* of who is there */
        uint64_t n_slots;
};

struct contest {
        struct bench *bench;
        unsigned int n_readers;
        enum order order;
        uint64_t n_before;
        double delivered_ns[BENCH_ROUNDS + 1]; /* per record and reader */
        uint64_t start_ns;
};

/* the other processes */

_Noreturn static void reader_run(const struct bench *bench, struct place *place) {
        struct i4_record records[BATCH];
        i4_reader *reader = NULL;
        int n = 0;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                uint32_t order = atomic_load(&place->order);

                if (order == ORDER_AWAY)
                        reader = i4_reader_close(reader);
                else if (!reader && i4_reader_open_fd(&reader, bench->ring->reader_fd) < 0)
                        abort();

                if (order != ORDER_AWAY)
                        n = i4_reader_read(reader, records, BATCH);
                atomic_store(&place->done, order);

                if (order == ORDER_POLL && n > 0)
                        atomic_fetch_add_explicit(&place->n_delivered, (uint64_t) n, memory_order_relaxed);
                else if (order == ORDER_STOP)
                        (void) raise(SIGSTOP);
                else if (order == ORDER_AWAY)
                        (void) syscall(SYS_futex, &place->order, FUTEX_WAIT, order, NULL, NULL, 0);
        }
}

static void reader_order(const struct bench *bench, unsigned int number, enum order order) {
        struct place *place = &bench->places[number];
        bool is_stopped = atomic_load(&place->done) == ORDER_STOP;

        atomic_store(&place->order, order);
        /* Not to one that is about to stop: it would stop once more, and nobody would know when. */
        if (is_stopped)
                (void) kill(bench->pids[number], SIGCONT);
        (void) syscall(SYS_futex, &place->order, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void reader_wait(const struct bench *bench, unsigned int number) {
        const struct place *place = &bench->places[number];
        enum order order = atomic_load(&place->order);
        siginfo_t info;

        if (order == ORDER_STOP)
                (void) waitid(P_PID, (id_t) bench->pids[number], &info, WSTOPPED);
        while (atomic_load(&place->done) != order)
                (void) usleep(100);
}

static void readers_order(const struct bench *bench, unsigned int n_readers, enum order order) {
        for (unsigned int i = 0; i < n_readers; ++i)
                reader_order(bench, i, order);
        for (unsigned int i = 0; i < n_readers; ++i)
                reader_wait(bench, i);
}

static void readers_start(struct bench *bench) {
        for (unsigned int i = 0; i < READERS_MAX; ++i) {
                bench->pids[i] = fork();
                if (bench->pids[i] < 0)
                        abort();
                if (bench->pids[i] == 0)
                        reader_run(bench, &bench->places[i]);
        }
}

static void readers_stop(const struct bench *bench) {
        for (unsigned int i = 0; i < READERS_MAX; ++i) {
                (void) kill(bench->pids[i], SIGKILL);
                (void) waitpid(bench->pids[i], NULL, 0);
        }
}

/* what is measured */

static uint64_t run_copy(void *userdata) {
        struct bench *bench = ((struct contest *) userdata)->bench;

        for (uint64_t i = 0; i < N_PER_RUN; i += BATCH) {
                memcpy(bench->buffer + i % bench->n_slots, bench->batch, sizeof(bench->batch));
                __asm__ __volatile__("" ::"r"(bench->buffer) : "memory");
        }

        return N_PER_RUN;
}

static uint64_t run_ring(void *userdata) {
        struct contest *contest = userdata;
        struct bench *bench = contest->bench;

        for (uint64_t i = 0; i < N_PER_RUN;) {
                size_t n = BATCH;
                struct i4_record *records = ring_claim(bench->ring, &n);

                memcpy(records, bench->batch, n * sizeof(*records));
                ring_publish(bench->ring, n);
                i += n;
                if (contest->n_readers > 0 && i % WAKE_INTERVAL == 0)
                        (void) ring_wake(bench->ring, 16);
        }

        return N_PER_RUN;
}

static uint64_t contest_count_delivered(const struct contest *contest) {
        uint64_t sum = 0;

        for (unsigned int i = 0; i < contest->n_readers; ++i)
                sum += atomic_load_explicit(&contest->bench->places[i].n_delivered, memory_order_relaxed);
        return sum;
}

static void contest_begin(void *userdata) {
        struct contest *contest = userdata;

        readers_order(contest->bench, contest->n_readers, contest->order);
        /* All the same, readers or not: who has just slept is treated better by the scheduler. */
        (void) usleep(PAUSE_US);
        contest->n_before = contest_count_delivered(contest);
        contest->start_ns = clock_now_ns(CLOCK_MONOTONIC);
}

static void contest_end(void *userdata, size_t round) {
        struct contest *contest = userdata;
        uint64_t n = contest_count_delivered(contest) - contest->n_before,
                 duration_ns = clock_now_ns(CLOCK_MONOTONIC) - contest->start_ns;

        contest->delivered_ns[round] =
                        (double) duration_ns * contest->n_readers / (double) MAX(n, UINT64_C(1));
        readers_order(contest->bench, contest->n_readers, ORDER_AWAY);
}

static int bench_init(struct bench *bench, uint64_t n_slots) {
        const struct ring_settings settings = { .n_records = n_slots, .n_consumers = READERS_MAX };
        void *places;
        int r;

        bench->n_slots = n_slots;
        places = mmap(NULL, READERS_MAX * sizeof(struct place), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (places == MAP_FAILED)
                return -errno;
        bench->places = places;
        r = ring_new(&bench->ring, &settings, i4_catalog_get_default());
        if (r < 0)
                return r;

        readers_start(bench);
        bench->buffer = aligned_alloc(4096, n_slots * sizeof(*bench->buffer));
        return bench->buffer ? 0 : -ENOMEM;
}

static void print_delivered(const char *title, const char *name, const struct contest *contest) {
        double median = bench_median(contest->delivered_ns + 1, BENCH_ROUNDS);

        printf("  %-42s %10.2f %10.1f\n", name, median, 1e3 / median);
        bench_note(title, name, "ns", contest->delivered_ns + 1, BENCH_ROUNDS);
}

static void measure(struct bench *bench) {
        struct contest contests[] = {
                { bench, 0, ORDER_AWAY, 0, {}, 0 },
                { bench, 1, ORDER_STOP, 0, {}, 0 },
                { bench, 3, ORDER_STOP, 0, {}, 0 },
                { bench, 16, ORDER_STOP, 0, {}, 0 },
                { bench, 64, ORDER_STOP, 0, {}, 0 },
                { bench, 1, ORDER_POLL, 0, {}, 0 },
                { bench, 3, ORDER_POLL, 0, {}, 0 },
        };
        struct bench_entry entries[] = {
                { "memcpy round a buffer", run_copy, &contests[0], {}, contest_begin, NULL },
                { "publish, no reader", run_ring, &contests[0], {}, contest_begin, NULL },
                { "publish, 1 stopped", run_ring, &contests[1], {}, contest_begin, contest_end },
                { "publish, 3 stopped", run_ring, &contests[2], {}, contest_begin, contest_end },
                { "publish, 16 stopped", run_ring, &contests[3], {}, contest_begin, contest_end },
                { "publish, 64 stopped", run_ring, &contests[4], {}, contest_begin, contest_end },
                { "publish, 1 polling", run_ring, &contests[5], {}, contest_begin, contest_end },
                { "publish, 3 polling", run_ring, &contests[6], {}, contest_begin, contest_end },
        };
        char title[64];

        (void) snprintf(title, sizeof(title), "ring of %" PRIu64 " records", bench->n_slots);
        bench_run(entries, ELEMENTSOF(entries));
        bench_print(title, entries, ELEMENTSOF(entries));
        print_delivered(title, "delivered to 1 polling", &contests[5]);
        print_delivered(title, "delivered to each of 3 polling", &contests[6]);
}

int main(int argc, char **argv) {
        uint64_t n_slots = argc > 1 ? strtoull(argv[1], NULL, 10) : N_SLOTS_DEFAULT;
        static struct bench bench;
        int r;

        if (argc > 2 || n_slots < BATCH || n_slots > N_SLOTS_MAX || (n_slots & (n_slots - 1)) != 0) {
                fprintf(stderr, "Usage: bench-ring [SLOTS]: a power of two from %u on\n", BATCH);
                return 2;
        }

        r = bench_init(&bench, n_slots);
        if (r < 0) {
                fprintf(stderr, "ring: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        measure(&bench);

        readers_stop(&bench);
        ring_free(bench.ring);
        free(bench.buffer);
        return EXIT_SUCCESS;
}
