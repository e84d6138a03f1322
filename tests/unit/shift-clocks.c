/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sets the clocks of a program, for LD_PRELOAD
 *
 * The file that $I4_CLOCKS names is mapped and says by how much CLOCK_REALTIME and CLOCK_BOOTTIME are ahead
 * of the machine's, in nanoseconds. Both change at once, as when somebody sets the one, or the node wakes up:
 * whoever writes the next of the pairs says then that it holds. Timers of the kernel go by its own clocks.
 */

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define N_SHIFTS     64u
#define NSEC_PER_SEC INT64_C(1000000000)

/* For the program it is loaded into. */
#pragma GCC visibility push(default)

struct shift {
        int64_t real_ns, boot_ns;
};

static const struct shifts {
        _Atomic uint64_t current;
        struct shift shifts[N_SHIFTS];
} * shifts;

__attribute__((constructor)) static void begin(void) {
        const char *path = getenv("I4_CLOCKS");
        void *memory = MAP_FAILED;
        int fd;

        fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0)
                memory = mmap(NULL, sizeof(*shifts), PROT_READ, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                abort();
        (void) close(fd);
        shifts = memory;
}

static int64_t shift_get(clockid_t clock) {
        const struct shift *shift;

        /* Somebody else's constructor may be first. */
        if (!shifts)
                return 0;

        shift = &shifts->shifts[atomic_load_explicit(&shifts->current, memory_order_acquire) % N_SHIFTS];
        switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE:
                return shift->real_ns;
        case CLOCK_BOOTTIME:
                return shift->boot_ns;
        default:
                return 0;
        }
}

int clock_gettime(clockid_t clock, struct timespec *ts) {
        long r = syscall(SYS_clock_gettime, clock, ts);
        int64_t ns;

        if (r < 0)
                return (int) r;

        ns = ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec + shift_get(clock);
        *ts = (struct timespec){ .tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC };
        return 0;
}
