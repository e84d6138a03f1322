/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Ending on SIGINT and SIGTERM
 *
 * Both interrupt whatever sleeps and make stop_is_requested() true from then on. A closed pipe is an error of
 * write(), not a signal.
 */

#include <stdbool.h>

void stop_init(void);
bool stop_is_requested(void);
