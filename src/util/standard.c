/* SPDX-License-Identifier: Apache-2.0 */

#include "util/standard.h"

#include <errno.h>
#include <fcntl.h>
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

bool standard_flush(const char *who) {
        errno = 0;
        /* Who has closed a pipe has read enough. */
        if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE)
                return true;

        /* What failed before, and is not to be had any more, has left no reason. */
        (void) fprintf(stderr, "%s: cannot write to standard output%s%s\n", who, errno > 0 ? ": " : "",
                        errno > 0 ? strerror(errno) : "");
        return false;
}
