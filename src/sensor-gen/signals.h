/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The wish to stop
 *
 * SIGINT, SIGTERM and SIGHUP ask for an end: the first time for a proper one, with all written that was made,
 * the second time for one without waiting for anybody. They are blocked but for the moments in which the
 * program waits, so none is missed between looking and waiting.
 */

#include <stdint.h>

void signals_init(void);

/* How many times a stop was asked for. */
int signals_get_n_stops(void);

/* Sleeps until CLOCK_MONOTONIC says @time_ns, or until a stop is asked for beyond the first @n_stops. */
void signals_sleep(uint64_t time_ns, int n_stops);

/* Between these a system call that waits is interrupted by a stop (EINTR). */
void signals_allow(void);
void signals_defer(void);
