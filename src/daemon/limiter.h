/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How often something is told
 *
 * A few times in half a minute; what comes beyond is counted, and the count comes with what is told next. All
 * zero is a valid beginning. Who uses one from several threads locks it.
 */

#include <stdbool.h>
#include <stdint.h>

struct limiter {
        uint64_t window_end_ns;
        unsigned int n_told;
        uint64_t n_held_back;
};

/*
 * Is it told now, of which there may be @burst, or any number where that is CONDITION_UNLIMITED? Then
 * *@n_held_backp are those that were not, before it; else it is as it was. @now_ns: CLOCK_MONOTONIC
 */
bool limiter_admit(struct limiter *limiter, unsigned int burst, uint64_t now_ns, uint64_t *n_held_backp);
