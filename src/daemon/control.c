/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/control.h"

#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 16u
#define PATIENCE_US UINT64_C(5000000)
#define RETRY_US    UINT64_C(1000000)
#define HOLD_US     UINT64_C(500000)

#define ANSWER_STRANGER "{\"error\":\"only root may ask for that\"}"
#define ANSWER_TOO_LONG "{\"error\":\"the request is too long\"}"

struct control_client {
        struct control *control;
        sd_event_source *source, *timer;
        TAILQ_ENTRY(control_client) entry;
        int fd;
        bool is_held;
        char answer[CONTROL_PACKET_MAX];
};

TAILQ_HEAD(control_clients, control_client);

struct control {
        sd_event *event;
        sd_event_source *source;
        sd_event_source *retry_timer; /* while no connection can be accepted */
        int listen_fd;
        control_answer_t *answer;
        void *userdata;
        struct control_clients clients;
        unsigned int n_clients;
};

static void client_free(struct control_client *client) {
        TAILQ_REMOVE(&client->control->clients, client, entry);
        --client->control->n_clients;
        (void) sd_event_source_disable_unref(client->timer);
        (void) sd_event_source_disable_unref(client->source);
        closep(&client->fd);
        free(client);
}

/* An answer fits into any socket's buffer: nothing is waited for. */
static void client_send(struct control_client *client, const char *answer) {
        (void) !send(client->fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
        client_free(client);
}

/* Nothing more is asked by whoever waits for his answer, and whether he still does shows when it is sent. */
static void client_hold(struct control_client *client) {
        client->is_held = true;
        (void) sd_event_source_set_enabled(client->source, SD_EVENT_OFF);
        (void) sd_event_source_set_time_relative(client->timer, HOLD_US);
}

static void client_end(struct control_client *client) {
        if (client->is_held)
                client_send(client, client->answer);
        else
                client_free(client);
}

/* Packets arrive whole. */
static void client_answer(struct control_client *client) {
        struct control *control = client->control;
        char text[CONTROL_PACKET_MAX + 1];
        ssize_t n = recv(client->fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_TRUNC);

        if (n <= 0)
                client_free(client);
        else if ((size_t) n >= sizeof(text))
                client_send(client, ANSWER_TOO_LONG);
        else {
                text[n] = 0;
                if (control->answer(control->userdata, text, (size_t) n, client->answer))
                        client_send(client, client->answer);
                else
                        client_hold(client);
        }
}

static int client_dispatch(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct control_client *client = userdata;

        /* Whoever has gone was told that nobody answers, and does not reckon with it any more. */
        if (revents & EPOLLHUP)
                client_free(client);
        else
                client_answer(client);
        return 0;
}

static int client_dispatch_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        client_end(userdata);
        return 0;
}

static int client_add_sources(struct control_client *client) {
        sd_event *event = client->control->event;
        int r;

        r = sd_event_add_io(event, &client->source, client->fd, EPOLLIN, client_dispatch, client);
        if (r < 0)
                return r;

        return sd_event_add_time_relative(
                        event, &client->timer, CLOCK_BOOTTIME, PATIENCE_US, 0, client_dispatch_timer, client);
}

/* @fd is consumed. */
static void client_new(struct control *control, int fd) {
        struct control_client *client = calloc(1, sizeof(*client));

        if (!client) {
                (void) close(fd);
                return;
        }

        client->control = control;
        client->fd = fd;
        TAILQ_INSERT_TAIL(&control->clients, client, entry);
        ++control->n_clients;
        if (client_add_sources(client) < 0)
                client_free(client);
}

static bool peer_is_allowed(int fd) {
        struct ucred credentials;
        socklen_t size = sizeof(credentials);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) >= 0 &&
               (credentials.uid == 0 || credentials.uid == geteuid());
}

static int control_dispatch_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        const struct control *control = userdata;

        return sd_event_source_set_enabled(control->source, SD_EVENT_ON);
}

/* The connection stays in the queue, so the socket stays readable: look elsewhere for a while. */
static void control_pause(struct control *control) {
        (void) sd_event_source_set_enabled(control->source, SD_EVENT_OFF);
        (void) sd_event_source_set_time_relative(control->retry_timer, RETRY_US);
        (void) sd_event_source_set_enabled(control->retry_timer, SD_EVENT_ONESHOT);
}

static int control_dispatch(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct control *control = userdata;
        int client_fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client_fd < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                        control_pause(control);
                return 0;
        }

        if (!peer_is_allowed(client_fd)) {
                (void) !send(client_fd, ANSWER_STRANGER, strlen(ANSWER_STRANGER),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
                (void) close(client_fd);
                return 0;
        }

        /* The oldest has had its time. */
        if (control->n_clients >= CLIENTS_MAX)
                client_end(TAILQ_FIRST(&control->clients));
        client_new(control, client_fd);
        return 0;
}

void control_release(struct control *control, const char *instead) {
        struct control_client *client, *next;

        for (client = TAILQ_FIRST(&control->clients); client; client = next) {
                next = TAILQ_NEXT(client, entry);
                if (client->is_held)
                        client_send(client, instead ? instead : client->answer);
        }
}

int control_new(struct control **controlp, sd_event *event, int listen_fd, control_answer_t *answer,
                void *userdata) {
        _cleanup_(control_freep) struct control *control = NULL;
        int r;

        control = calloc(1, sizeof(*control));
        if (!control)
                return -ENOMEM;

        control->event = event;
        control->listen_fd = -1;
        control->answer = answer;
        control->userdata = userdata;
        TAILQ_INIT(&control->clients);

        /* Whoever gives up between being announced and being accepted must not make us wait for the next. */
        if (fcntl(listen_fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
                return -errno;
        r = sd_event_add_io(event, &control->source, listen_fd, EPOLLIN, control_dispatch, control);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(event, &control->retry_timer, CLOCK_BOOTTIME, RETRY_US, 0,
                        control_dispatch_retry, control);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(control->retry_timer, SD_EVENT_OFF);

        control->listen_fd = listen_fd;
        *controlp = TAKE_PTR(control);
        return 0;
}

struct control *control_free(struct control *control) {
        if (!control)
                return NULL;

        while (!TAILQ_EMPTY(&control->clients))
                client_free(TAILQ_FIRST(&control->clients));
        (void) sd_event_source_disable_unref(control->retry_timer);
        (void) sd_event_source_disable_unref(control->source);
        closep(&control->listen_fd);
        free(control);
        return NULL;
}
