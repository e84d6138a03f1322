/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How sending goes, for whoever looks on: a line at a terminal, a service's status, and status.json for i4
 * stat
 */

#include <stdint.h>

struct report {
        const char *who;
        const char *topic;
        uint64_t n_acknowledged;
        uint64_t n_bytes;
        uint64_t n_waiting;  /* on their way */
        uint64_t n_lost;     /* overwritten in the ring */
        uint64_t n_held;     /* times that the cluster held the sender up */
        const char *trouble; /* "": none */
};

/* The service is ready. */
void report_begin(void);
void report_show(const struct report *report);
/* The line at the terminal goes. */
void report_hide(void);
