/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/listen.h"

#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

static int address_init(struct sockaddr_un *address, const char *path) {
        *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(address->sun_path))
                return -ENAMETOOLONG;

        memcpy(address->sun_path, path, strlen(path) + 1);
        return 0;
}

/* Removes a socket that nobody listens on. */
static int socket_clear(const struct sockaddr_un *address) {
        _cleanup_(closep) int fd = -1;
        struct stat st;

        if (lstat(address->sun_path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -EADDRINUSE;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) >= 0 || errno != ECONNREFUSED)
                return -EADDRINUSE;

        return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

int listen_at(const char *path, mode_t mode, int *fdp) {
        _cleanup_(closep) int fd = -1;
        struct sockaddr_un address;
        int r;

        r = address_init(&address, path);
        if (r < 0)
                return r;
        r = socket_clear(&address);
        if (r < 0)
                return r;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;

        /* Until it listens nobody can connect, whatever the mode was for a moment. */
        if (chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0) {
                r = -errno;
                (void) unlink(path);
                return r;
        }

        *fdp = TAKE_FD(fd);
        return 0;
}
