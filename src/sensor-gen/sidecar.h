/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The truth about a run, in a file beside its output
 */

#include <stdbool.h>
#include <stdio.h>

/* "a.jsonl" and "a" have "a.events.jsonl" beside them. */
int sidecar_open(FILE **filep, const char *output_path, bool is_append);

/* What could not be written is told here at the latest. NULL is closed already. */
int sidecar_close(FILE *file);

static inline void sidecar_closep(FILE **file) {
        (void) sidecar_close(*file);
}
