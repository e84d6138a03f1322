/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/directory.h"

#include "storage/ledger.h"
#include "util/file.h"
#include "util/macros.h"
#include "util/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#define LIVE_NAME      "readings.jsonl"
#define FIRST_NAME     ".readings.first"
#define FIRST_NAME_NEW ".readings.first.new"
#define SEALED_NAME    "sealed"
#define SEALED_PREFIX  "readings-"
#define SEALED_SUFFIX  ".jsonl"

#define FILE_SIZE_DEFAULT_MAX (UINT64_C(128) << 20)
#define SCAN_SIZE             ((size_t) 65536)
#define SEQUENCE_UNKNOWN      UINT64_MAX
#define STAT_BLOCK            UINT64_C(512) /* unit of st_blocks */

struct directory {
        char *path;
        int fd;
        int sealed_fd;
        int live_fd;
        uint64_t first_sequence;
        uint64_t first_time_ns; /* NSEC_INFINITY: the live file is empty, or there is none */
};

static int directory_open_at(int fd, const char *name, int flags) {
        int directory_fd;

        if (mkdirat(fd, name, 0750) < 0 && errno != EEXIST)
                return -errno;

        directory_fd = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
        return directory_fd < 0 ? -errno : directory_fd;
}

static void descriptor_set(int *fdp, int fd) {
        closep(fdp);
        *fdp = fd;
}

static int directory_open_sealed(struct directory *directory) {
        int fd;

        fd = directory_open_at(directory->fd, SEALED_NAME, O_NOFOLLOW);
        if (fd < 0)
                return fd;

        descriptor_set(&directory->sealed_fd, fd);
        return 0;
}

static int directory_open_top(struct directory *directory) {
        _cleanup_(closep) int fd = -1;

        fd = directory_open_at(AT_FDCWD, directory->path, 0);
        if (fd < 0)
                return fd;
        /* Goes with the last descriptor, however the process ends. */
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;

        descriptor_set(&directory->fd, TAKE_FD(fd));
        return directory_open_sealed(directory);
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

int directory_restore(struct directory *directory) {
        int r;

        r = name_is(AT_FDCWD, directory->path, 0, directory->fd);
        if (r < 0)
                return r;
        /* What the live file holds is to be taken leave of first. */
        if (r == 0)
                return directory->live_fd < 0 ? directory_open_top(directory) : 0;

        r = name_is(directory->fd, SEALED_NAME, AT_SYMLINK_NOFOLLOW, directory->sealed_fd);
        return r == 0 ? directory_open_sealed(directory) : MIN(r, 0);
}

static bool sealed_is_ours(const char *name) {
        size_t size = strlen(name), suffix = strlen(SEALED_SUFFIX);

        return strncmp(name, SEALED_PREFIX, strlen(SEALED_PREFIX)) == 0 && size > suffix &&
               strcmp(name + size - suffix, SEALED_SUFFIX) == 0;
}

static int sealed_open(int sealed_fd, DIR **dirp) {
        int fd, r;

        fd = openat(sealed_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *dirp = fdopendir(fd);
        if (*dirp)
                return 0;

        r = -errno;
        (void) close(fd);
        return r;
}

/* 1: one of the sealed files is this one. */
static int sealed_contains(const struct directory *directory, const struct stat *st) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        int r;

        r = sealed_open(directory->sealed_fd, &dir);
        if (r < 0)
                return r;
        while ((errno = 0, entry = readdir(dir)))
                if (entry->d_ino == st->st_ino && sealed_is_ours(entry->d_name))
                        return 1;

        return -errno;
}

/*
 * Where files are sealed by links (see sealed_move()), a process may have ended between the two steps: the
 * file is whole and in its place, and only its old name is left to be removed.
 */
static int sealed_finish(const struct directory *directory) {
        struct stat st;
        int r;

        if (fstatat(directory->fd, LIVE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISREG(st.st_mode) || st.st_nlink != 2)
                return 0;
        r = sealed_contains(directory, &st);
        if (r <= 0)
                return r;

        return unlinkat(directory->fd, LIVE_NAME, 0) < 0 ? -errno : 0;
}

/* the live file */

static int live_open(int fd, bool *is_newp) {
        const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        int live_fd;

        live_fd = openat(fd, LIVE_NAME, flags);
        *is_newp = live_fd < 0 && errno == ENOENT;
        if (*is_newp)
                live_fd = openat(fd, LIVE_NAME, flags | O_CREAT | O_EXCL, 0640);
        if (live_fd < 0)
                return errno == EISDIR ? -EMEDIUMTYPE : -errno;

        return live_fd;
}

static int live_verify(int live_fd, struct stat *st) {
        if (fstat(live_fd, st) < 0)
                return -errno;

        return file_verify_sole(live_fd);
}

/* The time in the first line, or when the file was changed last: it is no more than a name. */
static uint64_t live_read_time(int live_fd, const struct stat *st) {
        char line[I4_LINE_MAX + 1], *begin, *end;
        uint64_t time_ns;
        ssize_t n;

        n = pread(live_fd, line, I4_LINE_MAX, 0);
        line[MAX(n, 0)] = '\0';

        begin = strstr(line, "\"timestamp\":\"");
        if (begin) {
                begin += strlen("\"timestamp\":\"");
                end = strpbrk(begin, "\"\n");
                if (end) {
                        *end = '\0';
                        if (parse_time(begin, &time_ns) >= 0)
                                return time_ns;
                }
        }

        return timespec_to_ns(st->st_mtim);
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

        first_fd = openat(fd, FIRST_NAME_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (first_fd < 0)
                return;
        if (dprintf(first_fd, "%" PRIu64 " %" PRIu64 "\n", sequence, inode) < 0)
                return;

        (void) renameat(fd, FIRST_NAME_NEW, fd, FIRST_NAME);
}

int directory_open_live(struct directory *directory) {
        _cleanup_(closep) int live_fd = -1;
        struct stat st;
        bool is_new;
        int r;

        assert(directory->live_fd < 0);

        r = directory_restore(directory);
        if (r < 0)
                return r;
        r = sealed_finish(directory);
        if (r < 0)
                return r;
        live_fd = live_open(directory->fd, &is_new);
        if (live_fd < 0)
                return live_fd;
        r = live_verify(live_fd, &st);
        if (r < 0)
                return r;
        if (is_new && fsync(directory->fd) < 0)
                return -errno;

        directory->first_time_ns = st.st_size > 0 ? live_read_time(live_fd, &st) : NSEC_INFINITY;
        directory->first_sequence = first_read(directory->fd, st.st_ino);
        directory->live_fd = TAKE_FD(live_fd);
        return 0;
}

int directory_get_fd(const struct directory *directory) {
        return directory->live_fd;
}

int directory_get_identity(const struct directory *directory, struct directory_identity *identityp) {
        struct stat st;

        if (fstat(directory->live_fd, &st) < 0)
                return -errno;

        *identityp = (struct directory_identity){
                .device = st.st_dev,
                .inode = st.st_ino,
                .size = (uint64_t) st.st_size,
        };
        return 0;
}

int directory_is_current(const struct directory *directory) {
        int r;

        r = name_is(directory->fd, LIVE_NAME, AT_SYMLINK_NOFOLLOW, directory->live_fd);
        return r <= 0 ? r : name_is(AT_FDCWD, directory->path, 0, directory->fd);
}

int directory_is_cut(const struct directory *directory, uint64_t offset) {
        struct directory_identity identity;
        off_t hole;
        int r;

        r = directory_get_identity(directory, &identity);
        if (r < 0)
                return r;
        if (identity.size < offset)
                return 1;

        /* What was under way at that time went to its place, and left nothing before it. */
        hole = lseek(directory->live_fd, 0, SEEK_HOLE);
        return hole >= 0 && (uint64_t) hole < offset;
}

static uint64_t count_lines(const char *bytes, size_t size) {
        uint64_t n = 0;

        for (size_t i = 0; i < size; ++i)
                n += bytes[i] == '\n';

        return n;
}

static int read_fully(int fd, char *buffer, size_t size, uint64_t offset) {
        ssize_t n;

        while (size > 0) {
                n = pread(fd, buffer, size, (off_t) offset);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -ENODATA;
                buffer += n;
                size -= (size_t) n;
                offset += (size_t) n;
        }

        return 0;
}

static int live_verify_begin(int live_fd, uint64_t offset) {
        char last = '\n';
        int r;

        if (offset == 0)
                return 0;

        r = read_fully(live_fd, &last, 1, offset - 1);
        return r < 0 ? r : last == '\n' ? 0 : -EBADMSG;
}

int directory_find_end(
                const struct directory *directory, uint64_t from, uint64_t *offsetp, uint64_t *n_linesp) {
        _cleanup_(freep) char *buffer = malloc(SCAN_SIZE);
        struct directory_identity identity;
        uint64_t offset = from, n_lines = 0, end;
        bool is_found = false;
        int r;

        if (!buffer)
                return -ENOMEM;
        r = directory_get_identity(directory, &identity);
        if (r < 0)
                return r;
        r = live_verify_begin(directory->live_fd, from);
        if (r < 0)
                return r;

        for (end = identity.size; end > from && (!is_found || n_linesp);) {
                size_t size = MIN(end - from, SCAN_SIZE);
                const char *line;

                end -= size;
                r = read_fully(directory->live_fd, buffer, size, end);
                if (r < 0)
                        return r;

                line = memrchr(buffer, '\n', size);
                if (line && !is_found)
                        offset = end + (uint64_t) (line + 1 - buffer);
                is_found |= !!line;
                n_lines += count_lines(buffer, size);
        }

        *offsetp = offset;
        if (n_linesp)
                *n_linesp = n_lines;
        return 0;
}

int directory_end_line(struct directory *directory) {
        struct directory_identity identity;
        char last = '\n';
        int r;

        r = directory_get_identity(directory, &identity);
        if (r < 0)
                return r;
        if (identity.size > 0) {
                r = read_fully(directory->live_fd, &last, 1, identity.size - 1);
                if (r < 0)
                        return r;
        }
        if (last == '\n')
                return 0;

        return pwrite(directory->live_fd, "\n", 1, (off_t) identity.size) < 0 ? -errno : 1;
}

int directory_reserve(const struct directory *directory, uint64_t next) {
        return ledger_write(directory->fd, next);
}

bool directory_has_begun(const struct directory *directory) {
        return directory->first_time_ns != NSEC_INFINITY && directory->first_sequence != SEQUENCE_UNKNOWN;
}

void directory_begin(struct directory *directory, uint64_t sequence, uint64_t time_ns) {
        struct directory_identity identity;

        directory->first_sequence = sequence;
        if (directory->first_time_ns == NSEC_INFINITY)
                directory->first_time_ns = time_ns;
        if (directory_get_identity(directory, &identity) >= 0)
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

static void sealed_format_name(const struct directory *directory, bool is_suspect, unsigned int attempt,
                char name[static DIRECTORY_NAME_MAX]) {
        time_t time = (time_t) (directory->first_time_ns / NSEC_PER_SEC);
        char text[sizeof("20261123T104943Z") + 8], again[16] = "";
        struct tm tm = {};

        (void) gmtime_r(&time, &tm);
        (void) strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
        if (attempt > 0)
                (void) snprintf(again, sizeof(again), "-%u", attempt + 1);

        (void) snprintf(name, DIRECTORY_NAME_MAX, SEALED_PREFIX "%s-%020" PRIu64 "%s%s" SEALED_SUFFIX, text,
                        directory->first_sequence, again, is_suspect ? ".suspect" : "");
}

/* Never over another file. What knows no RENAME_NOREPLACE knows links. */
static int sealed_move(const struct directory *directory, const char *name) {
        if (renameat2(directory->fd, LIVE_NAME, directory->sealed_fd, name, RENAME_NOREPLACE) >= 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;

        if (linkat(directory->fd, LIVE_NAME, directory->sealed_fd, name, 0) < 0)
                return -errno;
        return unlinkat(directory->fd, LIVE_NAME, 0) < 0 ? -errno : 0;
}

static int sealed_move_unique(
                const struct directory *directory, bool is_suspect, char name[static DIRECTORY_NAME_MAX]) {
        int r = -EEXIST;

        for (unsigned int i = 0; i < 100 && r == -EEXIST; ++i) {
                sealed_format_name(directory, is_suspect, i, name);
                r = sealed_move(directory, name);
        }

        return r;
}

static int directory_sync(const struct directory *directory) {
        if (fsync(directory->sealed_fd) < 0 || fsync(directory->fd) < 0)
                return -errno;

        return 0;
}

/* What was begun behind @offset and never completed is written again elsewhere. */
static void live_cut(int live_fd, uint64_t offset, uint64_t *sizep) {
        if (*sizep > offset && ftruncate(live_fd, (off_t) offset) >= 0)
                *sizep = offset;
}

int directory_seal(struct directory *directory, bool is_suspect, uint64_t offset,
                char name[static DIRECTORY_NAME_MAX]) {
        struct directory_identity identity;
        int r, error = 0;

        r = directory_is_current(directory);
        if (r <= 0)
                return r < 0 ? r : -ESTALE;
        r = directory_restore(directory);
        if (r < 0)
                return r;
        r = directory_get_identity(directory, &identity);
        if (r < 0)
                return r;

        if (is_suspect)
                live_cut(directory->live_fd, offset, &identity.size);
        if (identity.size == 0)
                return -ENODATA;
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

/* limits */

struct sealed_file {
        char *name;
        uint64_t bytes;
        uint64_t time_ns;
        bool is_gone; /* deleted since */
};

struct sealed_list {
        struct sealed_file *files;
        size_t n_files, n_allocated;
};

static void sealed_list_deinit(struct sealed_list *list) {
        for (size_t i = 0; i < list->n_files; ++i)
                free(list->files[i].name);
        free(list->files);
        *list = (struct sealed_list){};
}

static int sealed_list_add(struct sealed_list *list, const char *name, const struct stat *st) {
        struct sealed_file *files;
        char *copy;

        if (list->n_files == list->n_allocated) {
                size_t n = 2 * list->n_allocated + 64;

                files = reallocarray(list->files, n, sizeof(*files));
                if (!files)
                        return -ENOMEM;
                list->files = files;
                list->n_allocated = n;
        }

        copy = strdup(name);
        if (!copy)
                return -ENOMEM;

        list->files[list->n_files++] = (struct sealed_file){
                .name = copy,
                .bytes = (uint64_t) st->st_blocks * STAT_BLOCK,
                .time_ns = timespec_to_ns(st->st_mtim),
        };
        return 0;
}

static int sealed_compare(const void *a, const void *b) {
        return strcmp(((const struct sealed_file *) a)->name, ((const struct sealed_file *) b)->name);
}

/* By their names, which is oldest first. Consumers may remove files too, so it is read anew each time. */
static int sealed_list_read(struct sealed_list *list, int sealed_fd) {
        _cleanup_(closedirp) DIR *dir = NULL;
        struct dirent *entry;
        struct stat st;
        int r;

        r = sealed_open(sealed_fd, &dir);
        if (r < 0)
                return r;

        while ((errno = 0, entry = readdir(dir))) {
                if (!sealed_is_ours(entry->d_name) ||
                                fstatat(sealed_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
                                !S_ISREG(st.st_mode))
                        continue;
                r = sealed_list_add(list, entry->d_name, &st);
                if (r < 0)
                        return r;
        }
        if (errno > 0)
                return -errno;

        if (list->n_files > 1)
                qsort(list->files, list->n_files, sizeof(*list->files), sealed_compare);
        return 0;
}

int directory_measure(const struct directory *directory, struct directory_space *spacep) {
        struct statvfs st;

        if (fstatvfs(directory->fd, &st) < 0)
                return -errno;

        *spacep = (struct directory_space){
                .total = (uint64_t) st.f_blocks * st.f_frsize,
                .free = (uint64_t) st.f_bavail * st.f_frsize,
        };
        return 0;
}

/* A share of nothing known is no limit. */
static uint64_t limit_get(const struct directory_limit *limit, uint64_t total) {
        uint64_t share = UINT64_MAX;

        if (limit->share_e4 < 10000 && total > 0)
                share = total / 10000 * limit->share_e4 + total % 10000 * limit->share_e4 / 10000;

        return MIN(share, limit->bytes);
}

static uint64_t subtract(uint64_t a, uint64_t b) {
        return a > b ? a - b : 0;
}

/* MaxUse= is a promise, MaxFileSize= a wish: two files must fit, or there would be nothing to delete. */
static uint64_t settings_get_file_size(const struct directory_settings *settings, uint64_t max_use) {
        uint64_t size = settings->max_file_size;

        if (size == 0)
                size = MIN(max_use / 8, FILE_SIZE_DEFAULT_MAX);

        return MAX(MIN(size, max_use / 2), DIRECTORY_FILE_SIZE_MIN);
}

struct census {
        uint64_t sealed;    /* bytes allocated */
        uint64_t live;      /* bytes allocated */
        uint64_t live_size; /* bytes in it */
        unsigned int n_sealed;
};

static struct directory_usage usage_of(const struct directory_settings *settings,
                const struct directory_space *space, const struct census *census) {
        uint64_t max_use = limit_get(&settings->max_use, space->total), use, keep_free = 0, available;

        if (space->total > 0 || settings->keep_free.bytes != UINT64_MAX)
                keep_free = limit_get(&settings->keep_free, space->total);

        use = census->sealed + census->live;
        available = subtract(use + space->free, keep_free);

        return (struct directory_usage){
                .use = use,
                .limit = MIN(max_use, available),
                /* What the live file has in advance is room that it may still fill. */
                .room = subtract(MIN(max_use, available), census->sealed + census->live_size),
                .max_file_size = settings_get_file_size(settings, max_use),
                .is_whole_disk = keep_free == 0 && available <= max_use,
                .n_sealed = census->n_sealed,
        };
}

static int directory_census(
                const struct directory *directory, struct sealed_list *list, struct census *census) {
        struct stat st = {};
        int r;

        r = sealed_list_read(list, directory->sealed_fd);
        if (r < 0)
                return r;
        if (directory->live_fd >= 0 && fstat(directory->live_fd, &st) < 0)
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
        const struct directory *directory;
        const struct directory_settings *settings;
        struct directory_space space;
        struct census census;
        struct directory_usage usage;
        directory_deleted_t *deleted;
        void *userdata;
};

static int purge_delete(struct purge *purge, struct sealed_file *file, bool is_old) {
        if (unlinkat(purge->directory->sealed_fd, file->name, 0) < 0 && errno != ENOENT)
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
static bool sealed_is_held(const struct directory *directory, const struct sealed_file *file) {
        _cleanup_(closep) int fd = openat(directory->sealed_fd, file->name,
                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* What is old, and the oldest for want of room, but for what is held. */
static int purge_spare(struct purge *purge, struct sealed_list *list, uint64_t wanted, uint64_t now_ns) {
        for (size_t i = 0; i < list->n_files; ++i) {
                struct sealed_file *file = &list->files[i];
                bool is_old = purge->settings->max_retention_ns != NSEC_INFINITY &&
                              subtract(now_ns, file->time_ns) > purge->settings->max_retention_ns;
                int r;

                if (!is_old && purge->usage.room >= wanted)
                        break;
                if (sealed_is_held(purge->directory, file))
                        continue;
                r = purge_delete(purge, file, is_old);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Any reader can hold a file, and none may fill the disk: where nothing else is left, it goes as well. Who
 * has it open reads it to its end. */
static int purge_held(struct purge *purge, struct sealed_list *list, uint64_t wanted) {
        for (size_t i = 0; i < list->n_files && purge->usage.room < wanted; ++i) {
                int r = list->files[i].is_gone ? 0 : purge_delete(purge, &list->files[i], false);

                if (r < 0)
                        return r;
        }

        return 0;
}

int directory_enforce(struct directory *directory, const struct directory_settings *settings,
                struct directory_space space, uint64_t wanted, uint64_t now_ns, directory_deleted_t *deleted,
                void *userdata, struct directory_usage *usagep) {
        _cleanup_(sealed_list_deinit) struct sealed_list list = {};
        struct purge purge = {
                .directory = directory,
                .settings = settings,
                .space = space,
                .deleted = deleted,
                .userdata = userdata,
        };
        int r;

        r = directory_census(directory, &list, &purge.census);
        if (r < 0)
                return r;

        purge.usage = usage_of(settings, &space, &purge.census);
        r = purge_spare(&purge, &list, wanted, now_ns);
        if (r >= 0)
                r = purge_held(&purge, &list, wanted);
        if (r < 0)
                return r;

        *usagep = purge.usage;
        return 0;
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
