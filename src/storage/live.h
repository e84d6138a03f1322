/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is in the live file
 *
 * Whole lines, but for the last, which a crash may have torn; and a hole, where somebody cut the file short
 * while a block was on its way behind that. @fd is the file, open for reading and writing.
 */

#include <stdint.h>
#include <sys/stat.h>

/* Which file it is. Size in bytes, without what is allocated behind its end. */
struct live_identity {
        uint64_t device;
        uint64_t inode;
        uint64_t size;
};

int live_get_identity(int fd, struct live_identity *identityp);

/* The time in the first line, or when the file was changed last, as @st has it: it is no more than a name. */
uint64_t live_read_time(int fd, const struct stat *st);

/*
 * Where the last whole line ends at or after @from, and how many lines lie between: what a killed process
 * wrote beyond what it could still note down. -EBADMSG: @from is no line's beginning. Reads from the end, and
 * no more than it must when @n_linesp is NULL.
 */
int live_find_end(int fd, uint64_t from, uint64_t *offsetp, uint64_t *n_linesp);

/* Writes the line feed that a torn last line lacks. 1: it did, 0: there was none to write. */
int live_end_line(int fd);

/* Has somebody cut it short, of which @offset bytes were written? 0 no, 1 yes. */
int live_is_cut(int fd, uint64_t offset);

/* What was begun behind @offset and never completed is written again elsewhere. @sizep: the file's, before
 * and after */
void live_cut(int fd, uint64_t offset, uint64_t *sizep);

/*
 * A hole in its @size bytes becomes a line of blanks. It is filled in its place: the lines behind it stay
 * where they are for who follows the file, and it takes no room that was not counted.
 */
int live_fill(int fd, uint64_t size);
