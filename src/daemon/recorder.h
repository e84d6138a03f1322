/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The storage thread
 *
 * Reads the ring as any consumer does and keeps it as JSON Lines. What it must not lose across a kill lies in
 * memory of the daemon's own that outlives the process (struct recorder_state): which file, and up to where
 * its lines are which records. A successor counts the lines that were written after that was noted, and goes
 * on: nothing missing, doubled or torn, as long as the ring survived too.
 *
 * The thread sleeps until FlushSec= is over, until the ring has filled by a good part, or until the generator
 * waits for it, not for each batch. It never logs: conditions go to the main loop as events.
 *
 *     generator                    recorder                          main loop
 *     publish, recorder_kick() ->  ring -> blocks -> engine -> file
 *     recorder_wait()          <-  stored
 *                                  events                        ->  recorder_next_event()
 *                                  progress                      ->  recorder_get_progress(): watchdog
 */

#include "daemon/recorder_events.h"
#include "daemon/recorder_settings.h"
#include "daemon/recorder_state.h"
#include "lib/view.h"

struct recorder;

/*
 * Opens the directory and looks at the live file, so that mistakes show here: errors as directory_new() and
 * directory_verify(), see directory_explain(). A full or failing disk is no error here; it shows as an
 * event.
 * @view, @statistics, @catalog and @state must outlive the recorder; it is the only writer of the storage
 * lines of
 * @statistics (but storage_state is I4_STORAGE_OFF where there is no recorder) and of @state.
 */
int recorder_new(struct recorder **recorderp, const struct recorder_settings *settings, const char *path,
                const struct ring_view *view, struct ring_statistics *statistics,
                const struct i4_catalog *catalog, struct recorder_state *state);

/* A recorder that was started must have been stopped, and the stop must not have ended in -ETIMEDOUT. */
struct recorder *recorder_free(struct recorder *recorder);

/* Starts the thread (signals as the caller has them: block them first). Returns once it runs. */
int recorder_start(struct recorder *recorder);

/*
 * After the generator has ended: stores what the ring holds, makes it durable, ends the thread. 0; what held
 * it up until @deadline_ns (CLOCK_MONOTONIC), as -ENOSPC: the rest stays in the ring, where a successor takes
 * it up; -ETIMEDOUT: the thread hangs in a write and is left behind: exit without recorder_free().
 */
int recorder_stop(struct recorder *recorder, uint64_t deadline_ns);

/* From any thread. All but the engine are taken over; limits hold from the next second on. */
int recorder_set_settings(struct recorder *recorder, const struct recorder_settings *settings);

/* From any thread: seal the live file when all that was published by now is in it. */
void recorder_rotate(struct recorder *recorder);

/* From any thread: there is something for the settings' write(). */
void recorder_wake(struct recorder *recorder);

/* generator's side; one thread */

/* After each batch: @published is the sequence after it. Two atomic operations; a system call when due. */
void recorder_kick(struct recorder *recorder, uint64_t published);

/*
 * The first sequence that is not stored. With Overflow=block the generator may claim n slots once
 * published + n <= stored + size of the ring.
 */
uint64_t recorder_get_stored(const struct recorder *recorder);

/* Waits until stored >= @sequence: 0, or -ETIMEDOUT after @timeout_ns. */
int recorder_wait(struct recorder *recorder, uint64_t sequence, uint64_t timeout_ns);

/* main loop's side */

/* Readable while there are events. */
int recorder_get_fd(const struct recorder *recorder);

/* 1 and the oldest event, or 0. */
int recorder_next_event(struct recorder *recorder, struct recorder_event *eventp);

/*
 * Differs from the last call's answer as long as the thread does its work, has none, or has good reason to
 * wait (no room, the pause before another try). Equal answers an interval apart: it hangs in a write or sync.
 */
uint64_t recorder_get_progress(struct recorder *recorder);

/* Where the thread is: in a system call on the disk, or waiting for one to be done. */
bool recorder_is_at_disk(const struct recorder *recorder);

/* It has been there for too long: counted as an error, and the state until it is told to be back. */
void recorder_set_hanging(struct recorder *recorder, bool is_hanging);

static inline void recorder_freep(struct recorder **recorder) {
        if (*recorder)
                (void) recorder_free(*recorder);
}
