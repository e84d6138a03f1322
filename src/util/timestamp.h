/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Times as text, RFC 3339
 */

#include <stdint.h>

/* With any zone ("2026-11-23T10:49:43.7Z"), or "@seconds": CLOCK_REALTIME nanoseconds. -EINVAL, -ERANGE; the
 * result is written on success only. */
int parse_time(const char *text, uint64_t *nsp);

#define TIMESTAMP_MAX 32

/* In UTC, with 1 to 9 digits of a second, the rest cut off: "2026-11-23T10:49:43.436377Z". @buffer is
 * returned. */
const char *format_time(uint64_t ns, unsigned int n_digits, char buffer[static TIMESTAMP_MAX]);
