/* SPDX-License-Identifier: Apache-2.0 */

/* The functions below are the C library's own names, with checks of its headers in the way. */
#undef _FORTIFY_SOURCE

#include "fault-disk.h"

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

#define FILES_MAX   64u
#define CHANGES_MAX 1024u
#define NAME_SIZE   96u
#define PATH_SIZE   (PATH_MAX + NAME_MAX + sizeof("/" SEALED_NAME "/"))
#define SEALED_NAME "sealed"

enum place {
        PLACE_TOP,
        PLACE_SEALED,
        PLACE_NONE,
};

enum change_kind {
        CHANGE_WRITE,
        CHANGE_TRUNCATE,
        CHANGE_SYNC,
        CHANGE_CREATE,
        CHANGE_RENAME,
        CHANGE_LINK,
        CHANGE_UNLINK,
        CHANGE_SYNC_PLACE,
};

struct change {
        enum change_kind kind;
        unsigned int file;
        uint64_t offset; /* of a write; the size after a truncation */
        size_t size;
        char *bytes;
        enum place place, new_place;
        char name[NAME_SIZE], new_name[NAME_SIZE];
};

/* Of a file system: names and what they stand for, bytes. */
struct name {
        char name[NAME_SIZE];
        enum place place;
        unsigned int file;
};

struct image {
        struct name names[FILES_MAX];
        size_t n_names;
        char *bytes[FILES_MAX];
        size_t sizes[FILES_MAX];
};

static struct {
        char path[PATH_MAX];
        bool is_watching;
        bool is_plain;

        uint64_t places[PLACE_NONE]; /* inodes of the directories, as far as they are known */
        uint64_t inodes[FILES_MAX];  /* a number may come again: the last file that has it counts */
        unsigned int n_files;
        struct change changes[CHANGES_MAX];
        size_t n_changes;

        unsigned int n_steps, fault_step, end_step;
        int fault_error;
        uint64_t fault_ns, fault_until_ns;
        const char *struck;

        uint64_t now_ns;
} disk;

static void require(bool condition) {
        if (!condition)
                abort();
}

static const char *path_format(
                char path[static PATH_SIZE], const char *top, enum place place, const char *name) {
        (void) snprintf(path, PATH_SIZE, "%s%s/%s", top, place == PLACE_SEALED ? "/" SEALED_NAME : "", name);
        return path;
}

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

static bool stat_is(const struct stat *st, enum place place) {
        char path[PATH_SIZE];
        struct stat there;

        if (disk.places[place] == st->st_ino)
                return true;
        if (kernel_stat(AT_FDCWD, path_format(path, disk.path, place, "."), &there, 0) < 0)
                return false;

        disk.places[place] = there.st_ino;
        return there.st_ino == st->st_ino;
}

static enum place place_of_stat(const struct stat *st) {
        if (S_ISDIR(st->st_mode))
                for (enum place place = PLACE_TOP; place < PLACE_NONE; ++place)
                        if (stat_is(st, place))
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

static bool fd_is_watched(int fd) {
        struct stat st;

        return stat_watched(fd, &st) && (file_of_stat(&st) < FILES_MAX || place_of_stat(&st) != PLACE_NONE);
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

static struct change *change_add(enum change_kind kind) {
        struct change *change = &disk.changes[disk.n_changes++];

        require(disk.n_changes <= CHANGES_MAX);
        *change = (struct change){ .kind = kind };
        return change;
}

static void name_copy(char name[static NAME_SIZE], const char *from) {
        require(strlen(from) < NAME_SIZE);
        (void) strcpy(name, from);
}

static void change_add_name(enum change_kind kind, enum place place, const char *name, unsigned int file) {
        struct change *change = change_add(kind);

        change->place = place;
        change->file = file;
        name_copy(change->name, name);
}

static void change_add_move(enum change_kind kind, enum place place, const char *name, enum place new_place,
                const char *new_name) {
        struct change *change;

        if (place == PLACE_NONE)
                return;

        change = change_add(kind);
        change->place = place;
        change->new_place = new_place;
        name_copy(change->name, name);
        name_copy(change->new_name, new_name);
}

static void change_add_truncation(unsigned int file, uint64_t size) {
        struct change *change = change_add(CHANGE_TRUNCATE);

        change->file = file;
        change->offset = size;
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
                change_add_name(CHANGE_CREATE, place, name, disk.n_files++);
        } else if (flags & O_TRUNC)
                change_add_truncation(file_of(fd), 0);
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
        was_there = kernel_stat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
        r = kernel_open(fd, path, flags, mode);
        if (r >= 0 && place != PLACE_NONE)
                file_note_opened(r, place, path, flags, was_there);
        return r;
}

int fstat(int fd, struct stat *st) {
        return step(fd_is_watched(fd), "fstat") < 0 ? -1 : kernel_stat(fd, "", st, AT_EMPTY_PATH);
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
        struct change *change;
        ssize_t n;

        if (step(file < FILES_MAX, "pwrite") < 0)
                return -1;
        n = syscall(SYS_pwrite64, fd, buffer, size, offset);
        if (n > 0 && file < FILES_MAX) {
                change = change_add(CHANGE_WRITE);
                change->file = file;
                change->offset = (uint64_t) offset;
                change->size = (size_t) n;
                change->bytes = malloc((size_t) n);
                require(change->bytes);
                memcpy(change->bytes, buffer, (size_t) n);
        }
        return n;
}

int ftruncate(int fd, off_t size) {
        unsigned int file = file_of(fd);
        int r;

        if (step(file < FILES_MAX, "ftruncate") < 0)
                return -1;
        r = (int) syscall(SYS_ftruncate, fd, size);
        if (r == 0 && file < FILES_MAX)
                change_add_truncation(file, (uint64_t) size);
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
                change_add(CHANGE_SYNC)->file = file;
        else if (place != PLACE_NONE)
                change_add(CHANGE_SYNC_PLACE)->place = place;
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
                change_add_move(CHANGE_RENAME, place, path, new_place, new_path);
        return r;
}

int renameat(int fd, const char *path, int new_fd, const char *new_path) {
        enum place place = place_of(fd), new_place = place_of(new_fd);
        int r;

        if (step(place != PLACE_NONE, "renameat") < 0)
                return -1;
        r = (int) syscall(SYS_renameat2, fd, path, new_fd, new_path, 0);
        if (r == 0)
                change_add_move(CHANGE_RENAME, place, path, new_place, new_path);
        return r;
}

int linkat(int fd, const char *path, int new_fd, const char *new_path, int flags) {
        enum place place = place_of(fd), new_place = place_of(new_fd);
        int r;

        if (step(place != PLACE_NONE, "linkat") < 0)
                return -1;
        r = (int) syscall(SYS_linkat, fd, path, new_fd, new_path, flags);
        if (r == 0)
                change_add_move(CHANGE_LINK, place, path, new_place, new_path);
        return r;
}

int unlinkat(int fd, const char *path, int flags) {
        enum place place = place_of(fd);
        int r;

        if (step(place != PLACE_NONE, "unlinkat") < 0)
                return -1;
        r = (int) syscall(SYS_unlinkat, fd, path, flags);
        if (r == 0 && place != PLACE_NONE)
                change_add_name(CHANGE_UNLINK, place, path, 0);
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
                        change_add_name(CHANGE_CREATE, place, entries[i]->d_name, file_adopt(&st));
                free(entries[i]);
        }
        free(entries);
}

void disk_watch(const char *path) {
        for (size_t i = 0; i < disk.n_changes; ++i)
                free(disk.changes[i].bytes);
        disk.n_changes = 0;
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
        return disk.n_changes;
}

/* what is left */

static bool change_is_of_names(const struct change *change) {
        return change->kind >= CHANGE_CREATE && change->kind <= CHANGE_UNLINK;
}

static bool change_concerns(const struct change *change, enum place place) {
        bool is_move = change->kind == CHANGE_RENAME || change->kind == CHANGE_LINK;

        return change->place == place || (is_move && change->new_place == place);
}

/* The number of changes, of those before @n_changes, up to the last of a name that is sure to be kept. */
static size_t changes_get_n_sure(size_t n_changes) {
        size_t n_sure = 0;

        for (size_t i = 0; i < n_changes; ++i)
                if (disk.changes[i].kind == CHANGE_SYNC_PLACE)
                        for (size_t k = n_sure; k < i; ++k)
                                if (change_is_of_names(&disk.changes[k]) &&
                                                change_concerns(&disk.changes[k], disk.changes[i].place))
                                        n_sure = k + 1;

        return n_sure;
}

size_t disk_get_n_outcomes(size_t n_changes) {
        size_t n = 1;

        for (size_t i = changes_get_n_sure(n_changes); i < n_changes; ++i)
                n += change_is_of_names(&disk.changes[i]);

        return n;
}

static bool change_is_synced(size_t number, size_t n_changes) {
        for (size_t i = number + 1; i < n_changes; ++i)
                if (disk.changes[i].kind == CHANGE_SYNC && disk.changes[i].file == disk.changes[number].file)
                        return true;

        return false;
}

static bool change_is_last_write(size_t number, size_t n_changes) {
        for (size_t i = number + 1; i < n_changes; ++i)
                if (disk.changes[i].kind == CHANGE_WRITE && disk.changes[i].file == disk.changes[number].file)
                        return false;

        return true;
}

static void image_resize(struct image *image, unsigned int file, size_t size) {
        if (size > image->sizes[file]) {
                image->bytes[file] = realloc(image->bytes[file], size);
                require(image->bytes[file]);
                memset(image->bytes[file] + image->sizes[file], 0, size - image->sizes[file]);
        }
        image->sizes[file] = size;
}

static void image_write(struct image *image, const struct change *change, size_t begin, size_t end) {
        size_t size = MAX(image->sizes[change->file], (size_t) change->offset + end);

        image_resize(image, change->file, size);
        memcpy(image->bytes[change->file] + change->offset + begin, change->bytes + begin, end - begin);
}

/* What a disk may do by halves: less than a sector it writes whole, or not at all. */
static void image_write_lossy(struct image *image, const struct change *change, enum disk_loss loss,
                bool is_last, bool is_first) {
        size_t size = MAX(image->sizes[change->file], (size_t) (change->offset + change->size));
        bool is_small = change->size < 512;

        switch (loss) {
        case DISK_LOSS_ALL:
                break;
        case DISK_LOSS_ZEROES:
                image_resize(image, change->file, size);
                break;
        case DISK_LOSS_TORN:
                if (!is_small || !is_last)
                        image_write(image, change, 0, is_last ? change->size / 2 : change->size);
                break;
        case DISK_LOSS_HOLE:
                image_write(image, change, is_first && !is_small ? change->size / 2 : 0, change->size);
                break;
        default:
                image_write(image, change, 0, change->size);
                break;
        }
}

static void image_fill(struct image *image, size_t n_changes, enum disk_loss loss) {
        bool is_begun[FILES_MAX] = {};

        for (size_t i = 0; i < n_changes; ++i) {
                const struct change *change = &disk.changes[i];
                bool is_synced = change_is_synced(i, n_changes);

                if (change->kind == CHANGE_WRITE) {
                        image_write_lossy(image, change, is_synced ? DISK_LOSS_NONE : loss,
                                        change_is_last_write(i, n_changes), !is_begun[change->file]);
                        is_begun[change->file] |= !is_synced;
                } else if (change->kind == CHANGE_TRUNCATE && (is_synced || loss != DISK_LOSS_ALL))
                        image_resize(image, change->file, change->offset);
        }
}

static struct name *image_find(struct image *image, enum place place, const char *name) {
        for (size_t i = 0; i < image->n_names; ++i)
                if (image->names[i].place == place && strcmp(image->names[i].name, name) == 0)
                        return &image->names[i];

        return NULL;
}

static void image_remove(struct image *image, enum place place, const char *name) {
        struct name *found = image_find(image, place, name);

        if (found)
                *found = image->names[--image->n_names];
}

static void image_add(struct image *image, enum place place, const char *name, unsigned int file) {
        struct name *added;

        image_remove(image, place, name);
        require(image->n_names < FILES_MAX);
        added = &image->names[image->n_names++];
        added->place = place;
        added->file = file;
        name_copy(added->name, name);
}

static void image_apply_name(struct image *image, const struct change *change) {
        struct name *found = image_find(image, change->place, change->name);
        unsigned int file = found ? found->file : 0;

        switch (change->kind) {
        case CHANGE_CREATE:
                image_add(image, change->place, change->name, change->file);
                break;
        case CHANGE_RENAME:
                require(found);
                image_remove(image, change->place, change->name);
                image_add(image, change->new_place, change->new_name, file);
                break;
        case CHANGE_LINK:
                require(found);
                image_add(image, change->new_place, change->new_name, file);
                break;
        default:
                image_remove(image, change->place, change->name);
                break;
        }
}

static void image_name(struct image *image, size_t n_changes, size_t outcome) {
        size_t n_sure = changes_get_n_sure(n_changes);

        for (size_t i = 0; i < n_changes; ++i) {
                if (!change_is_of_names(&disk.changes[i]))
                        continue;
                if (i >= n_sure && outcome-- == 0)
                        break;
                image_apply_name(image, &disk.changes[i]);
        }
}

static void image_deinit(struct image *image) {
        for (size_t i = 0; i < FILES_MAX; ++i)
                free(image->bytes[i]);
}

/* Files with two names stay files with two names. */
static void image_store_name(const struct image *image, const char *top, size_t number) {
        const struct name *name = &image->names[number];
        char path[PATH_SIZE], other[PATH_SIZE];
        ssize_t n;
        int fd;

        (void) path_format(path, top, name->place, name->name);
        for (size_t i = 0; i < number; ++i)
                if (image->names[i].file == name->file) {
                        (void) path_format(other, top, image->names[i].place, image->names[i].name);
                        require(link(other, path) == 0);
                        return;
                }

        fd = kernel_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
        require(fd >= 0);
        n = syscall(SYS_pwrite64, fd, image->bytes[name->file], image->sizes[name->file], 0);
        require(n == (ssize_t) image->sizes[name->file]);
        (void) close(fd);
}

void disk_rebuild(const char *path, size_t n_changes, size_t outcome, enum disk_loss loss) {
        _cleanup_(image_deinit) struct image image = {};
        char sealed[PATH_SIZE];

        image_fill(&image, n_changes, loss);
        image_name(&image, n_changes, outcome);

        require(mkdir(path_format(sealed, path, PLACE_TOP, SEALED_NAME), 0750) == 0);
        for (size_t i = 0; i < image.n_names; ++i)
                image_store_name(&image, path, i);
}

void disk_get_synced(size_t n_changes, disk_synced_t *synced, void *userdata) {
        _cleanup_(image_deinit) struct image kept = {}, named = {};

        image_fill(&kept, n_changes, DISK_LOSS_ALL);
        image_name(&named, n_changes, n_changes);
        for (size_t i = 0; i < named.n_names; ++i)
                synced(userdata, kept.bytes[named.names[i].file], kept.sizes[named.names[i].file]);
}

/* The name that it gives, NULL: none. */
static const char *change_get_name(const struct change *change, enum place place) {
        if (change->kind == CHANGE_CREATE)
                return change->place == place ? change->name : NULL;
        if (change->kind == CHANGE_RENAME || change->kind == CHANGE_LINK)
                return change->new_place == place ? change->new_name : NULL;
        return NULL;
}

/* What is sealed has its name or bytes from this change, which a power cut may undo. */
static bool image_is_unsure(const struct image *image, size_t number) {
        const struct change *change = &disk.changes[number];
        const char *new_name = change_get_name(change, PLACE_SEALED);

        for (size_t i = 0; i < image->n_names; ++i) {
                const struct name *name = &image->names[i];

                if (name->place != PLACE_SEALED)
                        continue;
                if (new_name && strcmp(new_name, name->name) == 0 &&
                                number >= changes_get_n_sure(disk.n_changes))
                        return true;
                if (change->kind == CHANGE_WRITE && change->file == name->file &&
                                !change_is_synced(number, disk.n_changes) && !strstr(name->name, ".suspect."))
                        return true;
        }

        return false;
}

bool disk_is_settled(void) {
        _cleanup_(image_deinit) struct image image = {};
        bool is_settled = true;

        image_name(&image, disk.n_changes, disk.n_changes);
        for (size_t i = 0; i < disk.n_changes && is_settled; ++i)
                is_settled = !image_is_unsure(&image, i);

        return is_settled;
}
