/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/publisher.h"

#include "daemon/client.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define ACCEPT_MAX      16u /* a turn */
#define ACCEPT_RETRY_US UINT64_C(1000000)
#define TIMER_SLACK_US  UINT64_C(250000)

struct publisher {
        struct publisher_settings settings;
        struct clients clients;
        sd_event_source *listen_source;
        sd_event_source *hello_timer; /* for the oldest of the mute */
        sd_event_source *retry_timer; /* while no connection can be accepted */
        bool is_exhausted;
        int listen_fd;
};

/* who comes in */

static void publisher_resume(struct publisher *publisher) {
        (void) sd_event_source_set_enabled(publisher->listen_source, SD_EVENT_ON);
        (void) sd_event_source_set_enabled(publisher->retry_timer, SD_EVENT_OFF);
}

/* The descriptor that was just closed may be the one that lacked. */
static void publisher_client_freed(void *userdata) {
        struct publisher *publisher = userdata;

        if (publisher->is_exhausted)
                publisher_resume(publisher);
}

static void publisher_set_hello_timer(struct publisher *publisher) {
        const struct client *oldest = TAILQ_FIRST(&publisher->clients.stages[CLIENT_MUTE]);

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

        while ((client = TAILQ_FIRST(&publisher->clients.stages[CLIENT_MUTE])) &&
                        now_ns - client->last_report_ns >= timeout_ns)
                client_end_silence(client);

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
                clients_notify(&publisher->clients, &notice);
        publisher->is_exhausted = true;
}

/* False: there is nobody else. */
static bool publisher_accept(struct publisher *publisher, sd_event *event) {
        _cleanup_(closep) int client_fd = -1;
        struct client *client;
        int r;

        client_fd = accept4(publisher->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (client_fd < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                        publisher_pause(publisher, -errno);
                return false;
        }

        r = client_new(&client, &publisher->clients, event, client_fd);
        if (r < 0) {
                publisher_pause(publisher, r);
                return false;
        }

        (void) TAKE_FD(client_fd);
        publisher->is_exhausted = false;

        /* Those who mean to say something do so at once: the oldest silence is the most suspicious. */
        if (publisher->clients.n_clients[CLIENT_MUTE] > PUBLISHER_MUTE_MAX)
                client_end_silence(TAILQ_FIRST(&publisher->clients.stages[CLIENT_MUTE]));
        return true;
}

/* Each client says one thing a turn, and those outside are many: several come in. */
static int publisher_dispatch_listen(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        struct publisher *publisher = userdata;

        for (unsigned int i = 0; i < ACCEPT_MAX; ++i)
                if (!publisher_accept(publisher, sd_event_source_get_event(source)))
                        break;

        publisher_set_hello_timer(publisher);
        return 0;
}

/* who is in */

void publisher_wake(struct publisher *publisher) {
        uint64_t published;

        do {
                struct client *client = TAILQ_FIRST(&publisher->clients.armed), *next;

                published = clients_get_published(&publisher->clients);
                for (; client; client = next) {
                        next = TAILQ_NEXT(client, armed_entry);
                        if (client->armed_cursor < published)
                                client_wake(client, published);
                }
                if (TAILQ_EMPTY(&publisher->clients.armed))
                        return;

                /* Ends in the second round: by then all that is armed is behind what is published. */
                audience_arm(publisher->clients.audience);
        } while (clients_get_published(&publisher->clients) != published);
}

void publisher_check(struct publisher *publisher) {
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC),
                 published = clients_get_published(&publisher->clients);
        struct client *client;

        TAILQ_FOREACH(client, &publisher->clients.stages[CLIENT_READER], entry) {
                client_check(client, now_ns, published);
        }
}

unsigned int publisher_get_n_readers(const struct publisher *publisher) {
        return publisher->clients.n_clients[CLIENT_READER];
}

uint64_t publisher_get_lag(const struct publisher *publisher) {
        const struct client *client;
        uint64_t lag = 0;

        TAILQ_FOREACH(client, &publisher->clients.stages[CLIENT_READER], entry)
        lag = MAX(lag, client->lag);

        return lag;
}

/* life cycle */

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
        publisher->listen_fd = -1;
        publisher_set_defaults(&publisher->settings);
        clients_init(&publisher->clients, &publisher->settings, ring, audience);
        publisher->clients.freed = publisher_client_freed;
        publisher->clients.userdata = publisher;

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
                while (!TAILQ_EMPTY(&publisher->clients.stages[i]))
                        (void) client_free(TAILQ_FIRST(&publisher->clients.stages[i]));

        (void) sd_event_source_disable_unref(publisher->retry_timer);
        (void) sd_event_source_disable_unref(publisher->hello_timer);
        (void) sd_event_source_disable_unref(publisher->listen_source);
        closep(&publisher->listen_fd);
        free(publisher);
        return NULL;
}
