/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Records that were never stored
 *
 * Counted at once, and told once a second at most. All zero is a valid beginning.
 */

#include "daemon/recorder_events.h"

#include <stdbool.h>
#include <stdint.h>

struct losses {
        uint64_t n_dropped;
        uint64_t n_doomed; /* overwritten in the ring already, and dropped as soon as that can be done */
        uint64_t n_untold; /* of the dropped */
        uint64_t first_untold;
        uint64_t next_ns; /* CLOCK_MONOTONIC */
};

/* @n from @sequence on. */
void losses_add(struct losses *losses, uint64_t sequence, uint64_t n);

/* Is there something to tell? Then it is *@eventp, and told. @now_ns: NSEC_INFINITY for whatever is left. */
bool losses_take_event(struct losses *losses, uint64_t now_ns, struct recorder_event *eventp);
