/* SPDX-License-Identifier: Apache-2.0 */

#include "util/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void standard_open(void) {
        /* The lowest that is free is the one that is missing. Without /dev/null there is nothing to be done.
         */
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
                if (fcntl(fd, F_GETFD) < 0 &&
                                open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
                        return;
}

/* Who has closed a pipe has read enough. */
static bool standard_is_closed(void) {
        struct pollfd pollfd = { .fd = STDOUT_FILENO };

        return poll(&pollfd, 1, 0) > 0 && (pollfd.revents & POLLERR);
}

bool standard_flush(const char *who) {
        errno = 0;
        /* What failed before has left no reason. */
        if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE ||
                        (errno == 0 && standard_is_closed()))
                return true;

        (void) fprintf(stderr, "%s: cannot write to standard output%s%s\n", who, errno > 0 ? ": " : "",
                        errno > 0 ? strerror(errno) : "");
        return false;
}
