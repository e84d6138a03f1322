/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The three descriptors that every program is started with, and some are not
 */

#include <stdbool.h>

/*
 * At the start, before anything is opened: one that was closed becomes one that refuses. The next file would
 * take its place, and what is printed would be written into it.
 */
void standard_open(void);

/* At the end: whether all that was printed is out, or nobody wanted it; else why not is told. */
bool standard_flush(const char *who);
