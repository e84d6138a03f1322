/* SPDX-License-Identifier: Apache-2.0 */

#include "sensor-gen/output.h"

#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Ends the last line of @path, which is @fd, if it has no end. *@sizep is the size of the file and kept up.
 */
static int line_end(int fd, const char *path, uint64_t *sizep) {
        _cleanup_(closep) int read_fd = -1;
        char last;
        ssize_t n;

        /* Whoever may write a file may well be unable to read it, so the writing descriptor is of no use
         * here. */
        read_fd = open(path, O_RDONLY | O_CLOEXEC);
        if (read_fd < 0)
                return -errno;

        n = pread(read_fd, &last, 1, (off_t) *sizep - 1);
        if (n < 0)
                return -errno;
        if (n == 0 || last == '\n')
                return 0;

        n = pwrite(fd, "\n", 1, (off_t) *sizep);
        if (n < 0)
                return -errno;

        *sizep += (uint64_t) n;
        return 0;
}

int output_open(struct output *output, const char *path, bool is_append) {
        _cleanup_(closep) int fd = -1;
        uint64_t offset = 0;
        struct stat st;
        int r;

        /* Somebody else may have opened it, and may write to it before and after: it is only ever added to.
         */
        if (strcmp(path, "-") == 0) {
                *output = (struct output){ .fd = STDOUT_FILENO, .is_stream = true };
                return 0;
        }

        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (is_append ? 0 : O_TRUNC), 0666);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;

        if (is_append && S_ISREG(st.st_mode) && st.st_size > 0) {
                offset = (uint64_t) st.st_size;
                r = line_end(fd, path, &offset);
                if (r < 0)
                        return r;
        }

        *output = (struct output){ .fd = TAKE_FD(fd), .is_stream = !S_ISREG(st.st_mode), .offset = offset };
        return 0;
}

int64_t output_get_size(const struct output *output) {
        struct stat st;

        if (output->is_stream)
                return -ESPIPE;
        if (fstat(output->fd, &st) < 0)
                return -errno;

        return st.st_size;
}

int output_close(struct output *output) {
        int fd = TAKE_FD(output->fd);

        if (fd < 0 || fd == STDOUT_FILENO)
                return 0;

        return close(fd) < 0 ? -errno : 0;
}
