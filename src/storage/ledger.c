/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/ledger.h"

#include "util/file.h"
#include "util/macros.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define LEDGER_NAME ".sequence"
#define LEDGER_SIZE 21 /* 20 digits hold any number of 64 bits */

/* A power cut while it was written for the first time: the disk had the size, and not yet the bytes. */
static bool text_is_unwritten(const char *text, size_t size) {
        static const char nothing[LEDGER_SIZE];

        return size <= LEDGER_SIZE && memcmp(text, nothing, size) == 0;
}

int ledger_read(const char *path, uint64_t *nextp) {
        _cleanup_(closep) int directory_fd = -1, fd = -1;
        char text[LEDGER_SIZE + 1] = {}, *end;
        unsigned long long next;
        ssize_t n;
        int r;

        *nextp = 0;
        directory_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (directory_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        fd = openat(directory_fd, LEDGER_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        r = file_verify_sole(fd);
        if (r < 0)
                return r;

        n = read(fd, text, sizeof(text));
        if (n < 0)
                return -errno;
        if (text_is_unwritten(text, (size_t) n))
                return 0;
        if (n != LEDGER_SIZE || !isdigit((unsigned char) text[0]))
                return -EBADMSG;

        errno = 0;
        next = strtoull(text, &end, 10);
        if (errno != 0 || strcmp(end, "\n") != 0)
                return -EBADMSG;

        *nextp = next;
        return 0;
}

int ledger_write(int directory_fd, uint64_t next) {
        _cleanup_(closep) int fd = -1;
        char text[LEDGER_SIZE + 1];
        ssize_t n;
        int r;

        fd = openat(directory_fd, LEDGER_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                        0640);
        if (fd < 0)
                return -errno;
        r = file_verify_sole(fd);
        if (r < 0)
                return r;

        (void) snprintf(text, sizeof(text), "%020" PRIu64 "\n", next);
        n = pwrite(fd, text, LEDGER_SIZE, 0);
        if (n != LEDGER_SIZE)
                return n < 0 ? -errno : -ENOSPC;
        if (fdatasync(fd) < 0)
                return -errno;

        /* Its name, too, for the first time. */
        return fsync(directory_fd) < 0 ? -errno : 0;
}
