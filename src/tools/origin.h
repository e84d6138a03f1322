/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Going on in a ring where another process stopped reading
 */

#include "i4.h"

#include <stdbool.h>

#define ORIGIN_SIZE 64u

/* "ring/" and the number that no other ring has */
void origin_get(const i4_reader *reader, char origin[static ORIGIN_SIZE]);

/*
 * Whether @sequence, at which reading the ring @origin stopped, is a place in the reader's ring: it is the
 * same one, or one that goes on counting where that one ended.
 */
bool origin_is_continued(const i4_reader *reader, const char *origin, uint64_t sequence);

/* To the journal or to stderr: the records from @first to before @next were overwritten before they were
 * read. */
void origin_tell_gap(const char *who, uint64_t first, uint64_t next);
