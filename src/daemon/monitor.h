/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's look at itself
 *
 * Every few seconds: do the threads make progress (only then is the watchdog told so), has a reader fallen
 * silent, is the generator late, what does the status line say now. Every IntervalSec=: the counters, as one
 * entry in the journal.
 */

#include "daemon/generator.h"
#include "daemon/publisher.h"
#include "daemon/recorder.h"
#include "daemon/report.h"

struct monitor;

/* All outlive the monitor. */
struct monitor_subjects {
        struct report *report;
        struct ring *ring;
        struct generator *generator;
        struct recorder *recorder; /* NULL: nothing is stored */
        struct publisher *publisher;
};

int monitor_new(struct monitor **monitorp, const struct monitor_subjects *subjects, sd_event *event,
                uint64_t statistics_interval_ns);
struct monitor *monitor_free(struct monitor *monitor);

/* NSEC_INFINITY: none. */
int monitor_set_statistics_interval(struct monitor *monitor, uint64_t interval_ns);

/* Something happened that the status line has to say now, not at the next look. */
void monitor_refresh(struct monitor *monitor);

/* One line for people, as it was at the last look. */
const char *monitor_get_status(const struct monitor *monitor);

static inline void monitor_freep(struct monitor **monitor) {
        if (*monitor)
                (void) monitor_free(*monitor);
}
