/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What waking up costs by itself: a thread that sleeps, and each time wakes one that sleeps too
 *
 *     bench-idle HZ SECONDS
 *
 * Says how many per cent of a core the first one took: what no program that wakes so often can be below.
 */

#include "util/clock.h"
#include "util/macros.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uint32_t word;

static void *sleeper_run(void *userdata) {
        for (;;)
                (void) syscall(SYS_futex, &word, FUTEX_WAIT, atomic_load(&word), NULL, NULL, 0);
        return NULL;
}

/* As the generator sleeps, and as it wakes readers. */
static void wake_at(uint64_t time_ns) {
        static _Atomic uint32_t control;
        struct timespec deadline = timespec_from_ns(time_ns);

        (void) syscall(SYS_futex, &control, FUTEX_WAIT_BITSET_PRIVATE, 0, &deadline, NULL,
                        FUTEX_BITSET_MATCH_ANY);
        atomic_fetch_add(&word, 1);
        (void) syscall(SYS_futex, &word, FUTEX_WAKE, 16, NULL, NULL, 0);
}

int main(int argc, char **argv) {
        uint64_t hz = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
        uint64_t seconds = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
        uint64_t start_ns, cpu_ns;
        pthread_t sleeper;

        if (hz < 1 || hz > 100000 || seconds < 1) {
                fprintf(stderr, "Usage: bench-idle HZ SECONDS\n");
                return 2;
        }
        if (pthread_create(&sleeper, NULL, sleeper_run, NULL) != 0)
                return EXIT_FAILURE;

        start_ns = clock_now_ns(CLOCK_MONOTONIC);
        cpu_ns = clock_now_ns(CLOCK_THREAD_CPUTIME_ID);
        for (uint64_t i = 1; i <= hz * seconds; ++i)
                wake_at(start_ns + i * NSEC_PER_SEC / hz);
        cpu_ns = clock_now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;

        printf("%.4f\n", 100.0 * (double) cpu_ns / (double) (seconds * NSEC_PER_SEC));
        return EXIT_SUCCESS;
}
