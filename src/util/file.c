/* SPDX-License-Identifier: Apache-2.0 */

#include "util/file.h"

#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define PIPE_SIZE (1 << 20)

static int file_open(const char *path, int *fdp) {
        _cleanup_(closep) int fd = -1;
        struct stat st;

        /* A pipe without a writer must not hold us up, so it is opened without waiting and read with. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (S_ISFIFO(st.st_mode) && fcntl(fd, F_SETFL, O_RDONLY) < 0)
                return -errno;

        *fdp = TAKE_FD(fd);
        return 0;
}

int file_read(const char *path, size_t max, char **textp, size_t *sizep) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -1;
        size_t size = 0, room = 0;
        ssize_t n;
        int r;

        r = file_open(path, &fd);
        if (r < 0)
                return r;

        for (;;) {
                if (size == room) {
                        char *larger;

                        if (size > max)
                                return -EFBIG;

                        room = MIN(room ? room * 2 : (size_t) 4096, max + 1);
                        larger = realloc(text, room + 1);
                        if (!larger)
                                return -ENOMEM;
                        text = larger;
                }

                n = read(fd, text + size, room - size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                size += (size_t) n;
        }

        text[size] = 0;
        *textp = TAKE_PTR(text);
        *sizep = size;
        return 0;
}

void file_hold(int fd) {
        /* Whoever has it to himself keeps it, too. */
        (void) flock(fd, LOCK_SH | LOCK_NB);
}

void file_widen_pipe(int fd) {
        int size = fcntl(fd, F_GETPIPE_SZ);

        if (size >= 0 && size < PIPE_SIZE)
                (void) fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
}

int file_write_all(int fd, const char *text, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, text, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                text += n;
                size -= (size_t) n;
        }

        return 0;
}

int file_verify_sole(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EMEDIUMTYPE;

        return st.st_nlink == 1 ? 0 : -EMLINK;
}

int file_rotate(const char *path, const char *old_path, size_t size_max) {
        struct stat st;

        if (stat(path, &st) < 0)
                return errno == ENOENT ? 1 : -errno;
        if (st.st_size == 0)
                return 1;
        if ((size_t) st.st_size < size_max)
                return 0;

        return rename(path, old_path) < 0 ? -errno : 1;
}

static bool line_is_torn(int fd, off_t end) {
        char last;

        return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

int file_append(const char *path, const char *lines, size_t size, bool is_durable) {
        _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
        off_t end;
        int r;

        if (fd < 0)
                return -errno;
        r = file_verify_sole(fd);
        if (r < 0)
                return r;
        end = lseek(fd, 0, SEEK_END);
        if (end < 0)
                return -errno;

        if (line_is_torn(fd, end))
                r = file_write_all(fd, "\n", 1);
        if (r >= 0)
                r = file_write_all(fd, lines, size);
        if (r >= 0 && is_durable && fdatasync(fd) < 0)
                r = -errno;
        if (r < 0)
                (void) !ftruncate(fd, end);
        return r;
}

int file_open_entries(int fd, DIR **dirp) {
        _cleanup_(closep) int own_fd = -1;

        own_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (own_fd < 0)
                return -errno;
        *dirp = fdopendir(own_fd);
        if (!*dirp)
                return -errno;

        (void) TAKE_FD(own_fd);
        return 0;
}
