/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How much space is taken ahead of what is written
 *
 * In large pieces while there is plenty, in ever smaller ones when there is not: twice the last one after
 * each success, half of it after each refusal, down to what the first block needs and then to a page. This
 * decides, and remembers what came of it; the calls are the writer's.
 */

#include <stdbool.h>
#include <stdint.h>

struct allocation {
        uint64_t chunk, chunk_max; /* bytes to take next, and at most */
        uint64_t limit;            /* not beyond this offset, if avoidable */
        uint64_t end;              /* there is space up to this offset; UINT64_MAX: cannot be told */
        uint64_t grown_ns;         /* when the last was taken */
        bool is_tight;             /* there was no room for all of the need */
        bool has_surplus;          /* there may be space behind the end of the file */
};

void allocation_init(struct allocation *allocation);

/* Another file, in which there is space up to @end. */
void allocation_begin(struct allocation *allocation, uint64_t end);

/* Pieces of at most @chunk bytes, not beyond @limit if avoidable. */
void allocation_set_limits(struct allocation *allocation, uint64_t chunk, uint64_t limit);

/* Up to the end of the page: file systems allocate in pages or multiples of them. */
uint64_t allocation_round(uint64_t offset);

/* Up to which offset space should be taken now. @need: as far as it must reach, rounded. */
uint64_t allocation_plan(const struct allocation *allocation, uint64_t need);

/*
 * @size bytes from the end on were asked for. 0: they are there, or this file system does not do that; 1: a
 * smaller piece should be asked for; else @result, when even the smallest was refused or something is wrong.
 */
int allocation_complete(
                struct allocation *allocation, uint64_t size, uint64_t need, int result, uint64_t now_ns);
