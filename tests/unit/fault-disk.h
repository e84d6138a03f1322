/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A disk that fails, stops or loses power as it is told
 *
 * Stands between a test and the kernel: the system calls that storage makes are defined here, and a program
 * that links this calls these instead of the C library's. What concerns the one directory that is watched is
 * counted, a step each, and may fail. What changes it is remembered besides, so that the directory can be
 * built again as a power cut behind any of the changes might have left it.
 *
 * What a disk may forget: all that was written to a file since it was synced, or any part of it; and of the
 * changes of names the last ones, back to the last that concerned a directory which was synced since. A
 * change of a name is atomic and they are kept in their order, as a journal does.
 *
 * Nothing is really synced, and time stands still unless it is moved, so none of this takes long. One thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of bytes that were written and not synced. */
enum disk_loss {
        DISK_LOSS_NONE,
        DISK_LOSS_ALL,
        DISK_LOSS_ZEROES, /* the size is there, the bytes are not */
        DISK_LOSS_TORN,   /* the last write is there by half */
        DISK_LOSS_HOLE,   /* the first of them by half */
        DISK_N_LOSSES,
};

/* Watches @path, an existing directory, and its sub-directory "sealed" once there is one; forgets all that
 * was. */
void disk_watch(const char *path);
/* What was remembered stays, for disk_rebuild(). */
void disk_unwatch(void);

/* Step @step and those that follow for @for_ns (0: only this one) fail with @error, positive. */
void disk_set_fault(unsigned int step, int error, uint64_t for_ns);
/* The process ends before step @step, as by SIGKILL. */
void disk_set_end(unsigned int step);
/* renameat2() is not known to the file system. */
void disk_set_plain(bool is_plain);
unsigned int disk_get_n_steps(void);
/* Whether the fault has struck, and what: "fdatasync". */
const char *disk_get_struck(void);

/* Time, for CLOCK_REALTIME and CLOCK_MONOTONIC. */
void disk_pass_time(uint64_t ns);

/* Changes so far; a power cut can come behind any number of them. */
size_t disk_get_n_changes(void);

/* How many different outcomes a cut behind @n_changes has as to names. */
size_t disk_get_n_outcomes(size_t n_changes);

/* Makes what it left below @path, which must be empty. */
void disk_rebuild(const char *path, size_t n_changes, size_t outcome, enum disk_loss loss);

/* A power cut at this moment takes nothing from what is sealed, neither names nor bytes, but for what is
 * suspect. */
bool disk_is_settled(void);

/* The bytes of each file that had been synced, whatever it was called; not of those that were deleted. */
typedef void disk_synced_t(void *userdata, const char *bytes, size_t size);
void disk_get_synced(size_t n_changes, disk_synced_t *synced, void *userdata);
