/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/sockets.h"

#include "daemon/control.h"
#include "daemon/listen.h"
#include "util/clock.h"
#include "util/socket_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int sockets_listen(struct sockets *sockets, const char *path, int *fdp) {
        int r;

        r = listen_at(path, 0660, fdp);
        if (r < 0)
                return r;

        sockets->is_ours = true;
        return 0;
}

void sockets_name(struct sockets *sockets, int fd) {
        struct sockaddr_un address = {};
        socklen_t size = sizeof(address) - 1;

        if (getsockname(fd, (struct sockaddr *) &address, &size) >= 0)
                (void) snprintf(sockets->readers, sizeof(sockets->readers), "%s", address.sun_path);
}

int sockets_listen_control(struct sockets *sockets, int *fdp) {
        int r;

        if (!sockets->is_ours)
                return 0;

        r = snprintf(sockets->control, sizeof(sockets->control), "%s" CONTROL_SUFFIX, sockets->readers);
        r = (size_t) r < sizeof(sockets->control) ? listen_at(sockets->control, 0600, fdp) : -ENAMETOOLONG;
        if (r < 0)
                *sockets->control = 0;
        return r;
}

static int sockets_set_time(const struct sockets *sockets, struct timespec modified) {
        const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, modified };

        return *sockets->readers && utimensat(AT_FDCWD, sockets->readers, times, 0) < 0 ? -errno : 0;
}

int sockets_tell_ready(const struct sockets *sockets) {
        /* Not UTIME_NOW, which goes by ticks: that may still be the time at which the socket was made. */
        return sockets_set_time(sockets, timespec_from_ns(clock_now_ns(CLOCK_REALTIME)));
}

void sockets_tell_stopped(const struct sockets *sockets) {
        /* Who could not be told that it was there, which was said, need not be told that it is not. */
        (void) sockets_set_time(sockets, (struct timespec){ .tv_sec = SOCKET_TIME_NOBODY });
}

void sockets_remove(const struct sockets *sockets) {
        if (sockets->is_ours && *sockets->readers)
                (void) unlink(sockets->readers);
        if (*sockets->control)
                (void) unlink(sockets->control);
}
