/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/retention.h"

#include "storage/sealed.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define FILE_SIZE_DEFAULT_MAX (UINT64_C(128) << 20)

int retention_measure(int fd, struct retention_space *spacep) {
        struct statvfs st;

        if (fstatvfs(fd, &st) < 0)
                return -errno;

        *spacep = (struct retention_space){
                .total = (uint64_t) st.f_blocks * st.f_frsize,
                .free = (uint64_t) st.f_bavail * st.f_frsize,
        };
        return 0;
}

/* A share of nothing known is no limit. */
static uint64_t limit_get(const struct retention_limit *limit, uint64_t total) {
        uint64_t share = UINT64_MAX;

        if (limit->share_e4 < 10000 && total > 0)
                share = total / 10000 * limit->share_e4 + total % 10000 * limit->share_e4 / 10000;

        return MIN(share, limit->bytes);
}

static uint64_t subtract(uint64_t a, uint64_t b) {
        return a > b ? a - b : 0;
}

/* MaxUse= is a promise, MaxFileSize= a wish: two files must fit, or there would be nothing to delete. */
static uint64_t settings_get_file_size(const struct retention_settings *settings, uint64_t max_use) {
        uint64_t size = settings->max_file_size;

        if (size == 0)
                size = MIN(max_use / 8, FILE_SIZE_DEFAULT_MAX);

        return MAX(MIN(size, max_use / 2), RETENTION_FILE_SIZE_MIN);
}

struct census {
        uint64_t sealed;    /* bytes allocated */
        uint64_t live;      /* bytes allocated */
        uint64_t live_size; /* bytes in it */
        unsigned int n_sealed;
};

static struct retention_usage usage_of(const struct retention_settings *settings,
                const struct retention_space *space, const struct census *census) {
        uint64_t max_use = limit_get(&settings->max_use, space->total), use, keep_free = 0, available;

        if (space->total > 0 || settings->keep_free.bytes != UINT64_MAX)
                keep_free = limit_get(&settings->keep_free, space->total);

        use = census->sealed + census->live;
        available = subtract(use + space->free, keep_free);

        return (struct retention_usage){
                .use = use,
                .limit = MIN(max_use, available),
                /* What the live file has in advance is room that it may still fill. */
                .room = subtract(MIN(max_use, available), census->sealed + census->live_size),
                .max_file_size = settings_get_file_size(settings, max_use),
                .is_whole_disk = keep_free == 0 && available <= max_use,
                .n_sealed = census->n_sealed,
        };
}

static int census_take(
                struct census *census, struct sealed_list *list, const struct retention_demand *demand) {
        struct stat st = {};
        int r;

        r = sealed_list_read(list, demand->sealed_fd);
        if (r < 0)
                return r;
        if (demand->live_fd >= 0 && fstat(demand->live_fd, &st) < 0)
                return -errno;

        *census = (struct census){
                .live = (uint64_t) st.st_blocks * STAT_BLOCK,
                .live_size = (uint64_t) st.st_size,
                .n_sealed = (unsigned int) list->n_files,
        };
        for (size_t i = 0; i < list->n_files; ++i)
                census->sealed += list->files[i].bytes;
        return 0;
}

struct purge {
        const struct retention_settings *settings;
        const struct retention_demand *demand;
        struct sealed_list list;
        struct census census;
        struct retention_space space;
        struct retention_usage usage;
        retention_deleted_t *deleted;
        void *userdata;
        bool is_settled; /* the names of all that stays are on disk */
};

static void purge_deinit(struct purge *purge) {
        sealed_list_deinit(&purge->list);
}

/* What is newer has its name on disk before what is older goes: the sync of a seal may have failed, or the
 * process ended before it. */
static int purge_settle(struct purge *purge) {
        if (!purge->is_settled && fsync(purge->demand->sealed_fd) < 0)
                return -errno;

        purge->is_settled = true;
        return 0;
}

static int purge_delete(struct purge *purge, struct sealed_file *file, bool is_old) {
        int r;

        r = purge_settle(purge);
        if (r < 0)
                return r;
        if (unlinkat(purge->demand->sealed_fd, file->name, 0) < 0 && errno != ENOENT)
                return -errno;

        file->is_gone = true;
        --purge->census.n_sealed;
        purge->census.sealed -= file->bytes;
        purge->space.free += file->bytes;
        purge->usage = usage_of(purge->settings, &purge->space, &purge->census);
        if (purge->deleted)
                purge->deleted(purge->userdata, file->name, file->bytes, is_old);
        return 0;
}

/* Who wants a sealed file to stay while he reads it has a shared lock on it. */
static bool sealed_is_held(const struct sealed_file *file, int sealed_fd) {
        _cleanup_(closep) int fd = openat(
                        sealed_fd, file->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/*
 * A time that is yet to come is of a clock that was wrong, and says nothing; but no file is newer than the
 * next one. Nothing more is made of the order: where the clock was set back behind a time that has come
 * meanwhile, or was wrong in the past, what is kept for too long is better than what is gone too early.
 */
static void purge_correct_times(struct purge *purge) {
        uint64_t next_ns = purge->demand->now_ns;

        for (size_t i = purge->list.n_files; i > 0; --i) {
                struct sealed_file *file = &purge->list.files[i - 1];

                if (file->time_ns > purge->demand->now_ns)
                        file->time_ns = next_ns;
                next_ns = file->time_ns;
        }
}

static bool purge_is_old(const struct purge *purge, const struct sealed_file *file) {
        return purge->settings->max_retention_ns != NSEC_INFINITY &&
               subtract(purge->demand->now_ns, file->time_ns) > purge->settings->max_retention_ns;
}

static bool purge_has_room(const struct purge *purge) {
        return purge->usage.room >= purge->demand->wanted;
}

/* What is old, and the oldest for want of room, but for what is held. */
static int purge_spare(struct purge *purge) {
        for (size_t i = 0; i < purge->list.n_files; ++i) {
                struct sealed_file *file = &purge->list.files[i];
                bool is_old = purge_is_old(purge, file);
                int r;

                if (!is_old && purge_has_room(purge))
                        break;
                if (sealed_is_held(file, purge->demand->sealed_fd))
                        continue;
                r = purge_delete(purge, file, is_old);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Any reader can hold a file, and none may fill the disk: where nothing else is left, it goes as well. Who
 * has it open reads it to its end. */
static int purge_held(struct purge *purge) {
        for (size_t i = 0; i < purge->list.n_files && !purge_has_room(purge); ++i) {
                struct sealed_file *file = &purge->list.files[i];
                int r = file->is_gone ? 0 : purge_delete(purge, file, false);

                if (r < 0)
                        return r;
        }

        return 0;
}

int retention_enforce(const struct retention_settings *settings, const struct retention_demand *demand,
                retention_deleted_t *deleted, void *userdata, struct retention_usage *usagep) {
        _cleanup_(purge_deinit) struct purge purge = {
                .settings = settings,
                .demand = demand,
                .space = demand->space,
                .deleted = deleted,
                .userdata = userdata,
        };
        int r;

        r = census_take(&purge.census, &purge.list, demand);
        if (r < 0)
                return r;

        purge.usage = usage_of(settings, &purge.space, &purge.census);
        purge_correct_times(&purge);
        r = purge_spare(&purge);
        if (r >= 0)
                r = purge_held(&purge);
        if (r < 0)
                return r;

        *usagep = purge.usage;
        return 0;
}
