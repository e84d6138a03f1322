/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/directory.h"

#include "storage/ledger.h"
#include "storage/live.h"
#include "storage/sealed.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define LIVE_NAME      "readings.jsonl"
#define FIRST_NAME     ".readings.first"
#define FIRST_NAME_NEW ".readings.first.new"
#define SEALED_NAME    "sealed"

#define SEQUENCE_UNKNOWN UINT64_MAX

struct directory {
        char *path;
        int fd;
        int sealed_fd;
        int live_fd;
        uint64_t first_sequence;
        uint64_t first_time_ns; /* NSEC_INFINITY: the live file is empty, or there is none */
};

static int directory_open_at(int fd, const char *name, int flags) {
        int directory_fd = openat(fd, name, flags | O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return directory_fd < 0 ? -errno : directory_fd;
}

static int directory_make_at(int fd, const char *name, int flags) {
        int directory_fd = directory_open_at(fd, name, flags);

        /* Only then: a file system that does not answer keeps who would make what is there already. */
        if (directory_fd != -ENOENT)
                return directory_fd;
        if (mkdirat(fd, name, 0750) < 0 && errno != EEXIST)
                return -errno;

        return directory_open_at(fd, name, flags);
}

static void descriptor_set(int *fdp, int fd) {
        closep(fdp);
        *fdp = fd;
}

/* With what there is in it: a disk that takes nothing is no reason not to begin. */
static int directory_open_top(struct directory *directory) {
        _cleanup_(closep) int fd = -1;
        int sealed_fd;

        fd = directory_make_at(AT_FDCWD, directory->path, 0);
        if (fd < 0)
                return fd;
        /* Goes with the last descriptor, however the process ends. */
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        sealed_fd = directory_open_at(fd, SEALED_NAME, O_NOFOLLOW);
        if (sealed_fd < 0 && sealed_fd != -ENOENT)
                return sealed_fd;

        descriptor_set(&directory->fd, TAKE_FD(fd));
        descriptor_set(&directory->sealed_fd, MAX(sealed_fd, -1));
        return 0;
}

int directory_new(struct directory **directoryp, const char *path) {
        _cleanup_(directory_freep) struct directory *directory = NULL;
        int r;

        directory = calloc(1, sizeof(*directory));
        if (!directory)
                return -ENOMEM;

        directory->fd = directory->sealed_fd = directory->live_fd = -1;
        directory->first_time_ns = NSEC_INFINITY;
        directory->path = strdup(path);
        if (!directory->path)
                return -ENOMEM;

        r = directory_open_top(directory);
        if (r < 0)
                return r;

        *directoryp = TAKE_PTR(directory);
        return 0;
}

struct directory *directory_free(struct directory *directory) {
        if (!directory)
                return NULL;

        closep(&directory->live_fd);
        closep(&directory->sealed_fd);
        closep(&directory->fd);
        free(directory->path);
        free(directory);
        return NULL;
}

/* Whether @name in @at is the file that @fd is: 0 no, 1 yes. */
static int name_is(int at, const char *name, int flags, int fd) {
        struct stat there, st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (fstatat(at, name, &there, flags) < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;

        return there.st_dev == st.st_dev && there.st_ino == st.st_ino;
}

static int directory_restore_sealed(struct directory *directory) {
        int r;

        if (directory->sealed_fd >= 0) {
                r = name_is(directory->fd, SEALED_NAME, AT_SYMLINK_NOFOLLOW, directory->sealed_fd);
                if (r != 0)
                        return MIN(r, 0);
        }

        r = directory_make_at(directory->fd, SEALED_NAME, O_NOFOLLOW);
        if (r < 0)
                return r;

        descriptor_set(&directory->sealed_fd, r);
        return 0;
}

int directory_restore(struct directory *directory) {
        int r;

        r = name_is(AT_FDCWD, directory->path, 0, directory->fd);
        if (r < 0)
                return r;
        if (r == 0) {
                /* What the live file holds is to be taken leave of first. */
                if (directory->live_fd >= 0)
                        return 0;
                r = directory_open_top(directory);
                if (r < 0)
                        return r;
        }

        return directory_restore_sealed(directory);
}

/* 1: one of the sealed files is this one. */
static int sealed_contains(const struct directory *directory, const struct stat *st) {
        _cleanup_(sealed_list_deinit) struct sealed_list list = {};
        int r;

        r = sealed_list_read(&list, directory->sealed_fd);
        for (size_t i = 0; i < list.n_files && r == 0; ++i)
                r = list.files[i].inode == st->st_ino;

        return r;
}

/*
 * Where files are sealed by links (see sealed_move()), a process may have ended between the two steps, or the
 * second failed: the file is whole and in its place, and only its old name is left to be removed. 1: so it
 * is.
 */
static int sealed_is_unfinished(const struct directory *directory) {
        struct stat st;

        if (fstatat(directory->fd, LIVE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;

        return S_ISREG(st.st_mode) && st.st_nlink == 2 && directory->sealed_fd >= 0
                               ? sealed_contains(directory, &st)
                               : 0;
}

static int sealed_finish(const struct directory *directory) {
        int r;

        r = sealed_is_unfinished(directory);
        if (r <= 0)
                return r;

        return unlinkat(directory->fd, LIVE_NAME, 0) < 0 ? -errno : 0;
}

/* the live file */

static int live_open(int fd, int flags) {
        int live_fd;

        live_fd = openat(
                        fd, LIVE_NAME, flags | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
        if (live_fd < 0)
                return errno == EISDIR ? -EMEDIUMTYPE : -errno;

        return live_fd;
}

static int live_verify(int live_fd, struct stat *st) {
        if (fstat(live_fd, st) < 0)
                return -errno;

        return file_verify_sole(live_fd);
}

static uint64_t first_read(int fd, uint64_t inode) {
        _cleanup_(closep) int first_fd = -1;
        uint64_t sequence, first_inode;
        char text[64];
        ssize_t n;

        first_fd = openat(fd, FIRST_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (first_fd < 0)
                return SEQUENCE_UNKNOWN;

        n = read(first_fd, text, sizeof(text) - 1);
        text[MAX(n, 0)] = '\0';
        if (sscanf(text, "%" SCNu64 " %" SCNu64, &sequence, &first_inode) != 2 || first_inode != inode)
                return SEQUENCE_UNKNOWN;

        return sequence;
}

static void first_write(int fd, uint64_t inode, uint64_t sequence) {
        _cleanup_(closep) int first_fd = -1;

        /* Whatever was left there, a new one. */
        (void) unlinkat(fd, FIRST_NAME_NEW, 0);
        first_fd = openat(fd, FIRST_NAME_NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        if (first_fd < 0)
                return;
        if (dprintf(first_fd, "%" PRIu64 " %" PRIu64 "\n", sequence, inode) < 0)
                return;

        (void) renameat(fd, FIRST_NAME_NEW, fd, FIRST_NAME);
}

int directory_verify(const struct directory *directory) {
        _cleanup_(closep) int live_fd = -1;
        int r;

        r = sealed_is_unfinished(directory);
        if (r != 0)
                return MIN(r, 0);
        live_fd = live_open(directory->fd, 0);
        if (live_fd == -ENOENT)
                return faccessat(directory->fd, ".", W_OK, 0) < 0 ? -errno : 0;

        return live_fd < 0 ? live_fd : file_verify_sole(live_fd);
}

int directory_open_live(struct directory *directory) {
        _cleanup_(closep) int live_fd = -1;
        struct stat st;
        int r;

        assert(directory->live_fd < 0);

        r = directory_restore(directory);
        if (r < 0)
                return r;
        r = sealed_finish(directory);
        if (r < 0)
                return r;
        live_fd = live_open(directory->fd, 0);
        if (live_fd == -ENOENT)
                live_fd = live_open(directory->fd, O_CREAT | O_EXCL);
        if (live_fd < 0)
                return live_fd;
        r = live_verify(live_fd, &st);
        if (r < 0)
                return r;
        /* One that is empty may have been made by who failed here, or ended. */
        if (st.st_size == 0 && fsync(directory->fd) < 0)
                return -errno;

        directory->first_time_ns = st.st_size > 0 ? live_read_time(live_fd, &st) : NSEC_INFINITY;
        directory->first_sequence = first_read(directory->fd, st.st_ino);
        directory->live_fd = TAKE_FD(live_fd);
        return 0;
}

int directory_get_fd(const struct directory *directory) {
        return directory->live_fd;
}

int directory_get_sealed_fd(const struct directory *directory) {
        return directory->sealed_fd;
}

const char *directory_get_path(const struct directory *directory) {
        return directory->path;
}

bool directory_is_gone(const struct directory *directory) {
        struct stat st;

        return stat(directory->path, &st) < 0 && errno == ENOENT;
}

int directory_is_current(const struct directory *directory) {
        int r;

        r = name_is(directory->fd, LIVE_NAME, AT_SYMLINK_NOFOLLOW, directory->live_fd);
        return r <= 0 ? r : name_is(AT_FDCWD, directory->path, 0, directory->fd);
}

int directory_reserve(const struct directory *directory, uint64_t next) {
        return ledger_write(directory->fd, next);
}

bool directory_has_begun(const struct directory *directory) {
        return directory->first_time_ns != NSEC_INFINITY && directory->first_sequence != SEQUENCE_UNKNOWN;
}

void directory_begin(struct directory *directory, uint64_t sequence, uint64_t time_ns) {
        struct live_identity identity;

        directory->first_sequence = sequence;
        if (directory->first_time_ns == NSEC_INFINITY)
                directory->first_time_ns = time_ns;
        if (live_get_identity(directory->live_fd, &identity) >= 0)
                first_write(directory->fd, identity.inode, sequence);
}

uint64_t directory_get_first_time(const struct directory *directory) {
        return directory->first_time_ns;
}

void directory_close_live(struct directory *directory) {
        closep(&directory->live_fd);
        directory->live_fd = -1;
        directory->first_time_ns = NSEC_INFINITY;
}

/* sealing */

/* Never over another file. What knows no RENAME_NOREPLACE knows links. */
static int sealed_move(const struct directory *directory, const char *name) {
        if (renameat2(directory->fd, LIVE_NAME, directory->sealed_fd, name, RENAME_NOREPLACE) >= 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;

        if (linkat(directory->fd, LIVE_NAME, directory->sealed_fd, name, 0) < 0)
                return -errno;

        /* It is sealed. Should its old name stay, sealed_finish() removes it before there is another live
         * file. */
        (void) unlinkat(directory->fd, LIVE_NAME, 0);
        return 0;
}

/* As @name, behind all that begin with the same number. */
static int sealed_move_unique(
                const struct directory *directory, bool is_suspect, char name[static SEALED_NAME_MAX]) {
        uint64_t time_ns = directory->first_time_ns;
        int r = -EEXIST;

        for (unsigned int i = 0; i < 100 && r == -EEXIST; ++i, time_ns += NSEC_PER_SEC) {
                sealed_format_name(name, directory->first_sequence, time_ns, !is_suspect);
                if (faccessat(directory->sealed_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) >= 0)
                        continue;
                sealed_format_name(name, directory->first_sequence, time_ns, is_suspect);
                r = sealed_move(directory, name);
        }

        return r;
}

static int directory_sync(const struct directory *directory) {
        if (fsync(directory->sealed_fd) < 0 || fsync(directory->fd) < 0)
                return -errno;

        return 0;
}

int directory_seal(struct directory *directory, bool is_suspect, uint64_t offset,
                char name[static SEALED_NAME_MAX]) {
        struct live_identity identity;
        int r, error = 0;

        r = directory_is_current(directory);
        if (r <= 0)
                return r < 0 ? r : -ESTALE;
        r = directory_restore(directory);
        if (r < 0)
                return r;
        r = live_get_identity(directory->live_fd, &identity);
        if (r < 0)
                return r;

        if (is_suspect)
                live_cut(directory->live_fd, offset, &identity.size);
        if (identity.size == 0)
                return -ENODATA;
        r = live_fill(directory->live_fd, identity.size);
        if (r < 0 && !is_suspect)
                return r;
        if (!is_suspect && fdatasync(directory->live_fd) < 0) {
                error = -errno;
                is_suspect = true;
        }

        r = sealed_move_unique(directory, is_suspect, name);
        if (r < 0)
                return r;

        (void) unlinkat(directory->fd, FIRST_NAME, 0);
        directory_close_live(directory);
        r = directory_sync(directory);
        return is_suspect ? error : r;
}

const char *directory_explain(int error) {
        switch (error) {
        case -EBUSY:
                return "another process keeps readings there";
        case -ELOOP:
                return "readings.jsonl, .sequence or sealed is a symbolic link, which is not followed";
        case -EMLINK:
                return "readings.jsonl or .sequence has other names (hard links), or none";
        case -EMEDIUMTYPE:
                return "readings.jsonl or .sequence is not a regular file";
        case -ENOTDIR:
                return "it, or sealed in it, is not a directory";
        default:
                return strerror(-error);
        }
}
