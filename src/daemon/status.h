/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon in one line
 *
 * For `systemctl status`: what a person asks first, rounded so that the line changes only when the answer
 * does.
 */

#include "i4.h"

#include <stdint.h>

#define STATUS_MAX 256

/*
 * @before: as it was @elapsed_ns ago. @lag: records by which the slowest reader is behind, as it said itself.
 * @buffer is returned.
 */
const char *status_format(const struct i4_stats *now, const struct i4_stats *before, uint64_t elapsed_ns,
                uint64_t lag, char buffer[static STATUS_MAX]);
