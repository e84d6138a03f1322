/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How i4 batch is doing, for whoever looks on
 *
 * A line at a terminal that is written over, the status line of a service, and status.json in the service's
 * runtime directory, which i4 stat shows.
 */

#include "batch/uplink.h"

#include <stdbool.h>
#include <stdint.h>

struct totals {
        uint64_t n_batches;
        uint64_t n_records;
        uint64_t n_anomalies;
        uint64_t n_bytes;
        uint64_t n_lost;
        uint64_t n_rejected;
};

struct progress {
        const char *who;
        const char *directory; /* that batches are delivered into */
        const char *target;    /* and where they are uploaded; NULL: nowhere */
        bool is_terminal;
        bool is_shown; /* a line stands at the terminal */
        bool is_service;
};

void progress_init(struct progress *progress, const char *who, const char *directory, const char *target);

/* @report: how uploading does, if there is such; @trouble: why nothing is read at this time, NULL: it is. */
void progress_show(struct progress *progress, const struct totals *totals, const struct uplink_report *report,
                const char *trouble);
/* The line at the terminal goes. */
void progress_hide(struct progress *progress);
