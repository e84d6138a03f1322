/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <time.h>

#define NSEC_PER_USEC UINT64_C(1000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NSEC_PER_SEC  UINT64_C(1000000000)
#define NSEC_PER_MIN  (UINT64_C(60) * NSEC_PER_SEC)
#define NSEC_PER_HOUR (UINT64_C(60) * NSEC_PER_MIN)
#define NSEC_PER_DAY  (UINT64_C(24) * NSEC_PER_HOUR)

#define NSEC_INFINITY UINT64_MAX

static inline uint64_t timespec_to_ns(struct timespec ts) {
        return (uint64_t) ts.tv_sec * NSEC_PER_SEC + (uint64_t) ts.tv_nsec;
}

static inline struct timespec timespec_from_ns(uint64_t ns) {
        return (struct timespec){ .tv_sec = (time_t) (ns / NSEC_PER_SEC),
                .tv_nsec = (long) (ns % NSEC_PER_SEC) };
}

/* Cannot fail for the clocks used here: CLOCK_REALTIME, CLOCK_MONOTONIC and its _COARSE twin, CLOCK_BOOTTIME.
 */
static inline uint64_t clock_now_ns(clockid_t clock) {
        struct timespec ts;

        (void) clock_gettime(clock, &ts);
        return timespec_to_ns(ts);
}
