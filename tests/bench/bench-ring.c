/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What publishing costs: ready-made records into the ring, alone and with polling readers in other processes
 *
 * The yardstick is a memcpy of the same records round a buffer of the same size. With readers, what is
 * delivered counts as much as what is produced: a reader that is lapped loses, it does not slow the writer.
 */

#include "bench.h"

#include "ring/ring.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define N_SLOTS     UINT64_C(262144)
#define BATCH       256u
#define N_PER_RUN   (8 * N_SLOTS)
#define READERS_MAX 16u

struct delivered {
        _Atomic uint64_t n_records[READERS_MAX];
};

struct bench {
        struct ring *ring;
        struct i4_record *buffer;
        struct i4_record batch[BATCH];
        struct delivered *delivered;
        unsigned int n_readers;
        bool is_reading; /* else they are attached and stopped */
        pid_t readers[READERS_MAX];
};

static uint64_t run_copy(void *userdata) {
        struct bench *bench = userdata;

        for (uint64_t i = 0; i < N_PER_RUN; i += BATCH) {
                memcpy(bench->buffer + i % N_SLOTS, bench->batch, sizeof(bench->batch));
                __asm__ __volatile__("" ::"r"(bench->buffer) : "memory");
        }

        return N_PER_RUN;
}

static void produce(struct bench *bench) {
        for (uint64_t i = 0; i < N_PER_RUN;) {
                size_t n = BATCH;
                struct i4_record *records = ring_claim(bench->ring, &n);

                memcpy(records, bench->batch, n * sizeof(*records));
                ring_publish(bench->ring, n);
                i += n;
        }
}

static uint64_t run_ring(void *userdata) {
        produce(userdata);
        return N_PER_RUN;
}

_Noreturn static void reader_run(struct bench *bench, unsigned int number) {
        i4_reader *reader = NULL;
        struct i4_record records[BATCH];

        if (i4_reader_open_fd(&reader, bench->ring->reader_fd) < 0 || i4_reader_seek(reader, I4_NEWEST) < 0)
                _exit(EXIT_FAILURE);
        for (;;) {
                int n = bench->is_reading ? i4_reader_read(reader, records, BATCH) : pause();

                if (n > 0)
                        atomic_fetch_add_explicit(&bench->delivered->n_records[number], (uint64_t) n,
                                        memory_order_relaxed);
        }
}

static void readers_start(struct bench *bench) {
        for (unsigned int i = 0; i < bench->n_readers; ++i) {
                bench->readers[i] = fork();
                if (bench->readers[i] == 0)
                        reader_run(bench, i);
        }
}

static void readers_stop(struct bench *bench) {
        for (unsigned int i = 0; i < bench->n_readers; ++i) {
                (void) kill(bench->readers[i], SIGKILL);
                (void) waitpid(bench->readers[i], NULL, 0);
        }
}

static uint64_t delivered_sum(const struct bench *bench) {
        uint64_t sum = 0;

        for (unsigned int i = 0; i < bench->n_readers; ++i)
                sum += atomic_load_explicit(&bench->delivered->n_records[i], memory_order_relaxed);
        return sum;
}

static int bench_init(struct bench *bench) {
        const struct ring_settings settings = { .n_records = N_SLOTS, .n_consumers = READERS_MAX };
        void *delivered;

        delivered = mmap(NULL, sizeof(struct delivered), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                        -1, 0);
        if (delivered == MAP_FAILED)
                return -errno;
        bench->delivered = delivered;
        bench->buffer = aligned_alloc(4096, N_SLOTS * sizeof(*bench->buffer));
        return bench->buffer ? ring_new(&bench->ring, &settings, i4_catalog_get_default()) : -ENOMEM;
}

static void contest(struct bench *bench, unsigned int n_readers, bool is_reading) {
        struct bench_entry entries[] = {
                { "memcpy round a buffer", run_copy, bench },
                { "publish", run_ring, bench },
        };
        uint64_t n_before = bench->ring->head;
        char title[64];

        bench->n_readers = n_readers;
        bench->is_reading = is_reading;
        memset(bench->delivered, 0, sizeof(*bench->delivered));
        readers_start(bench);
        bench_run(entries, ELEMENTSOF(entries));

        (void) snprintf(title, sizeof(title), "%u %s", n_readers,
                        n_readers == 0 ? "readers"
                        : is_reading   ? "polling"
                                       : "attached, not reading");
        bench_print(title, entries, ELEMENTSOF(entries));
        if (is_reading && n_readers > 0)
                printf("  %-42s %9.1f %%\n", "delivered to each of what was published",
                                100.0 * (double) delivered_sum(bench) / n_readers /
                                                (double) (bench->ring->head - n_before));
        readers_stop(bench);
}

int main(void) {
        static struct bench bench;
        int r;

        r = bench_init(&bench);
        if (r < 0) {
                fprintf(stderr, "ring: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }

        contest(&bench, 0, false);
        contest(&bench, 16, false);
        contest(&bench, 1, true);
        contest(&bench, 3, true);

        ring_free(bench.ring);
        free(bench.buffer);
        return EXIT_SUCCESS;
}
