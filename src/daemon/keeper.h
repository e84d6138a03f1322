/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the storage thread does when it is not asleep
 *
 * Joins writer and directory: opens the live file and finds where to go on in it, seals it when it is large
 * or old enough, holds the limits, replaces it when the disk fails it, notes the position, keeps the
 * statistics, and tells what an administrator wants to know. It knows neither the ring nor threads, and never
 * sleeps but in a system call.
 *
 * Records come in by their sequence. When a file had to be given up, keeper_get_next() goes back to what was
 * not stored, and the caller reads from there again.
 */

#include "daemon/recorder_events.h"
#include "daemon/recorder_settings.h"
#include "daemon/recovery.h"
#include "ring/layout.h"

struct keeper;

typedef void keeper_tell_t(void *userdata, const struct recorder_event *event);

int keeper_new(struct keeper **keeperp, const struct recorder_settings *settings, const char *path,
                struct ring_statistics *statistics, struct recorder_state *state, keeper_tell_t *tell,
                void *userdata);
struct keeper *keeper_free(struct keeper *keeper);

/*
 * On the thread that uses it from now on: makes the engine, and finds the first record not known to be
 * stored, of what there is in @range. The disk is not waited for: what the file holds is seen in the first
 * keeper_run(), and nothing is taken before.
 */
int keeper_start(struct keeper *keeper, const struct i4_catalog *catalog, struct recovery_range range);

/* The sequence that keeper_append() takes next. */
uint64_t keeper_get_next(const struct keeper *keeper);

/* As many of @n consecutive records as can be taken now. */
size_t keeper_append(struct keeper *keeper, const struct i4_record *records, size_t n);

/* Records before @sequence are lost: goes on with it, and ends a line that was torn. -EBUSY: not before all
 * else is written, nor before the first file is open. */
int keeper_skip(struct keeper *keeper, uint64_t sequence);

/* So many are lost already, as keeper_skip() will tell when it can: who looks on should not wait for that. */
void keeper_set_doomed(struct keeper *keeper, uint64_t n_records);

/* How often the disk has kept us waiting for too long, as others see it, which are errors, too; and whether
 * it does. */
void keeper_set_hangs(struct keeper *keeper, uint64_t n_hangs, bool is_hanging);

void keeper_flush(struct keeper *keeper);
void keeper_rotate(struct keeper *keeper);
void keeper_set_settings(struct keeper *keeper, const struct recorder_settings *settings);

/* Makes progress, as writer_run(). */
void keeper_run(struct keeper *keeper, uint64_t timeout_ns);

/* Waits for the disk. Gives allocated space back. 0, or what held it up at @deadline_ns. */
int keeper_stop(struct keeper *keeper, uint64_t deadline_ns);

bool keeper_is_busy(const struct keeper *keeper);
bool keeper_is_written(const struct keeper *keeper);
/* Everything before it is in a file. */
uint64_t keeper_get_stored(const struct keeper *keeper);
/* When keeper_run() has to be called next, CLOCK_MONOTONIC. */
uint64_t keeper_get_deadline(const struct keeper *keeper);
/* Changes whenever an operation has ended, as only the disk can end it. */
uint64_t keeper_get_n_operations(const struct keeper *keeper);
/* As that, and whenever there may be room for records again. */
uint64_t keeper_get_n_changes(const struct keeper *keeper);
/* Negative errno of what holds it up, or 0. */
int keeper_get_error(const struct keeper *keeper);

static inline void keeper_freep(struct keeper **keeper) {
        if (*keeper)
                (void) keeper_free(*keeper);
}
