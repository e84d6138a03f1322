/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/connection.h"

#include "util/macros.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define HANDSHAKE_TIMEOUT_SEC 10

/* Taken in at once. A daemon sends one for each arm; who sends more must not keep the reader busy for ever.
 */
#define DRAIN_MAX 64u

static int error_classify(int error) {
        switch (error) {
        case EAGAIN: /* SO_RCVTIMEO and SO_SNDTIMEO say it so, too */
        case EINPROGRESS:
                return -ETIMEDOUT;
        case EPERM:
                return -EACCES;
        case EPIPE:
                return -ECONNRESET;
        default:
                return -error;
        }
}

static int socket_set_timeout(int fd) {
        struct timeval timeout = { .tv_sec = HANDSHAKE_TIMEOUT_SEC };

        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
                        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;

        return 0;
}

/* @flags: SOCK_NONBLOCK or 0. */
static int socket_connect(const char *path, int flags, int *fdp) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -1;
        int r;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, strlen(path) + 1);

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
        if (fd < 0)
                return -errno;
        r = socket_set_timeout(fd);
        if (r < 0)
                return r;
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return error_classify(errno);

        *fdp = TAKE_FD(fd);
        return 0;
}

static void take_descriptor(struct msghdr *header, int *fdp) {
        for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg))
                if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
                                cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
                        memcpy(fdp, CMSG_DATA(cmsg), sizeof(int));
}

static int receive_answer(int fd, struct wire_message *answer, int *ring_fdp) {
        _cleanup_(closep) int ring_fd = -1;
        char text[WIRE_MESSAGE_MAX];
        /* Room for one descriptor, without the padding, which would take a second one: the kernel closes what
         * does not fit. */
        alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
        struct msghdr header = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = CMSG_LEN(sizeof(int)),
        };
        ssize_t n;

        n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
        if (n < 0)
                return error_classify(errno);
        if (n == 0)
                return -ECONNRESET;

        take_descriptor(&header, &ring_fd);
        if ((header.msg_flags & MSG_TRUNC) || wire_parse(answer, text, (size_t) n) < 0)
                return -EPROTO;

        *ring_fdp = TAKE_FD(ring_fd);
        return 0;
}

static int connection_begin(const char *path, const struct wire_message *hello, int flags, int *fdp) {
        _cleanup_(closep) int fd = -1;
        char text[WIRE_MESSAGE_MAX];
        size_t n;
        int r;

        r = socket_connect(path, flags, &fd);
        if (r < 0)
                return r;

        n = wire_format(hello, text);
        if (send(fd, text, n, MSG_NOSIGNAL) < 0)
                return error_classify(errno);

        *fdp = TAKE_FD(fd);
        return 0;
}

int connection_start(const char *path, const struct wire_message *hello, int *fdp) {
        return connection_begin(path, hello, SOCK_NONBLOCK, fdp);
}

int connection_finish(int fd, int *ring_fdp) {
        _cleanup_(closep) int ring_fd = -1;
        struct wire_message answer;
        int r;

        r = receive_answer(fd, &answer, &ring_fd);
        if (r < 0)
                return r;
        if (answer.kind == WIRE_REFUSED)
                return -answer.error;
        if (answer.kind != WIRE_WELCOME || ring_fd < 0)
                return -EPROTO;

        *ring_fdp = TAKE_FD(ring_fd);
        return 0;
}

int connection_open(const char *path, const struct wire_message *hello, int *fdp, int *ring_fdp) {
        _cleanup_(closep) int fd = -1;
        int r;

        r = connection_begin(path, hello, 0, &fd);
        if (r < 0)
                return r;
        r = connection_finish(fd, ring_fdp);
        if (r < 0)
                return r;

        *fdp = TAKE_FD(fd);
        return 0;
}

int connection_send(int fd, const struct wire_message *message) {
        char text[WIRE_MESSAGE_MAX];
        size_t n = wire_format(message, text);

        if (send(fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
                return 0;

        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? -EAGAIN : -EPIPE;
}

int connection_drain(int fd) {
        struct wire_message message;
        char text[WIRE_MESSAGE_MAX];
        int woken = 0;

        for (unsigned int i = 0; i < DRAIN_MAX; ++i) {
                ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return woken;
                if (n <= 0)
                        return -EPIPE;
                if (wire_parse(&message, text, (size_t) n) >= 0 && message.kind == WIRE_WAKE)
                        woken = 1;
        }

        return woken;
}
