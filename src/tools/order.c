/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/order.h"

#include "tools/attach.h"
#include "tools/say.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#define PACKET_MAX     4096u
#define CONTROL_SUFFIX ".control"
#define PATIENCE_SEC   10

static int address_init(struct sockaddr_un *address, const char *ring_path) {
        int n;

        *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
        n = snprintf(address->sun_path, sizeof(address->sun_path), "%s" CONTROL_SUFFIX, ring_path);
        return (size_t) n < sizeof(address->sun_path) ? 0 : -ENAMETOOLONG;
}

static int order_connect(const struct sockaddr_un *address, int *fdp) {
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        struct timeval patience = { .tv_sec = PATIENCE_SEC };

        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
                        connect(fd, (const struct sockaddr *) address, sizeof(*address)) < 0)
                return -errno;

        *fdp = TAKE_FD(fd);
        return 0;
}

static void explain(const struct order *order, const char *path, int error) {
        if (error == -EACCES || error == -EPERM)
                say(order->who, "not allowed to use %s: only root gives orders, try sudo", path);
        else if (error == -ENOENT || error == -ECONNREFUSED)
                say(order->who, "no i4d takes orders at %s; start it with 'sudo systemctl start i4d'", path);
        else if (error == -EAGAIN)
                say(order->who, "i4d does not answer at %s within %d s; 'systemctl status i4d' may say why",
                                path, PATIENCE_SEC);
        else if (error == -ECONNRESET || error == -EPIPE)
                say(order->who,
                                "i4d at %s hung up without an answer; 'journalctl -u i4d' tells whether it did what "
                                "was asked",
                                path);
        else
                say(order->who, "cannot ask i4d at %s: %s", path, strerror(-error));
}

static int order_exchange(int fd, const cJSON *request, char answer[static PACKET_MAX]) {
        ssize_t n;

        if (!cJSON_PrintPreallocated((cJSON *) request, answer, (int) PACKET_MAX, false))
                return -EMSGSIZE;
        if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
                return -errno;

        n = recv(fd, answer, PACKET_MAX - 1, 0);
        if (n < 0)
                return -errno;

        answer[n] = 0;
        return n > 0 ? 0 : -ECONNRESET;
}

/* A daemon that says neither is another one than this was made for. */
static int answer_check(const struct order *order, const cJSON *answer) {
        const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "error"));

        if (error) {
                say(order->who, "%s", error);
                return -EINVAL;
        }
        if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "done"))) {
                say(order->who, "i4d answers in a way that this i4 does not know");
                return -EPROTO;
        }

        return 0;
}

int order_send(const struct order *order, const cJSON *request, cJSON **answerp) {
        struct attachment attachment = { .path = order->path };
        char text[PACKET_MAX];
        _cleanup_(closep) int fd = -1;
        struct sockaddr_un address;
        cJSON *answer;
        int r;

        r = address_init(&address, attachment_get_path(&attachment));
        /* Orders are for the plant that runs; one that was stopped is not started by them. */
        if (r >= 0)
                r = attachment_finds_nobody(&attachment) ? -ECONNREFUSED : order_connect(&address, &fd);
        if (r >= 0)
                r = order_exchange(fd, request, text);
        if (r < 0) {
                explain(order, address.sun_path, r);
                return r;
        }

        answer = cJSON_Parse(text);
        r = answer_check(order, answer);
        if (r < 0) {
                cJSON_Delete(answer);
                return r;
        }

        *answerp = answer;
        return 0;
}
