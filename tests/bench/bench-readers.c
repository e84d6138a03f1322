/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Readers of a daemon, each a process of its own, that sleep until there is something and read it
 *
 *     bench-readers N SECONDS SOCKET
 *
 * Says what they read and what they lost.
 */

#include "i4.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BATCH       1024u
#define READERS_MAX 1024u

/* Of all together. */
struct totals {
        _Atomic uint64_t n_read;
        _Atomic uint64_t n_lost;
};

static int reader_follow(i4_reader *reader, uint64_t until_ns, uint64_t *n_readp) {
        static struct i4_record records[BATCH];
        int r = 0;

        while (r >= 0 && clock_now_ns(CLOCK_MONOTONIC) < until_ns) {
                r = i4_reader_wait(reader, (int64_t) (NSEC_PER_SEC / 10));
                while (r > 0 || r == -EOVERFLOW) {
                        r = i4_reader_read(reader, records, BATCH);
                        *n_readp += r > 0 ? (uint64_t) r : 0;
                }
        }

        return r;
}

static int reader_run(const char *path, uint64_t until_ns, struct totals *totals) {
        _cleanup_(i4_reader_closep) i4_reader *reader = NULL;
        uint64_t n_read = 0;
        int r;

        r = i4_reader_open(&reader, path, "bench");
        if (r >= 0)
                r = reader_follow(reader, until_ns, &n_read);
        if (r < 0) {
                fprintf(stderr, "%s: %s\n", path, strerror(-r));
                return EXIT_FAILURE;
        }

        atomic_fetch_add(&totals->n_read, n_read);
        atomic_fetch_add(&totals->n_lost, i4_reader_get_lost(reader));
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        uint64_t n_readers = argc == 4 ? strtoull(argv[1], NULL, 10) : 0, until_ns;
        struct totals *totals;
        int status, result = EXIT_SUCCESS;

        if (n_readers < 1 || n_readers > READERS_MAX) {
                fprintf(stderr, "Usage: bench-readers N SECONDS SOCKET: N is 1 to %u\n", READERS_MAX);
                return 2;
        }
        totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (totals == MAP_FAILED) {
                perror("mmap");
                return EXIT_FAILURE;
        }

        until_ns = clock_now_ns(CLOCK_MONOTONIC) + strtoull(argv[2], NULL, 10) * NSEC_PER_SEC;
        for (uint64_t i = 0; i < n_readers; ++i) {
                pid_t pid = fork();

                if (pid < 0)
                        perror("fork");
                if (pid == 0)
                        _exit(reader_run(argv[3], until_ns, totals));
        }
        while (wait(&status) > 0)
                result |= status;

        printf("read %" PRIu64 " lost %" PRIu64 "\n", atomic_load(&totals->n_read),
                        atomic_load(&totals->n_lost));
        return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
