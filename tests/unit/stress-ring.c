/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One writer flat out, readers that are overtaken all the time
 *
 * The ring is tiny, so nearly every copy races with the writer. Each record is a function of its sequence: a
 * torn, misplaced or repeated one shows in any of its words, and what was read plus what was told as lost
 * must be all that was published. Threads by default, which is what the thread sanitizer can see; with
 * "processes" the readers map the memory as strangers do. A reader that came after the race, or saw none of
 * it, has shown nothing: that is a failure.
 */

#include "ring/ring.h"
#include "util/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define N_READERS 3u
#define N_RECORDS 64u

struct reader_task {
        int fd;
        uint64_t n_total; /* records the writer publishes */
        size_t batch;
        _Atomic unsigned int *n_waiting; /* of the readers, for the first record; shared */
        int result;
};

static uint64_t mix(uint64_t x) {
        x = (x ^ (x >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
        return x ^ (x >> 29);
}

static void record_fill(struct i4_record *record, uint64_t sequence) {
        uint64_t words[sizeof(*record) / sizeof(uint64_t)];

        for (size_t i = 0; i < ELEMENTSOF(words); ++i)
                words[i] = i == 0 ? sequence : mix(sequence + i);
        memcpy(record, words, sizeof(*record));
}

static bool record_is_whole(const struct i4_record *record, uint64_t sequence) {
        struct i4_record expected;

        record_fill(&expected, sequence);
        return memcmp(record, &expected, sizeof(expected)) == 0;
}

/* -EBADMSG: a record that was never published in this place. */
static int reader_follow(i4_reader *reader, const struct reader_task *task, uint64_t *n_readp) {
        struct i4_record records[N_RECORDS];
        uint64_t next = 0;

        while (next < task->n_total) {
                int n;

                n = i4_reader_read(reader, records, task->batch);
                if (n == 0)
                        n = i4_reader_wait(reader, NSEC_PER_SEC);
                else if (n == -EOVERFLOW)
                        next = i4_reader_get_cursor(reader);
                else if (n > 0)
                        for (int i = 0; i < n; ++i, ++next, ++*n_readp)
                                if (!record_is_whole(&records[i], next))
                                        return -EBADMSG;
                if (n < 0 && n != -EOVERFLOW && n != -EINTR)
                        return n;
        }

        return 0;
}

static void *reader_run(void *userdata) {
        _cleanup_(i4_reader_closep) i4_reader *reader = NULL;
        struct reader_task *task = userdata;
        uint64_t n_read = 0;

        task->result = i4_reader_open_fd(&reader, task->fd);
        if (task->result == 0)
                task->result = i4_reader_seek(reader, 0);
        (void) atomic_fetch_add(task->n_waiting, 1);
        if (task->result == 0)
                task->result = reader_follow(reader, task, &n_read);
        if (task->result == 0 && n_read + i4_reader_get_lost(reader) != task->n_total)
                task->result = -EPROTO;
        /* More than what is left when all is over, and less than all: it was overtaken while it read. */
        if (task->result == 0 && (n_read <= N_RECORDS || n_read == task->n_total))
                task->result = -ENODATA;
        if (task->result < 0)
                fprintf(stderr, "reader of batches of %zu: %s\n", task->batch, strerror(-task->result));
        else
                printf("read %" PRIu64 ", lost %" PRIu64 "\n", n_read, i4_reader_get_lost(reader));

        return NULL;
}

static void write_all(struct ring *ring, const struct reader_task *task) {
        uint64_t random = 1, n_total = task->n_total;

        while (atomic_load(task->n_waiting) < N_READERS)
                (void) sched_yield();
        while (ring->head < n_total) {
                size_t n;
                struct i4_record *records;

                random = mix(random + 1);
                n = MIN(1 + random % (N_RECORDS / 4), n_total - ring->head);
                records = ring_claim(ring, &n);
                for (size_t i = 0; i < n; ++i)
                        record_fill(&records[i], ring->head + i);
                ring_publish(ring, n);
                if (random % 64 == 0)
                        (void) ring_wake(ring, INT32_MAX);
        }
        (void) ring_wake(ring, INT32_MAX);
}

static int run_threads(struct ring *ring, struct reader_task *tasks) {
        pthread_t threads[N_READERS];
        int r = 0;

        for (size_t i = 0; i < N_READERS; ++i)
                if (pthread_create(&threads[i], NULL, reader_run, &tasks[i]) != 0)
                        abort();
        write_all(ring, tasks);
        for (size_t i = 0; i < N_READERS; ++i) {
                (void) pthread_join(threads[i], NULL);
                r = tasks[i].result < 0 ? tasks[i].result : r;
        }

        return r;
}

static int run_processes(struct ring *ring, struct reader_task *tasks) {
        int r = 0;

        for (size_t i = 0; i < N_READERS; ++i) {
                pid_t pid = fork();

                if (pid < 0)
                        return -errno;
                if (pid == 0) {
                        reader_run(&tasks[i]);
                        (void) fflush(stdout);
                        _exit(tasks[i].result < 0);
                }
        }

        write_all(ring, tasks);
        for (size_t i = 0; i < N_READERS; ++i) {
                int status = 0;

                if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
                        r = -EPROTO;
        }

        return r;
}

int main(int argc, char *argv[]) {
        const struct ring_settings settings = { .n_records = N_RECORDS, .n_consumers = 1 };
        bool has_processes = argc > 1 && strcmp(argv[1], "processes") == 0;
        uint64_t n_total = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000000;
        _cleanup_(ring_freep) struct ring *ring = NULL;
        struct reader_task tasks[N_READERS];
        _Atomic unsigned int *n_waiting;
        int r;

        r = ring_new(&ring, &settings, i4_catalog_get_default());
        if (r < 0) {
                fprintf(stderr, "ring: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }
        ring_set_running(ring);
        n_waiting = mmap(NULL, sizeof(*n_waiting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (n_waiting == MAP_FAILED)
                return EXIT_FAILURE;

        for (size_t i = 0; i < N_READERS; ++i)
                tasks[i] = (struct reader_task){
                        .fd = ring->reader_fd,
                        .n_total = n_total,
                        .n_waiting = n_waiting,
                        .batch = (size_t[]){ 1, 7, N_RECORDS }[i],
                };

        r = has_processes ? run_processes(ring, tasks) : run_threads(ring, tasks);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
