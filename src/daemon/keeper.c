/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/keeper.h"

#include "daemon/losses.h"
#include "daemon/trouble.h"
#include "storage/directory.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/macros.h"
#include "util/mount.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_SIZE ((size_t) 1 << 20)
#define N_BLOCKS   4u

/* How many numbers a crash may skip: at 10,000 a second, half an hour of them. */
#define RESERVE_RECORDS (UINT64_C(1) << 24)
#define CHUNK_MAX       (UINT64_C(256) << 20)

/* At most this is admitted at once, and so is what "no room" means. */
#define APPEND_SIZE_MAX (UINT64_C(128) * I4_LINE_MAX)

#define CHECK_INTERVAL_NS (5 * NSEC_PER_SEC) /* others use the disk too */
#define RETRY_INTERVAL_NS NSEC_PER_SEC       /* while there is no room, or no file */

struct keeper {
        struct recorder_settings settings;
        struct directory *directory;
        struct writer *writer;
        struct ring_statistics *statistics;
        struct recorder_state *state;
        keeper_tell_t *tell;
        void *userdata;

        struct recovery recovery;
        struct live_identity identity; /* of the live file, if it is in use */
        struct retention_usage usage;
        struct writer_position noted;
        uint64_t reserved; /* numbers below may be stored */
        uint64_t torn_end; /* offset up to which the live file holds the torn line that is written again */
        uint64_t room_end; /* offset in the live file up to which there is room */
        uint64_t next_check_ns; /* CLOCK_MONOTONIC */
        uint64_t next_open_ns;  /* when to try again; only while there is no file in use */
        bool is_open;           /* the writer has the live file */
        bool is_started;        /* a live file was in use once */
        bool is_sealing;        /* as soon as all is written */
        bool is_replacing;      /* a suspect file could not be put away yet */
        bool is_limited;
        bool is_fallback_told;
        bool is_cut_off;    /* from a directory that a new start would bring back; told */
        bool was_read_only; /* the file system, for everybody, since there was a file in use */

        struct trouble trouble;
        struct losses losses;
        uint64_t n_changes; /* of what keeper_append() goes by */
        uint64_t n_errors;  /* besides the writer's */
        uint64_t n_hangs;
        bool is_hanging;
};

/* events */

static void keeper_tell(struct keeper *keeper, const struct recorder_event *event) {
        keeper->tell(keeper->userdata, event);
}

static void event_set_name(struct recorder_event *event, const char *name) {
        (void) snprintf(event->name, sizeof(event->name), "%s", name);
}

static void keeper_tell_started(struct keeper *keeper) {
        struct recorder_event event = { .kind = RECORDER_STARTED };
        int refused;

        event_set_name(&event, writer_get_engine(keeper->writer, &refused));
        event.error = -refused;
        event.value = writer_get_position(keeper->writer).offset;
        event.records = writer_get_position(keeper->writer).sequence;
        keeper->is_fallback_told = refused != 0;
        keeper_tell(keeper, &event);
}

static void keeper_tell_engine(struct keeper *keeper) {
        struct recorder_event event = { .kind = RECORDER_ENGINE_CHANGED };
        int refused;

        event_set_name(&event, writer_get_engine(keeper->writer, &refused));
        event.error = -refused;
        if (refused == 0 || keeper->is_fallback_told)
                return;

        keeper->is_fallback_told = true;
        keeper_tell(keeper, &event);
}

static void keeper_tell_losses(struct keeper *keeper, uint64_t now) {
        struct recorder_event event;

        if (losses_take_event(&keeper->losses, now, &event))
                keeper_tell(keeper, &event);
}

static void keeper_tell_deleted(void *userdata, const char *name, uint64_t bytes, bool is_old) {
        struct recorder_event event = {
                .kind = RECORDER_DELETED, .value = bytes, .error = is_old ? -ETIME : 0
        };

        event_set_name(&event, name);
        keeper_tell(userdata, &event);
}

/* trouble */

static void keeper_begin_trouble(struct keeper *keeper, enum trouble_kind kind, int error, const char *name) {
        struct recorder_event event = { .error = error };

        /* A file that had to be put away is told of each time. */
        if (trouble_is(&keeper->trouble, kind, error) && !*name)
                return;

        trouble_begin(&keeper->trouble, kind, error, writer_get_counters(keeper->writer).n_bytes,
                        clock_now_ns(CLOCK_MONOTONIC));
        event.kind = trouble_get_event(&keeper->trouble);
        if (kind == TROUBLE_LIMITED)
                event.value = keeper->usage.limit;
        event_set_name(&event, name);
        keeper_tell(keeper, &event);
}

static void keeper_end_trouble(struct keeper *keeper) {
        struct recorder_event event = { .kind = RECORDER_RECOVERED };

        if (keeper->trouble.kind == TROUBLE_NONE)
                return;

        event.value = trouble_end(&keeper->trouble, clock_now_ns(CLOCK_MONOTONIC));
        keeper->next_check_ns = 0;
        keeper_tell(keeper, &event);
}

static void keeper_fail(struct keeper *keeper, int error, const char *name) {
        ++keeper->n_errors;
        keeper_begin_trouble(keeper, trouble_from_error(error), error, name);
}

/* the position that outlives the process */

static void keeper_note(struct keeper *keeper) {
        struct writer_position position = writer_get_position(keeper->writer);

        if (!keeper->is_open || (position.offset == keeper->noted.offset &&
                                                position.sequence == keeper->noted.sequence))
                return;

        recorder_state_store(keeper->state, &(struct recorder_position){
                                                            .sequence = position.sequence,
                                                            .offset = position.offset,
                                                            .device = keeper->identity.device,
                                                            .inode = keeper->identity.inode,
                                            });
        keeper->noted = position;
}

/* statistics */

static void keeper_count(struct keeper *keeper) {
        struct writer_counters counters = writer_get_counters(keeper->writer);
        struct ring_statistics *statistics = keeper->statistics;
        int refused;

#define COUNT(field, value) atomic_store_explicit(&statistics->storage_##field, (value), memory_order_relaxed)
        COUNT(state, keeper->is_hanging ? I4_STORAGE_HANGS : trouble_get_state(&keeper->trouble));
        COUNT(errno, (uint32_t) -keeper->trouble.error);
        COUNT(is_uring, strcmp(writer_get_engine(keeper->writer, &refused), "io_uring") == 0);
        COUNT(next, writer_get_position(keeper->writer).sequence);
        COUNT(records, counters.n_records);
        COUNT(bytes, counters.n_bytes);
        COUNT(dropped, keeper->losses.n_dropped + keeper->losses.n_doomed);
        COUNT(errors, keeper->n_errors + keeper->n_hangs + counters.n_errors);
        COUNT(segments, keeper->usage.n_sealed);
        COUNT(use_bytes, keeper->usage.use);
        COUNT(limit_bytes, keeper->usage.limit);
#undef COUNT
}

/* opening */

static int keeper_end_line(struct keeper *keeper, struct writer_position *position) {
        struct live_identity identity;
        int r;

        r = live_end_line(directory_get_fd(keeper->directory));
        if (r < 0)
                return r;
        if (r > 0)
                keeper_tell(keeper, &(struct recorder_event){ .kind = RECORDER_LINE_ENDED });

        r = live_get_identity(directory_get_fd(keeper->directory), &identity);
        if (r < 0)
                return r;

        position->offset = identity.size;
        return 0;
}

/* The first record that is not known to be stored. */
static uint64_t keeper_find_sequence(const struct keeper *keeper) {
        return recovery_find_sequence(&keeper->recovery,
                        atomic_load_explicit(&keeper->statistics->storage_next, memory_order_relaxed));
}

/* Where to begin, once in the life of a process. */
static int keeper_find_position(struct keeper *keeper, struct writer_position *position) {
        int r;

        position->sequence = keeper_find_sequence(keeper);
        r = recovery_find_position(
                        &keeper->recovery, directory_get_fd(keeper->directory), &keeper->identity, position);
        return r == 0 ? keeper_end_line(keeper, position) : r;
}

static int keeper_use_live(struct keeper *keeper) {
        struct writer_position position = writer_get_position(keeper->writer);
        int r;

        r = live_get_identity(directory_get_fd(keeper->directory), &keeper->identity);
        if (r < 0)
                return r;

        r = keeper->is_started ? keeper_end_line(keeper, &position) : keeper_find_position(keeper, &position);
        if (r < 0)
                return r;
        r = writer_set_file(keeper->writer, directory_get_fd(keeper->directory), false, position);
        if (r < 0)
                return r;

        /* The number that its first record had is not known any more, but it is lower than those of all files
         * that follow. */
        if (position.offset > 0 && !directory_has_begun(keeper->directory))
                directory_begin(keeper->directory, MAX(position.sequence, 1) - 1,
                                clock_now_ns(CLOCK_REALTIME));

        keeper->torn_end = keeper->identity.size;
        keeper->is_open = keeper->is_started = true;
        ++keeper->n_changes;
        keeper->noted.offset = UINT64_MAX;
        keeper_note(keeper);
        return 0;
}

/*
 * It was read-only for all, and now it is so only in what we see. A mount that is read-only on purpose is no
 * reason to begin again: it would be so the next time.
 */
static bool keeper_is_shut_out(struct keeper *keeper) {
        struct mount mount;

        if (mount_find(&mount, directory_get_path(keeper->directory)) < 0)
                return false;

        keeper->was_read_only |= mount.is_file_system_read_only;
        return keeper->was_read_only && mount.is_read_only && !mount.is_file_system_read_only;
}

/* What no waiting brings back. */
static void keeper_tell_cut_off(struct keeper *keeper, int error) {
        struct recorder_event event = { .error = error };

        if (keeper->is_cut_off)
                return;

        /* One that could be made again would be there. */
        if (directory_is_gone(keeper->directory))
                event.kind = RECORDER_GONE;
        else if (error == -EROFS && keeper_is_shut_out(keeper))
                event.kind = RECORDER_SHUT_OUT;
        else
                return;

        keeper->is_cut_off = true;
        keeper_tell(keeper, &event);
}

static void keeper_check(struct keeper *keeper);

/* Tries to have a live file in use. */
static void keeper_open(struct keeper *keeper) {
        bool is_first = !keeper->is_started;
        int r = 0;

        if (directory_get_fd(keeper->directory) < 0)
                r = directory_open_live(keeper->directory);
        if (r >= 0)
                r = keeper_use_live(keeper);
        if (r < 0) {
                keeper->next_open_ns = clock_now_ns(CLOCK_MONOTONIC) + RETRY_INTERVAL_NS;
                keeper_fail(keeper, r, "");
                keeper_tell_cut_off(keeper, r);
                return;
        }

        keeper->is_cut_off = keeper->was_read_only = false;
        if (is_first)
                keeper_tell_started(keeper);
        keeper_check(keeper);
}

/* Takes the live file from the writer; what was not written is to be appended again. */
static int keeper_leave(struct keeper *keeper) {
        int r;

        r = writer_set_file(keeper->writer, -1, false, writer_get_position(keeper->writer));
        if (r < 0)
                return r;

        keeper->is_open = false;
        keeper->next_open_ns = 0;
        return 0;
}

/* limits */

/* How much room it takes to begin writing again, so that it does not stop after the next line. */
static uint64_t keeper_get_wanted(const struct keeper *keeper) {
        return MIN(BLOCK_SIZE, MAX(keeper->usage.max_file_size, RETENTION_FILE_SIZE_MIN) / 4);
}

static uint64_t keeper_get_unwritten(const struct keeper *keeper) {
        return writer_get_end(keeper->writer).offset - writer_get_position(keeper->writer).offset;
}

static void keeper_set_room(struct keeper *keeper) {
        if (!keeper->is_open)
                return;

        keeper->room_end = writer_get_position(keeper->writer).offset + keeper->usage.room;
        writer_set_allocation(keeper->writer, MIN(CHUNK_MAX, keeper->usage.max_file_size / 4),
                        MIN(keeper->room_end, keeper->usage.max_file_size));
}

static void keeper_judge_room(struct keeper *keeper) {
        /* A little room is enough to go on with, not to begin with again. */
        uint64_t least = keeper->is_limited ? keeper_get_wanted(keeper) : APPEND_SIZE_MAX;

        keeper->is_limited = keeper->usage.room < least + keeper_get_unwritten(keeper);
        ++keeper->n_changes;

        /* Who set no limit is not told of one: whether we or the kernel saw the end first is chance. */
        if (keeper->is_limited && keeper->trouble.kind <= TROUBLE_LIMITED)
                keeper_begin_trouble(keeper, TROUBLE_LIMITED, keeper->usage.is_whole_disk ? -ENOSPC : 0, "");
        else if (!keeper->is_limited && keeper->trouble.kind == TROUBLE_LIMITED)
                keeper_end_trouble(keeper);
}

static int keeper_enforce(struct keeper *keeper) {
        struct retention_demand demand = {
                .sealed_fd = directory_get_sealed_fd(keeper->directory),
                .live_fd = directory_get_fd(keeper->directory),
                .wanted = keeper_get_wanted(keeper) + keeper_get_unwritten(keeper),
                .now_ns = clock_now_ns(CLOCK_REALTIME),
        };
        int r;

        r = retention_measure(demand.sealed_fd, &demand.space);
        if (r < 0)
                return r;

        return retention_enforce(
                        &keeper->settings.retention, &demand, keeper_tell_deleted, keeper, &keeper->usage);
}

/* A file that lies as far ahead, of a clock that was set back, is as far from now: it is not kept open until
 * then. */
static bool keeper_is_old(const struct keeper *keeper) {
        uint64_t first_ns = directory_get_first_time(keeper->directory), now = clock_now_ns(CLOCK_REALTIME);

        return first_ns != NSEC_INFINITY &&
               MAX(now, first_ns) - MIN(now, first_ns) >= keeper->settings.retention.max_file_ns;
}

/* No time to seal: the file ends in a line that is torn still. */
static bool keeper_is_torn(const struct keeper *keeper) {
        return writer_get_position(keeper->writer).offset < keeper->torn_end;
}

/* Somebody made the file shorter. What it lacks is lost; what is left ends at a line, and goes on there. */
static void keeper_go_on_shortened(struct keeper *keeper) {
        struct live_identity identity = {};
        uint64_t offset = writer_get_position(keeper->writer).offset;

        ++keeper->n_errors;
        (void) live_get_identity(directory_get_fd(keeper->directory), &identity);
        keeper_tell(keeper, &(struct recorder_event){
                                            .kind = RECORDER_CUT,
                                            .value = offset - MIN(offset, identity.size),
                            });

        /* With a hole in it, it is only good for being put away; there it is filled. */
        if (identity.size >= offset)
                keeper->is_sealing = true;
        else if (keeper_leave(keeper) >= 0)
                keeper_open(keeper);
}

/* Before anything is written behind the new end, if that can be: it would leave a hole. */
static bool keeper_is_shortened(const struct keeper *keeper) {
        struct live_identity identity;

        return keeper->is_open && !keeper_is_busy(keeper) && !keeper_is_torn(keeper) &&
               live_get_identity(directory_get_fd(keeper->directory), &identity) >= 0 &&
               identity.size < writer_get_position(keeper->writer).offset;
}

static void keeper_look_at_file(struct keeper *keeper) {
        uint64_t offset = writer_get_position(keeper->writer).offset;

        if (keeper_is_torn(keeper))
                return;

        if (keeper_is_old(keeper) || directory_is_current(keeper->directory) == 0)
                keeper->is_sealing = true;
        else if (!keeper->is_sealing && live_is_cut(directory_get_fd(keeper->directory), offset) > 0)
                keeper_go_on_shortened(keeper);
}

static void keeper_check(struct keeper *keeper) {
        int r;

        r = directory_restore(keeper->directory);
        if (r >= 0)
                r = keeper_enforce(keeper);
        if (r < 0)
                keeper_fail(keeper, r, "");
        else {
                keeper_set_room(keeper);
                keeper_judge_room(keeper);
        }

        keeper->next_check_ns =
                        clock_now_ns(CLOCK_MONOTONIC) +
                        (keeper->trouble.kind == TROUBLE_NONE ? CHECK_INTERVAL_NS : RETRY_INTERVAL_NS);
}

/* sealing */

static void keeper_tell_sealed(struct keeper *keeper, const char *name, uint64_t bytes) {
        struct recorder_event event = { .kind = RECORDER_SEALED, .value = bytes };

        event_set_name(&event, name);
        keeper_tell(keeper, &event);
}

/* Puts the file away with what was completed. While it is still empty there is nothing to: it is tried again.
 */
static int keeper_put_away(struct keeper *keeper, char name[static SEALED_NAME_MAX]) {
        int r;

        r = directory_seal(keeper->directory, true, writer_get_position(keeper->writer).offset, name);
        keeper->is_replacing = r < 0 && r != -ESTALE && r != -ENODATA;
        if (r == -ESTALE)
                directory_close_live(keeper->directory);
        if (r < 0)
                keeper->next_open_ns = clock_now_ns(CLOCK_MONOTONIC) + RETRY_INTERVAL_NS;

        return r;
}

/* The disk failed this file. The next one begins with the first record that was not completed in it. */
static void keeper_replace(struct keeper *keeper, int error) {
        char name[SEALED_NAME_MAX] = "";

        keeper->is_sealing = false;
        if (keeper_leave(keeper) >= 0)
                (void) keeper_put_away(keeper, name);

        keeper_fail(keeper, error, name);
}

static void keeper_seal(struct keeper *keeper) {
        uint64_t offset = writer_get_position(keeper->writer).offset;
        char name[SEALED_NAME_MAX] = "";
        int r;

        keeper->is_sealing = false;

        r = writer_drain(keeper->writer, true, NSEC_INFINITY);
        if (r < 0) {
                keeper_replace(keeper, r);
                return;
        }
        r = keeper_leave(keeper);
        if (r < 0) {
                keeper_fail(keeper, r, "");
                return;
        }

        r = directory_seal(keeper->directory, false, offset, name);
        if (r == -ESTALE) {
                directory_close_live(keeper->directory);
                ++keeper->n_errors;
        } else if (*name)
                keeper_tell_sealed(keeper, name, offset);
        if (r < 0 && r != -ESTALE && r != -ENODATA) {
                keeper->next_open_ns = clock_now_ns(CLOCK_MONOTONIC) + RETRY_INTERVAL_NS;
                keeper_fail(keeper, r, "");
                return;
        }

        keeper_open(keeper);
        if (r == -ESTALE && keeper->is_open)
                keeper_tell(keeper, &(struct recorder_event){ .kind = RECORDER_REPLACED });
}

/* No file is in use: gets one, as far as that can be done. */
static void keeper_recover(struct keeper *keeper) {
        char name[SEALED_NAME_MAX] = "";
        int r = 0;

        if (keeper->is_replacing) {
                r = keeper_put_away(keeper, name);
                if (*name)
                        keeper_tell_sealed(keeper, name, writer_get_position(keeper->writer).offset);
        }
        if (r >= 0 || !keeper->is_replacing)
                keeper_open(keeper);
}

/* running */

static void keeper_judge_writer(struct keeper *keeper, int error) {
        uint64_t n_bytes = writer_get_counters(keeper->writer).n_bytes;

        if (writer_is_suspect(keeper->writer))
                keeper_replace(keeper, error);
        else if (error < 0) {
                /* There may be something to delete. */
                if (error_is_full(error) && keeper->trouble.kind != TROUBLE_FULL)
                        keeper->next_check_ns = 0;
                keeper_begin_trouble(keeper, trouble_from_error(error), error, "");
        } else if (keeper->trouble.kind > TROUBLE_LIMITED && keeper->is_open &&
                        n_bytes > keeper->trouble.n_bytes)
                keeper_end_trouble(keeper);
}

void keeper_run(struct keeper *keeper, uint64_t timeout_ns) {
        uint64_t now = clock_now_ns(CLOCK_MONOTONIC);
        int r;

        if (!keeper->is_open && now >= keeper->next_open_ns)
                keeper_recover(keeper);
        if (keeper_is_shortened(keeper))
                keeper_go_on_shortened(keeper);

        if (keeper->is_open) {
                r = writer_run(keeper->writer, timeout_ns);
                keeper_note(keeper);
                keeper_judge_writer(keeper, r);
                keeper_tell_engine(keeper);
        }

        if (keeper->is_open && keeper->is_sealing && keeper_is_written(keeper))
                keeper_seal(keeper);
        if (keeper->is_open && now >= keeper->next_check_ns)
                keeper_look_at_file(keeper);
        if (now >= keeper->next_check_ns)
                keeper_check(keeper);

        keeper_tell_losses(keeper, now);
        keeper_count(keeper);
}

uint64_t keeper_get_next(const struct keeper *keeper) {
        return writer_get_end(keeper->writer).sequence;
}

/* Whether @size bytes more may go into this file. If not, it is seen to in the next keeper_run(). */
static bool keeper_admit(struct keeper *keeper, uint64_t size) {
        uint64_t end = writer_get_end(keeper->writer).offset + size;

        if (!keeper->is_open || keeper->is_sealing)
                return false;

        if (end > keeper->usage.max_file_size && !keeper_is_torn(keeper)) {
                keeper->is_sealing = true;
                writer_flush(keeper->writer);
                return false;
        }
        if (end > keeper->room_end || keeper->is_limited) {
                if (!keeper->is_limited)
                        keeper->next_check_ns = 0;
                return false;
        }

        return true;
}

/* Before a record of that number may be stored: see ledger.h. */
static bool keeper_reserve(struct keeper *keeper, uint64_t sequence) {
        int r;

        if (likely(sequence < keeper->reserved))
                return true;

        r = directory_reserve(keeper->directory, sequence + RESERVE_RECORDS);
        if (r < 0) {
                keeper_fail(keeper, r, "");
                return false;
        }

        keeper->reserved = sequence + RESERVE_RECORDS;
        return true;
}

size_t keeper_append(struct keeper *keeper, const struct i4_record *records, size_t n) {
        if (n == 0 || !keeper_admit(keeper, n * I4_LINE_MAX) ||
                        !keeper_reserve(keeper, records->sequence + n))
                return 0;

        n = writer_append(keeper->writer, records, n);
        if (n > 0 && !directory_has_begun(keeper->directory))
                directory_begin(keeper->directory, records->sequence, records->time_ns);

        return n;
}

int keeper_skip(struct keeper *keeper, uint64_t sequence) {
        uint64_t next = keeper_get_next(keeper);
        int r;

        /* What the file holds already is not known yet, so neither is what was lost. */
        if (!keeper->is_started)
                return -EBUSY;

        r = writer_skip(keeper->writer, sequence);
        if (r < 0)
                return r;

        /* The record that a torn line is of is gone as well: another one would be read as the rest of it. */
        if (sequence > next && keeper->is_open && keeper_is_torn(keeper) && keeper_leave(keeper) >= 0)
                keeper_open(keeper);
        keeper_note(keeper);
        if (sequence > next)
                losses_add(&keeper->losses, next, sequence - next);
        return 0;
}

void keeper_set_doomed(struct keeper *keeper, uint64_t n_records) {
        keeper->losses.n_doomed = n_records;
}

void keeper_set_hangs(struct keeper *keeper, uint64_t n_hangs, bool is_hanging) {
        keeper->n_hangs = n_hangs;
        keeper->is_hanging = is_hanging;
}

void keeper_flush(struct keeper *keeper) {
        writer_flush(keeper->writer);
}

void keeper_rotate(struct keeper *keeper) {
        /* One that is not seen yet is sealed as soon as it is. */
        keeper->is_sealing = keeper->is_open || !keeper->is_started;
        writer_flush(keeper->writer);
}

void keeper_set_settings(struct keeper *keeper, const struct recorder_settings *settings) {
        keeper->settings = *settings;
        keeper->next_check_ns = 0;
        writer_set_intervals(keeper->writer, settings->flush_ns, settings->sync_ns);
}

int keeper_stop(struct keeper *keeper, uint64_t deadline_ns) {
        int r = keeper->trouble.error < 0 ? keeper->trouble.error : -ETIMEDOUT;

        if (keeper->is_open) {
                r = writer_drain(keeper->writer, true, deadline_ns);
                keeper_note(keeper);
                if (writer_is_suspect(keeper->writer))
                        keeper_replace(keeper, r);
                else
                        (void) keeper_leave(keeper);
        }

        /* All is stored, and no number needs to be skipped. If it cannot be written, some are. */
        if (r >= 0 && keeper->reserved > 0)
                (void) directory_reserve(keeper->directory, keeper_get_stored(keeper));

        keeper_tell_losses(keeper, NSEC_INFINITY);
        keeper_count(keeper);
        return r;
}

bool keeper_is_busy(const struct keeper *keeper) {
        return writer_is_busy(keeper->writer);
}

bool keeper_is_written(const struct keeper *keeper) {
        return !writer_is_busy(keeper->writer) &&
               writer_get_position(keeper->writer).sequence == writer_get_end(keeper->writer).sequence;
}

uint64_t keeper_get_stored(const struct keeper *keeper) {
        return writer_get_position(keeper->writer).sequence;
}

uint64_t keeper_get_deadline(const struct keeper *keeper) {
        uint64_t deadline_ns = keeper->is_open ? writer_get_deadline(keeper->writer) : keeper->next_open_ns;

        /* Somebody waits for the file to be sealed. */
        if (keeper->is_open && keeper->is_sealing && (keeper_is_busy(keeper) || keeper_is_written(keeper)))
                return 0;
        if (keeper->trouble.kind != TROUBLE_NONE || keeper->is_limited || keeper->next_check_ns == 0)
                deadline_ns = MIN(deadline_ns, keeper->next_check_ns);

        return deadline_ns;
}

uint64_t keeper_get_n_operations(const struct keeper *keeper) {
        struct writer_counters counters = writer_get_counters(keeper->writer);

        return counters.n_writes + counters.n_syncs + counters.n_errors + keeper->n_errors;
}

uint64_t keeper_get_n_changes(const struct keeper *keeper) {
        return keeper_get_n_operations(keeper) + keeper->n_changes;
}

int keeper_get_error(const struct keeper *keeper) {
        return keeper->trouble.error;
}

/* life */

/* Passes, or has to be seen to by somebody else; what is left are mistakes that a start should stop at. */
static bool error_is_temporary(int error) {
        return error_is_full(error) || error == -EIO || error == -EROFS || error == -ENOMEM;
}

int keeper_new(struct keeper **keeperp, const struct recorder_settings *settings, const char *path,
                struct ring_statistics *statistics, struct recorder_state *state, keeper_tell_t *tell,
                void *userdata) {
        _cleanup_(keeper_freep) struct keeper *keeper = NULL;
        int r;

        keeper = calloc(1, sizeof(*keeper));
        if (!keeper)
                return -ENOMEM;

        keeper->settings = *settings;
        keeper->statistics = statistics;
        keeper->state = state;
        keeper->tell = tell;
        keeper->userdata = userdata;

        r = directory_new(&keeper->directory, path);
        if (r < 0)
                return r;
        /* The file is opened on the thread, which may wait for the disk. */
        r = directory_verify(keeper->directory);
        if (r < 0 && !error_is_temporary(r))
                return r;

        *keeperp = TAKE_PTR(keeper);
        return 0;
}

struct keeper *keeper_free(struct keeper *keeper) {
        if (!keeper)
                return NULL;

        writer_free(keeper->writer);
        directory_free(keeper->directory);
        free(keeper);
        return NULL;
}

int keeper_start(struct keeper *keeper, const struct i4_catalog *catalog, struct recovery_range range) {
        struct writer_settings settings = {
                .engine = keeper->settings.engine,
                .direct_io = keeper->settings.direct_io,
                .extras = keeper->settings.extras,
                .block_size = BLOCK_SIZE,
                .n_blocks = N_BLOCKS,
                .flush_ns = keeper->settings.flush_ns,
                .sync_ns = keeper->settings.sync_ns,
                .factory = keeper->settings.factory,
        };
        int r;

        r = writer_new(&keeper->writer, &settings, catalog);
        if (r < 0)
                return r;

        keeper->recovery = (struct recovery){ .state = keeper->state, .range = range };
        /* Until there is a file to look into, which the first keeper_run() does: nobody waits for that. */
        r = writer_skip(keeper->writer, keeper_find_sequence(keeper));
        if (r < 0)
                return r;
        keeper_count(keeper);
        return 0;
}
