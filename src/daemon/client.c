/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/client.h"

#include "lib/wire.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define STORE(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

/* what they share */

void clients_init(struct clients *clients, const struct publisher_settings *settings, struct ring *ring,
                struct audience *audience) {
        *clients = (struct clients){ .settings = settings, .ring = ring, .audience = audience };
        TAILQ_INIT(&clients->armed);
        for (size_t i = 0; i < N_CLIENT_STAGES; ++i)
                TAILQ_INIT(&clients->stages[i]);
}

uint64_t clients_get_published(const struct clients *clients) {
        return atomic_load_explicit(&clients->ring->header->published, memory_order_acquire);
}

void clients_notify(const struct clients *clients, const struct publisher_notice *notice) {
        if (clients->settings->notice)
                clients->settings->notice(clients->settings->userdata, notice);
}

static void clients_count_readers(const struct clients *clients) {
        unsigned int n = clients->n_clients[CLIENT_READER];

        audience_set_readers(clients->audience, n);
        STORE(clients->ring->statistics->n_readers, n);
}

/* the table of who reads */

static struct ring_consumer *consumer_find(const struct ring *ring) {
        for (uint32_t i = 0; i < ring->n_consumers; ++i)
                if (!atomic_load_explicit(&ring->consumers[i].is_used, memory_order_relaxed))
                        return &ring->consumers[i];

        return NULL;
}

static void client_enter(struct client *client, struct ring_consumer *consumer) {
        uint64_t words[ELEMENTSOF(consumer->name)] = {};

        static_assert(sizeof(words) == sizeof(client->name), "the table holds whole names");
        memcpy(words, client->name, sizeof(words));

        ring_consumer_begin(consumer);
        STORE(consumer->is_used, 1);
        STORE(consumer->pid, (uint32_t) client->pid);
        STORE(consumer->uid, client->uid);
        for (size_t i = 0; i < ELEMENTSOF(words); ++i)
                STORE(consumer->name[i], words[i]);
        STORE(consumer->since_ns, clock_now_ns(CLOCK_REALTIME));
        STORE(consumer->last_report_ns, client->last_report_ns);
        STORE(consumer->cursor, client->cursor);
        STORE(consumer->lag, 0);
        STORE(consumer->lost, 0);
        ring_consumer_end(consumer);

        client->consumer = consumer;
}

static void client_leave(struct client *client) {
        if (!client->consumer)
                return;

        ring_consumer_begin(client->consumer);
        STORE(client->consumer->is_used, 0);
        ring_consumer_end(client->consumer);
        client->consumer = NULL;
}

/* one client */

static struct publisher_notice client_notice(const struct client *client, enum publisher_notice_kind kind) {
        return (struct publisher_notice){
                .kind = kind,
                .name = client->name,
                .is_observer = client->stage == CLIENT_OBSERVER,
                .pid = client->pid,
                .uid = client->uid,
                .cursor = client->cursor,
                .lost = client->lost,
        };
}

static void client_set_stage(struct client *client, enum client_stage stage) {
        struct clients *clients = client->clients;

        TAILQ_REMOVE(&clients->stages[client->stage], client, entry);
        --clients->n_clients[client->stage];
        client->stage = stage;
        TAILQ_INSERT_TAIL(&clients->stages[stage], client, entry);
        ++clients->n_clients[stage];
}

static void client_disarm(struct client *client) {
        if (client->is_armed)
                TAILQ_REMOVE(&client->clients->armed, client, armed_entry);
        client->is_armed = false;
}

struct client *client_free(struct client *client) {
        struct clients *clients = client->clients;

        client_disarm(client);
        client_leave(client);
        TAILQ_REMOVE(&clients->stages[client->stage], client, entry);
        --clients->n_clients[client->stage];
        clients_count_readers(clients);

        (void) sd_event_source_disable_unref(client->source);
        closep(&client->fd);
        free(client);

        clients->freed(clients->userdata);
        return NULL;
}

static int client_send(struct client *client, const struct wire_message *message, int fd) {
        alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        char text[WIRE_MESSAGE_MAX];
        struct iovec iov = { .iov_base = text, .iov_len = wire_format(message, text) };
        struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (fd >= 0) {
                struct cmsghdr *cmsg;

                header.msg_control = control;
                header.msg_controllen = sizeof(control);
                cmsg = CMSG_FIRSTHDR(&header);
                *cmsg = (struct cmsghdr){
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(sizeof(int)),
                };
                memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
        }

        return sendmsg(client->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Whoever still has words in our queue when we hang up reads ECONNRESET in place of the answer. */
static void client_drain(struct client *client) {
        char byte;

        for (unsigned int i = 0; i < 64; ++i)
                if (recv(client->fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) <= 0)
                        return;
}

static void client_refuse(struct client *client, int error, const char *reason) {
        struct publisher_notice notice = client_notice(client, PUBLISHER_REFUSED);
        struct wire_message refused = { .kind = WIRE_REFUSED, .error = -error };

        (void) snprintf(refused.reason, sizeof(refused.reason), "%s", reason);
        (void) client_send(client, &refused, -1);
        client_drain(client);

        (void) atomic_fetch_add_explicit(
                        &client->clients->ring->statistics->readers_refused, 1, memory_order_relaxed);
        notice.error = error;
        notice.reason = reason;
        clients_notify(client->clients, &notice);
        (void) client_free(client);
}

static void client_hang_up(struct client *client, enum publisher_notice_kind kind) {
        struct publisher_notice notice = client_notice(client, kind);

        clients_notify(client->clients, &notice);
        (void) client_free(client);
}

/* what they say */

static void instance_format(const uint8_t instance[static 16], char text[static 33]) {
        for (size_t i = 0; i < 16; ++i)
                (void) snprintf(text + 2 * i, 3, "%02x", instance[i]);
}

static int client_welcome(struct client *client) {
        struct ring *ring = client->clients->ring;
        struct wire_message welcome = { .kind = WIRE_WELCOME, .version = I4_VERSION };

        instance_format(ring->header->identity.instance, welcome.instance);
        return client_send(client, &welcome, ring->reader_fd);
}

/* Seats it: NULL, or why there is no seat. */
static const char *client_admit(struct client *client, bool is_observer) {
        struct clients *clients = client->clients;
        struct ring_consumer *consumer;

        if (is_observer) {
                if (clients->n_clients[CLIENT_OBSERVER] >= PUBLISHER_OBSERVERS_MAX)
                        return "all places for observers are taken";
                client_set_stage(client, CLIENT_OBSERVER);
                return NULL;
        }

        consumer = consumer_find(clients->ring);
        if (!consumer)
                return "all places for readers are taken, see MaxReaders=";

        client_set_stage(client, CLIENT_READER);
        client_enter(client, consumer);
        clients_count_readers(clients);
        return NULL;
}

static void client_hear(struct client *client) {
        client->last_report_ns = clock_now_ns(CLOCK_BOOTTIME);
        client->heard_ns = clock_now_ns(CLOCK_MONOTONIC);
}

static void client_hello(struct client *client, const struct wire_message *hello) {
        const char *reason;

        (void) snprintf(client->name, sizeof(client->name), "%s", hello->name);
        client->cursor = clients_get_published(client->clients);
        client_hear(client);
        reason = client_admit(client, hello->is_observer);
        if (reason) {
                client_refuse(client, -EUSERS, reason);
                return;
        }

        if (client_welcome(client) < 0)
                (void) client_free(client);
        else {
                struct publisher_notice notice = client_notice(client, PUBLISHER_ATTACHED);

                clients_notify(client->clients, &notice);
        }
}

static void client_count_lost(struct client *client, uint64_t lost) {
        struct publisher_notice notice;

        /* What it says it has not lost after all stays counted. */
        if (lost <= client->lost)
                return;

        (void) atomic_fetch_add_explicit(&client->clients->ring->statistics->readers_lost,
                        lost - client->lost, memory_order_relaxed);
        notice = client_notice(client, PUBLISHER_LOST);
        notice.lost = lost;
        notice.n_lost = lost - client->lost;
        client->lost = lost;
        clients_notify(client->clients, &notice);
}

static void client_report(struct client *client, const struct wire_message *report) {
        struct ring_consumer *consumer = client->consumer;

        client_hear(client);
        client->cursor = report->cursor;
        client->lag = report->lag;
        client->is_silent = false;
        if (!consumer)
                return;

        client_count_lost(client, report->lost);

        ring_consumer_begin(consumer);
        STORE(consumer->last_report_ns, client->last_report_ns);
        STORE(consumer->cursor, report->cursor);
        STORE(consumer->lag, report->lag);
        STORE(consumer->lost, client->lost);
        ring_consumer_end(consumer);
}

void client_wake(struct client *client, uint64_t published) {
        struct wire_message wake = { .kind = WIRE_WAKE, .cursor = published };

        client_disarm(client);
        /* Who does not read its messages loses this one. */
        (void) client_send(client, &wake, -1);
}

static void client_arm(struct client *client, uint64_t cursor) {
        struct clients *clients = client->clients;
        uint64_t published = clients_get_published(clients);

        /* Nobody can have read further; who says so is woken by the next record like the others. */
        client->armed_cursor = MIN(cursor, published);
        if (!client->is_armed)
                TAILQ_INSERT_TAIL(&clients->armed, client, armed_entry);
        client->is_armed = true;

        audience_arm(clients->audience);
        published = clients_get_published(clients);
        if (published > client->armed_cursor)
                client_wake(client, published);
}

static void client_handle(struct client *client, const struct wire_message *message) {
        if ((message->kind == WIRE_HELLO) != (client->stage == CLIENT_MUTE)) {
                client_refuse(client, -EPROTO, "a hello comes first, and once");
                return;
        }

        switch (message->kind) {
        case WIRE_HELLO:
                client_hello(client, message);
                break;
        case WIRE_REPORT:
                client_report(client, message);
                break;
        case WIRE_ARM:
                client_arm(client, message->cursor);
                break;
        default:
                client_refuse(client, -EPROTO, "a reader says hello, report and arm, nothing else");
        }
}

static bool client_is_flooding(struct client *client) {
        uint64_t now_ns = clock_now_ns(CLOCK_BOOTTIME);

        if (now_ns - client->window_ns >= NSEC_PER_SEC) {
                client->window_ns = now_ns;
                client->n_messages = 0;
        }

        return ++client->n_messages > client->clients->settings->n_messages_max;
}

/* @n: what recv() has said. */
static void client_take(struct client *client, const char *text, ssize_t n) {
        struct wire_message message;

        if (n <= 0)
                client_hang_up(client, PUBLISHER_LEFT);
        else if ((size_t) n > WIRE_MESSAGE_MAX || wire_parse(&message, text, (size_t) n) < 0)
                client_refuse(client, -EPROTO, "this is not a message of i4's protocol");
        else if (client_is_flooding(client))
                client_refuse(client, -EPROTO, "too many messages");
        else
                client_handle(client, &message);
}

static int client_dispatch(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        char text[WIRE_MESSAGE_MAX];
        ssize_t n;

        n = recv(fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && !(revents & (EPOLLHUP | EPOLLERR)))))
                return 0;

        client_take(userdata, text, n);
        return 0;
}

void client_end_silence(struct client *client) {
        char text[WIRE_MESSAGE_MAX];
        ssize_t n;

        n = recv(client->fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                client_hang_up(client, PUBLISHER_MUTE);
        else
                client_take(client, text, n);
}

void client_check(struct client *client, uint64_t now_ns, uint64_t published) {
        struct publisher_notice notice;

        if (client->is_silent || client->cursor >= published ||
                        now_ns - client->heard_ns < client->clients->settings->silent_ns)
                return;

        client->is_silent = true;
        notice = client_notice(client, PUBLISHER_SILENT);
        notice.since_ns = now_ns - client->heard_ns;
        clients_notify(client->clients, &notice);
}

/* life cycle */

int client_new(struct client **clientp, struct clients *clients, sd_event *event, int fd) {
        struct ucred credentials = {};
        socklen_t size = sizeof(credentials);
        struct client *client;
        int r;

        client = calloc(1, sizeof(*client));
        if (!client)
                return -ENOMEM;

        r = sd_event_add_io(event, &client->source, fd, EPOLLIN, client_dispatch, client);
        if (r < 0) {
                free(client);
                return r;
        }
        (void) sd_event_source_set_priority(client->source, CLIENT_PRIORITY);
        (void) sd_event_source_set_description(client->source, "client");

        /* In a user namespace the kernel cannot always tell. */
        (void) getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
        client->clients = clients;
        client->fd = fd;
        client->pid = credentials.pid;
        client->uid = credentials.uid;
        client_hear(client);
        TAILQ_INSERT_TAIL(&clients->stages[CLIENT_MUTE], client, entry);
        ++clients->n_clients[CLIENT_MUTE];

        *clientp = client;
        return 0;
}
