/* SPDX-License-Identifier: Apache-2.0 */

/* The functions below are the C library's own names, with checks of its headers in the way. */
#undef _FORTIFY_SOURCE

#include "fault-disk.h"

#include "disk-history.h"
#include "disk-image.h"

#include "util/clock.h"
#include "util/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

static struct {
        char path[PATH_MAX];
        bool is_watching;
        bool is_plain;

        uint64_t places[PLACE_NONE]; /* inodes of the directories, as far as they are known */
        uint64_t inodes[FILES_MAX];  /* a number may come again: the last file that has it counts */
        unsigned int n_files;
        struct disk_history history;

        unsigned int n_steps, fault_step, end_step;
        int fault_error;
        uint64_t fault_ns, fault_until_ns;
        const char *struck;

        uint64_t now_ns;
} disk;

/* the kernel */

static int kernel_stat(int fd, const char *path, struct stat *st, int flags) {
        return (int) syscall(SYS_newfstatat, fd, path, st, flags);
}

static int kernel_open(int fd, const char *path, int flags, mode_t mode) {
        return (int) syscall(SYS_openat, fd, path, flags | O_LARGEFILE, mode);
}

/* The C library's, whose own name is taken below. */
extern struct dirent *directory_read(DIR *dir) __asm__("readdir");

/* what is watched */

static bool place_is_at(enum place place, const struct stat *st) {
        char path[PATH_SIZE];
        struct stat there;

        if (kernel_stat(AT_FDCWD, path_format(path, disk.path, place, "."), &there, 0) < 0)
                return false;

        disk.places[place] = there.st_ino;
        return there.st_ino == st->st_ino;
}

static enum place place_of_stat(const struct stat *st) {
        if (!S_ISDIR(st->st_mode))
                return PLACE_NONE;

        /* The kernel is asked last: each of its answers takes as long as the call that is watched. */
        for (enum place place = PLACE_TOP; place < PLACE_NONE; ++place)
                if (disk.places[place] == st->st_ino)
                        return place;
        for (enum place place = PLACE_TOP; place < PLACE_NONE; ++place)
                if (place_is_at(place, st))
                        return place;

        return PLACE_NONE;
}

/* FILES_MAX: none of those watched */
static unsigned int file_of_stat(const struct stat *st) {
        for (unsigned int i = disk.n_files; i-- > 0;)
                if (disk.inodes[i] == st->st_ino)
                        return i;

        return FILES_MAX;
}

static bool stat_watched(int fd, struct stat *st) {
        return disk.is_watching && kernel_stat(fd, "", st, AT_EMPTY_PATH) == 0;
}

static enum place place_of(int fd) {
        struct stat st;

        return stat_watched(fd, &st) ? place_of_stat(&st) : PLACE_NONE;
}

static unsigned int file_of(int fd) {
        struct stat st;

        return stat_watched(fd, &st) ? file_of_stat(&st) : FILES_MAX;
}

static bool stat_is_watched(const struct stat *st) {
        return disk.is_watching && (file_of_stat(st) < FILES_MAX || place_of_stat(st) != PLACE_NONE);
}

static bool fd_is_watched(int fd) {
        struct stat st;

        return stat_watched(fd, &st) && stat_is_watched(&st);
}

/* Whether it may be done: 0, or -1 and errno. */
static int step(bool is_watched, const char *what) {
        unsigned int number;

        if (!is_watched)
                return 0;

        number = disk.n_steps++;
        if (number == disk.end_step)
                _exit(0);
        if (number == disk.fault_step) {
                disk.struck = what;
                disk.fault_until_ns = disk.now_ns + disk.fault_ns;
        }
        if (number != disk.fault_step && (!disk.struck || disk.now_ns >= disk.fault_until_ns))
                return 0;

        errno = disk.fault_error;
        return -1;
}

/* system calls, as storage makes them */

int clock_gettime(clockid_t clock, struct timespec *ts) {
        if (disk.now_ns > 0 && clock == CLOCK_MONOTONIC) {
                *ts = timespec_from_ns(disk.now_ns);
                return 0;
        }
        if (syscall(SYS_clock_gettime, clock, ts) < 0)
                return -1;
        if (clock == CLOCK_REALTIME)
                *ts = timespec_from_ns(timespec_to_ns(*ts) + disk.now_ns);
        return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *ts, struct timespec *left) {
        uint64_t ns = timespec_to_ns(*ts);

        if (disk.now_ns == 0)
                return (int) -syscall(SYS_clock_nanosleep, clock, flags, ts, left);

        disk.now_ns = flags & TIMER_ABSTIME ? MAX(disk.now_ns, ns) : disk.now_ns + ns;
        return 0;
}

/* The number of a file, a new one if need be. */
static unsigned int file_adopt(const struct stat *st) {
        unsigned int file = file_of_stat(st);

        if (file < FILES_MAX)
                return file;

        require(disk.n_files < FILES_MAX);
        disk.inodes[disk.n_files] = st->st_ino;
        return disk.n_files++;
}

static void file_note_opened(int fd, enum place place, const char *name, int flags, bool was_there) {
        struct stat st;

        if (kernel_stat(fd, "", &st, AT_EMPTY_PATH) < 0 || !S_ISREG(st.st_mode))
                return;

        if (!was_there) {
                require(disk.n_files < FILES_MAX);
                disk.inodes[disk.n_files] = st.st_ino;
                history_add_name(&disk.history, CHANGE_CREATE, place, name, disk.n_files++);
        } else if (flags & O_TRUNC)
                history_add_truncation(&disk.history, file_of(fd), 0);
}

int openat(int fd, const char *path, int flags, ...) {
        enum place place = place_of(fd);
        bool was_there;
        struct stat st;
        mode_t mode = 0;
        va_list args;
        int r;

        va_start(args, flags);
        if (flags & O_CREAT)
                mode = va_arg(args, mode_t);
        va_end(args);

        if (step(place != PLACE_NONE, "openat") < 0)
                return -1;
        if (place == PLACE_NONE || !(flags & (O_CREAT | O_TRUNC)))
                return kernel_open(fd, path, flags, mode);

        was_there = kernel_stat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
        r = kernel_open(fd, path, flags, mode);
        if (r >= 0)
                file_note_opened(r, place, path, flags, was_there);
        return r;
}

int fstat(int fd, struct stat *st) {
        int r = kernel_stat(fd, "", st, AT_EMPTY_PATH);

        return step(r == 0 && stat_is_watched(st), "fstat") < 0 ? -1 : r;
}

int fstatat(int fd, const char *path, struct stat *st, int flags) {
        return step(place_of(fd) != PLACE_NONE, "fstatat") < 0 ? -1 : kernel_stat(fd, path, st, flags);
}

struct dirent *readdir(DIR *dir) {
        return step(place_of(dirfd(dir)) != PLACE_NONE, "readdir") < 0 ? NULL : directory_read(dir);
}

int flock(int fd, int operation) {
        return step(file_of(fd) < FILES_MAX, "flock") < 0 ? -1 : (int) syscall(SYS_flock, fd, operation);
}

int fstatvfs(int fd, struct statvfs *st) {
        struct statfs kernel;

        if (step(fd_is_watched(fd), "fstatvfs") < 0 || fstatfs(fd, &kernel) < 0)
                return -1;

        *st = (struct statvfs){
                .f_bsize = (unsigned long) kernel.f_bsize,
                .f_frsize = (unsigned long) kernel.f_frsize,
                .f_blocks = kernel.f_blocks,
                .f_bfree = kernel.f_bfree,
                .f_bavail = kernel.f_bavail,
        };
        return 0;
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset) {
        return step(file_of(fd) < FILES_MAX, "pread") < 0 ? -1
                                                          : syscall(SYS_pread64, fd, buffer, size, offset);
}

ssize_t pwrite(int fd, const void *buffer, size_t size, off_t offset) {
        unsigned int file = file_of(fd);
        ssize_t n;

        if (step(file < FILES_MAX, "pwrite") < 0)
                return -1;
        n = syscall(SYS_pwrite64, fd, buffer, size, offset);
        if (n > 0 && file < FILES_MAX)
                history_add_write(&disk.history, file, buffer, (size_t) n, (uint64_t) offset);
        return n;
}

int ftruncate(int fd, off_t size) {
        unsigned int file = file_of(fd);
        int r;

        if (step(file < FILES_MAX, "ftruncate") < 0)
                return -1;
        r = (int) syscall(SYS_ftruncate, fd, size);
        if (r == 0 && file < FILES_MAX)
                history_add_truncation(&disk.history, file, (uint64_t) size);
        return r;
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
        /* Space behind the end, which nobody sees, and which takes long to clear. */
        return step(file_of(fd) < FILES_MAX, "fallocate");
}

static int sync_note(int fd, const char *what) {
        unsigned int file = file_of(fd);
        enum place place = place_of(fd);

        if (step(file < FILES_MAX || place != PLACE_NONE, what) < 0)
                return -1;

        if (file < FILES_MAX)
                history_add(&disk.history, CHANGE_SYNC)->file = file;
        else if (place != PLACE_NONE)
                history_add(&disk.history, CHANGE_SYNC_PLACE)->place = place;
        return 0;
}

int fdatasync(int fd) {
        return sync_note(fd, "fdatasync");
}

int fsync(int fd) {
        return sync_note(fd, "fsync");
}

int renameat2(int fd, const char *path, int new_fd, const char *new_path, unsigned int flags) {
        enum place place = place_of(fd), new_place = place_of(new_fd);
        int r;

        if (step(place != PLACE_NONE, "renameat2") < 0)
                return -1;
        if (place != PLACE_NONE && disk.is_plain) {
                errno = EINVAL;
                return -1;
        }
        r = (int) syscall(SYS_renameat2, fd, path, new_fd, new_path, flags);
        if (r == 0)
                history_add_move(&disk.history, CHANGE_RENAME, place, path, new_place, new_path);
        return r;
}

int renameat(int fd, const char *path, int new_fd, const char *new_path) {
        enum place place = place_of(fd), new_place = place_of(new_fd);
        int r;

        if (step(place != PLACE_NONE, "renameat") < 0)
                return -1;
        r = (int) syscall(SYS_renameat2, fd, path, new_fd, new_path, 0);
        if (r == 0)
                history_add_move(&disk.history, CHANGE_RENAME, place, path, new_place, new_path);
        return r;
}

int linkat(int fd, const char *path, int new_fd, const char *new_path, int flags) {
        enum place place = place_of(fd), new_place = place_of(new_fd);
        int r;

        if (step(place != PLACE_NONE, "linkat") < 0)
                return -1;
        r = (int) syscall(SYS_linkat, fd, path, new_fd, new_path, flags);
        if (r == 0)
                history_add_move(&disk.history, CHANGE_LINK, place, path, new_place, new_path);
        return r;
}

int unlinkat(int fd, const char *path, int flags) {
        enum place place = place_of(fd);
        int r;

        if (step(place != PLACE_NONE, "unlinkat") < 0)
                return -1;
        r = (int) syscall(SYS_unlinkat, fd, path, flags);
        if (r == 0 && place != PLACE_NONE)
                history_add_name(&disk.history, CHANGE_UNLINK, place, path, 0);
        return r;
}

/* telling it what to do */

/* Files that were there before: nobody knows what of them is synced. */
static void place_adopt(enum place place) {
        char path[PATH_SIZE];
        struct dirent **entries = NULL;
        struct stat st;
        int n;

        n = scandir(path_format(path, disk.path, place, ""), &entries, NULL, NULL);
        for (int i = 0; i < n; ++i) {
                (void) path_format(path, disk.path, place, entries[i]->d_name);
                require(kernel_stat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0);
                if (S_ISREG(st.st_mode))
                        history_add_name(&disk.history, CHANGE_CREATE, place, entries[i]->d_name,
                                        file_adopt(&st));
                free(entries[i]);
        }
        free(entries);
}

void disk_watch(const char *path) {
        history_forget(&disk.history);
        (void) snprintf(disk.path, sizeof(disk.path), "%s", path);
        disk.is_watching = true;
        disk.fault_step = disk.end_step = UINT_MAX;
        disk.n_steps = disk.n_files = 0;
        memset(disk.places, 0, sizeof(disk.places));
        disk.struck = NULL;
        disk.fault_until_ns = 0;
        /* A moment that is not zero. */
        disk.now_ns = NSEC_PER_HOUR;
        place_adopt(PLACE_TOP);
        place_adopt(PLACE_SEALED);
}

void disk_unwatch(void) {
        disk.is_watching = false;
}

void disk_set_fault(unsigned int number, int error, uint64_t for_ns) {
        disk.fault_step = number;
        disk.fault_error = error;
        disk.fault_ns = for_ns;
}

void disk_set_end(unsigned int number) {
        disk.end_step = number;
}

void disk_set_plain(bool is_plain) {
        disk.is_plain = is_plain;
}

unsigned int disk_get_n_steps(void) {
        return disk.n_steps;
}

const char *disk_get_struck(void) {
        return disk.struck;
}

void disk_pass_time(uint64_t ns) {
        disk.now_ns += ns;
}

size_t disk_get_n_changes(void) {
        return disk.history.n;
}

/* what is left */

size_t disk_get_n_outcomes(size_t n_changes) {
        return history_get_n_outcomes(&disk.history, n_changes);
}

void disk_rebuild(const char *path, size_t n_changes, size_t outcome, enum disk_loss loss) {
        _cleanup_(image_deinit) struct image image = {};

        image_fill(&image, &disk.history, n_changes, loss);
        image_name(&image, &disk.history, n_changes, outcome);
        image_store(&image, path);
}

void disk_get_synced(size_t n_changes, disk_synced_t *synced, void *userdata) {
        _cleanup_(image_deinit) struct image kept = {}, named = {};

        image_fill(&kept, &disk.history, n_changes, DISK_LOSS_ALL);
        image_name(&named, &disk.history, n_changes, n_changes);
        for (size_t i = 0; i < named.n_names; ++i)
                synced(userdata, kept.bytes[named.names[i].file], kept.sizes[named.names[i].file]);
}

bool disk_is_settled(void) {
        size_t n = disk.history.n;
        _cleanup_(image_deinit) struct image image = {};
        bool is_settled = true;

        image_name(&image, &disk.history, n, n);
        for (size_t i = 0; i < n && is_settled; ++i)
                is_settled = !image_is_unsure(&image, &disk.history, i);

        return is_settled;
}
