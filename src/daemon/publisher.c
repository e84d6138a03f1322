/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/publisher.h"

#include "lib/wire.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG         128
#define ACCEPT_RETRY_US UINT64_C(1000000)
#define TIMER_SLACK_US  UINT64_C(250000)
#define CLIENT_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10) /* the stream goes before those who ask for it */

enum client_stage {
        CLIENT_MUTE, /* connected, has not said hello */
        CLIENT_OBSERVER,
        CLIENT_READER,
        N_CLIENT_STAGES,
};

struct client {
        struct publisher *publisher;
        sd_event_source *source;
        enum client_stage stage;
        TAILQ_ENTRY(client) entry;       /* of its stage, in the order of arrival */
        TAILQ_ENTRY(client) armed_entry; /* while it waits to be woken */
        bool is_armed;
        bool is_silent;
        int fd;

        struct ring_consumer *consumer; /* readers: their line in the table */
        char name[32];
        pid_t pid;
        uid_t uid;
        uint64_t cursor;
        uint64_t lag;
        uint64_t armed_cursor;
        uint64_t lost;
        uint64_t last_report_ns; /* CLOCK_BOOTTIME; at first, when it connected */
        uint64_t window_ns;      /* CLOCK_BOOTTIME: n_messages since then */
        unsigned int n_messages;
};

TAILQ_HEAD(clients, client);

struct publisher {
        struct publisher_settings settings;
        struct ring *ring;
        struct audience *audience;
        struct clients clients[N_CLIENT_STAGES];
        unsigned int n_clients[N_CLIENT_STAGES];
        struct clients armed;
        sd_event_source *listen_source;
        sd_event_source *hello_timer; /* for the oldest of the mute */
        sd_event_source *retry_timer; /* while no connection can be accepted */
        bool is_exhausted;
        int listen_fd;
};

#define STORE(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

static uint64_t publisher_get_published(const struct publisher *publisher) {
        return atomic_load_explicit(&publisher->ring->header->published, memory_order_acquire);
}

static void publisher_notify(struct publisher *publisher, const struct publisher_notice *notice) {
        if (publisher->settings.notice)
                publisher->settings.notice(publisher->settings.userdata, notice);
}

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

/* the table of who reads */

/* Pairs with peer_read(): who reads in between throws away what it has read. */
static void consumer_begin(struct ring_consumer *consumer) {
        STORE(consumer->lock, atomic_load_explicit(&consumer->lock, memory_order_relaxed) | 1);
        atomic_thread_fence(memory_order_release);
}

static void consumer_end(struct ring_consumer *consumer) {
        uint32_t lock = atomic_load_explicit(&consumer->lock, memory_order_relaxed);

        atomic_store_explicit(&consumer->lock, lock + 1, memory_order_release);
}

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

        consumer_begin(consumer);
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
        consumer_end(consumer);

        client->consumer = consumer;
}

static void client_leave(struct client *client) {
        if (!client->consumer)
                return;

        consumer_begin(client->consumer);
        STORE(client->consumer->is_used, 0);
        consumer_end(client->consumer);
        client->consumer = NULL;
}

/* clients */

static void publisher_count(struct publisher *publisher) {
        unsigned int n = publisher->n_clients[CLIENT_READER];

        audience_set_readers(publisher->audience, n);
        STORE(publisher->ring->statistics->n_readers, n);
}

static void client_set_stage(struct client *client, enum client_stage stage) {
        struct publisher *publisher = client->publisher;

        TAILQ_REMOVE(&publisher->clients[client->stage], client, entry);
        --publisher->n_clients[client->stage];
        client->stage = stage;
        TAILQ_INSERT_TAIL(&publisher->clients[stage], client, entry);
        ++publisher->n_clients[stage];
}

static void client_disarm(struct client *client) {
        if (client->is_armed)
                TAILQ_REMOVE(&client->publisher->armed, client, armed_entry);
        client->is_armed = false;
}

static void publisher_resume(struct publisher *publisher) {
        (void) sd_event_source_set_enabled(publisher->listen_source, SD_EVENT_ON);
        (void) sd_event_source_set_enabled(publisher->retry_timer, SD_EVENT_OFF);
}

static struct client *client_free(struct client *client) {
        struct publisher *publisher = client->publisher;

        client_disarm(client);
        client_leave(client);
        TAILQ_REMOVE(&publisher->clients[client->stage], client, entry);
        --publisher->n_clients[client->stage];
        publisher_count(publisher);

        (void) sd_event_source_disable_unref(client->source);
        closep(&client->fd);
        free(client);

        /* The descriptor that was just closed may be the one that lacked. */
        if (publisher->is_exhausted)
                publisher_resume(publisher);
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
                        &client->publisher->ring->statistics->readers_refused, 1, memory_order_relaxed);
        notice.error = error;
        notice.reason = reason;
        publisher_notify(client->publisher, &notice);
        (void) client_free(client);
}

static void client_hang_up(struct client *client, enum publisher_notice_kind kind) {
        struct publisher_notice notice = client_notice(client, kind);

        publisher_notify(client->publisher, &notice);
        (void) client_free(client);
}

/* what they say */

static void instance_format(const uint8_t instance[static 16], char text[static 33]) {
        for (size_t i = 0; i < 16; ++i)
                (void) snprintf(text + 2 * i, 3, "%02x", instance[i]);
}

static int client_welcome(struct client *client) {
        struct ring *ring = client->publisher->ring;
        struct wire_message welcome = { .kind = WIRE_WELCOME, .version = I4_VERSION };

        instance_format(ring->header->identity.instance, welcome.instance);
        return client_send(client, &welcome, ring->reader_fd);
}

/* Seats it: NULL, or why there is no seat. */
static const char *client_admit(struct client *client, bool is_observer) {
        struct publisher *publisher = client->publisher;
        struct ring_consumer *consumer;

        if (is_observer) {
                if (publisher->n_clients[CLIENT_OBSERVER] >= PUBLISHER_OBSERVERS_MAX)
                        return "all places for observers are taken";
                client_set_stage(client, CLIENT_OBSERVER);
                return NULL;
        }

        consumer = consumer_find(publisher->ring);
        if (!consumer)
                return "all places for readers are taken, see MaxReaders=";

        client_set_stage(client, CLIENT_READER);
        client_enter(client, consumer);
        publisher_count(publisher);
        return NULL;
}

static void client_hello(struct client *client, const struct wire_message *hello) {
        const char *reason;

        (void) snprintf(client->name, sizeof(client->name), "%s", hello->name);
        client->cursor = publisher_get_published(client->publisher);
        client->last_report_ns = clock_now_ns(CLOCK_BOOTTIME);
        reason = client_admit(client, hello->is_observer);
        if (reason) {
                client_refuse(client, -EUSERS, reason);
                return;
        }

        if (client_welcome(client) < 0)
                (void) client_free(client);
        else {
                struct publisher_notice notice = client_notice(client, PUBLISHER_ATTACHED);

                publisher_notify(client->publisher, &notice);
        }
}

static void client_count_lost(struct client *client, uint64_t lost) {
        struct publisher_notice notice;

        /* What it says it has not lost after all stays counted. */
        if (lost <= client->lost)
                return;

        (void) atomic_fetch_add_explicit(&client->publisher->ring->statistics->readers_lost,
                        lost - client->lost, memory_order_relaxed);
        notice = client_notice(client, PUBLISHER_LOST);
        notice.lost = lost;
        notice.n_lost = lost - client->lost;
        client->lost = lost;
        publisher_notify(client->publisher, &notice);
}

static void client_report(struct client *client, const struct wire_message *report) {
        struct ring_consumer *consumer = client->consumer;

        client->last_report_ns = clock_now_ns(CLOCK_BOOTTIME);
        client->cursor = report->cursor;
        client->lag = report->lag;
        client->is_silent = false;
        if (!consumer)
                return;

        client_count_lost(client, report->lost);

        consumer_begin(consumer);
        STORE(consumer->last_report_ns, client->last_report_ns);
        STORE(consumer->cursor, report->cursor);
        STORE(consumer->lag, report->lag);
        STORE(consumer->lost, client->lost);
        consumer_end(consumer);
}

static void client_wake(struct client *client, uint64_t published) {
        struct wire_message wake = { .kind = WIRE_WAKE, .cursor = published };

        client_disarm(client);
        /* Who does not read its messages loses this one. */
        (void) client_send(client, &wake, -1);
}

static void client_arm(struct client *client, uint64_t cursor) {
        struct publisher *publisher = client->publisher;
        uint64_t published = publisher_get_published(publisher);

        /* Nobody can have read further; who says so is woken by the next record like the others. */
        client->armed_cursor = MIN(cursor, published);
        if (!client->is_armed)
                TAILQ_INSERT_TAIL(&publisher->armed, client, armed_entry);
        client->is_armed = true;

        audience_arm(publisher->audience);
        published = publisher_get_published(publisher);
        if (published > client->armed_cursor)
                client_wake(client, published);
}

void publisher_wake(struct publisher *publisher) {
        uint64_t published;

        do {
                struct client *client = TAILQ_FIRST(&publisher->armed), *next;

                published = publisher_get_published(publisher);
                for (; client; client = next) {
                        next = TAILQ_NEXT(client, armed_entry);
                        if (client->armed_cursor < published)
                                client_wake(client, published);
                }
                if (TAILQ_EMPTY(&publisher->armed))
                        return;

                /* Ends in the second round: by then all that is armed is behind what is published. */
                audience_arm(publisher->audience);
        } while (publisher_get_published(publisher) != published);
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

        return ++client->n_messages > client->publisher->settings.n_messages_max;
}

static int client_dispatch(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct client *client = userdata;
        struct wire_message message;
        char text[WIRE_MESSAGE_MAX];
        ssize_t n;

        n = recv(fd, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && !(revents & (EPOLLHUP | EPOLLERR)))))
                return 0;

        if (n <= 0)
                client_hang_up(client, PUBLISHER_LEFT);
        else if ((size_t) n > sizeof(text) || wire_parse(&message, text, (size_t) n) < 0)
                client_refuse(client, -EPROTO, "this is not a message of i4's protocol");
        else if (client_is_flooding(client))
                client_refuse(client, -EPROTO, "too many messages");
        else
                client_handle(client, &message);

        return 0;
}

/* who comes in */

static int client_new(struct client **clientp, struct publisher *publisher, int fd) {
        struct ucred credentials = {};
        socklen_t size = sizeof(credentials);
        struct client *client;
        int r;

        client = calloc(1, sizeof(*client));
        if (!client)
                return -ENOMEM;

        r = sd_event_add_io(sd_event_source_get_event(publisher->listen_source), &client->source, fd, EPOLLIN,
                        client_dispatch, client);
        if (r < 0) {
                free(client);
                return r;
        }
        (void) sd_event_source_set_priority(client->source, CLIENT_PRIORITY);
        (void) sd_event_source_set_description(client->source, "client");

        /* In a user namespace the kernel cannot always tell. */
        (void) getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
        client->publisher = publisher;
        client->fd = fd;
        client->pid = credentials.pid;
        client->uid = credentials.uid;
        client->last_report_ns = clock_now_ns(CLOCK_BOOTTIME);
        TAILQ_INSERT_TAIL(&publisher->clients[CLIENT_MUTE], client, entry);
        ++publisher->n_clients[CLIENT_MUTE];

        *clientp = client;
        return 0;
}

static void publisher_set_hello_timer(struct publisher *publisher) {
        const struct client *oldest = TAILQ_FIRST(&publisher->clients[CLIENT_MUTE]);

        if (!oldest) {
                (void) sd_event_source_set_enabled(publisher->hello_timer, SD_EVENT_OFF);
                return;
        }

        (void) sd_event_source_set_time(publisher->hello_timer,
                        oldest->last_report_ns / NSEC_PER_USEC + publisher->settings.hello_timeout_us);
        (void) sd_event_source_set_enabled(publisher->hello_timer, SD_EVENT_ONESHOT);
}

static int publisher_dispatch_hello(sd_event_source *source, uint64_t usec, void *userdata) {
        struct publisher *publisher = userdata;
        uint64_t now_ns = clock_now_ns(CLOCK_BOOTTIME),
                 timeout_ns = publisher->settings.hello_timeout_us * 1000;
        struct client *client;

        while ((client = TAILQ_FIRST(&publisher->clients[CLIENT_MUTE])) &&
                        now_ns - client->last_report_ns >= timeout_ns)
                client_hang_up(client, PUBLISHER_MUTE);

        publisher_set_hello_timer(publisher);
        return 0;
}

static int publisher_dispatch_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        publisher_resume(userdata);
        return 0;
}

/* The connection stays in the queue, so the socket stays readable: look elsewhere for a while. */
static void publisher_pause(struct publisher *publisher, int error) {
        struct publisher_notice notice = { .kind = PUBLISHER_EXHAUSTED, .error = error, .name = "" };

        (void) sd_event_source_set_enabled(publisher->listen_source, SD_EVENT_OFF);
        (void) sd_event_source_set_time(publisher->retry_timer,
                        clock_now_ns(CLOCK_BOOTTIME) / NSEC_PER_USEC + ACCEPT_RETRY_US);
        (void) sd_event_source_set_enabled(publisher->retry_timer, SD_EVENT_ONESHOT);

        if (!publisher->is_exhausted)
                publisher_notify(publisher, &notice);
        publisher->is_exhausted = true;
}

static int publisher_dispatch_listen(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct publisher *publisher = userdata;
        _cleanup_(closep) int client_fd = -1;
        struct client *client;
        int r;

        client_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client_fd < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                        publisher_pause(publisher, -errno);
                return 0;
        }

        r = client_new(&client, publisher, client_fd);
        if (r < 0) {
                publisher_pause(publisher, r);
                return 0;
        }

        (void) TAKE_FD(client_fd);
        publisher->is_exhausted = false;

        /* Those who mean to say something do so at once: the oldest silence is the most suspicious. */
        if (publisher->n_clients[CLIENT_MUTE] > PUBLISHER_MUTE_MAX)
                client_hang_up(TAILQ_FIRST(&publisher->clients[CLIENT_MUTE]), PUBLISHER_MUTE);
        publisher_set_hello_timer(publisher);
        return 0;
}

void publisher_check(struct publisher *publisher) {
        uint64_t now_ns = clock_now_ns(CLOCK_BOOTTIME), published = publisher_get_published(publisher);
        struct client *client;

        TAILQ_FOREACH(client, &publisher->clients[CLIENT_READER], entry) {
                struct publisher_notice notice;

                if (client->is_silent || client->cursor >= published ||
                                now_ns - client->last_report_ns < publisher->settings.silent_ns)
                        continue;

                client->is_silent = true;
                notice = client_notice(client, PUBLISHER_SILENT);
                notice.since_ns = now_ns - client->last_report_ns;
                publisher_notify(publisher, &notice);
        }
}

unsigned int publisher_get_n_readers(const struct publisher *publisher) {
        return publisher->n_clients[CLIENT_READER];
}

uint64_t publisher_get_lag(const struct publisher *publisher) {
        const struct client *client;
        uint64_t lag = 0;

        TAILQ_FOREACH(client, &publisher->clients[CLIENT_READER], entry)
        lag = MAX(lag, client->lag);

        return lag;
}

/* life cycle */

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

int publisher_listen(const char *path, int *fdp) {
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
        if (chmod(path, 0660) < 0 || listen(fd, BACKLOG) < 0) {
                r = -errno;
                (void) unlink(path);
                return r;
        }

        *fdp = TAKE_FD(fd);
        return 0;
}

static int publisher_add_sources(struct publisher *publisher, sd_event *event, int listen_fd) {
        int r;

        r = sd_event_add_io(event, &publisher->listen_source, listen_fd, EPOLLIN, publisher_dispatch_listen,
                        publisher);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &publisher->hello_timer, CLOCK_BOOTTIME, 0, TIMER_SLACK_US,
                        publisher_dispatch_hello, publisher);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &publisher->retry_timer, CLOCK_BOOTTIME, 0, TIMER_SLACK_US,
                        publisher_dispatch_retry, publisher);
        if (r < 0)
                return r;

        (void) sd_event_source_set_priority(publisher->listen_source, CLIENT_PRIORITY);
        (void) sd_event_source_set_enabled(publisher->hello_timer, SD_EVENT_OFF);
        (void) sd_event_source_set_enabled(publisher->retry_timer, SD_EVENT_OFF);
        return 0;
}

static void publisher_set_defaults(struct publisher_settings *settings) {
        if (!settings->hello_timeout_us)
                settings->hello_timeout_us = PUBLISHER_HELLO_SEC * UINT64_C(1000000);
        if (!settings->silent_ns)
                settings->silent_ns = PUBLISHER_SILENT_SEC * NSEC_PER_SEC;
        if (!settings->n_messages_max)
                settings->n_messages_max = PUBLISHER_MESSAGES_MAX;
}

int publisher_new(struct publisher **publisherp, const struct publisher_settings *settings, sd_event *event,
                struct ring *ring, struct audience *audience, int listen_fd) {
        _cleanup_(publisher_freep) struct publisher *publisher = NULL;
        int r;

        publisher = calloc(1, sizeof(*publisher));
        if (!publisher)
                return -ENOMEM;

        publisher->settings = *settings;
        publisher->ring = ring;
        publisher->audience = audience;
        publisher->listen_fd = -1;
        TAILQ_INIT(&publisher->armed);
        for (size_t i = 0; i < N_CLIENT_STAGES; ++i)
                TAILQ_INIT(&publisher->clients[i]);
        publisher_set_defaults(&publisher->settings);

        /* Whoever gives up between being announced and being accepted must not make us wait for the next. */
        if (fcntl(listen_fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
                return -errno;
        r = publisher_add_sources(publisher, event, listen_fd);
        if (r < 0)
                return r;

        publisher->listen_fd = listen_fd;
        *publisherp = TAKE_PTR(publisher);
        return 0;
}

struct publisher *publisher_free(struct publisher *publisher) {
        if (!publisher)
                return NULL;

        publisher->is_exhausted = false;
        for (size_t i = 0; i < N_CLIENT_STAGES; ++i)
                while (!TAILQ_EMPTY(&publisher->clients[i]))
                        (void) client_free(TAILQ_FIRST(&publisher->clients[i]));

        (void) sd_event_source_disable_unref(publisher->retry_timer);
        (void) sd_event_source_disable_unref(publisher->hello_timer);
        (void) sd_event_source_disable_unref(publisher->listen_source);
        closep(&publisher->listen_fd);
        free(publisher);
        return NULL;
}
