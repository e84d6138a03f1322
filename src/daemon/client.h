/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One that has connected to ring.sock
 *
 * It is mute until it says hello; that makes it an observer, or a reader with a line in the ring's table of
 * who reads. From then on it reports where it is and asks to be woken. A client that breaks the protocol is
 * told why and freed, from within its own event: nobody may hold on to one across a turn of the loop.
 *
 * The publisher lets clients in and looks after all of them; what they share with it is struct clients.
 */

#include "daemon/publisher.h"

#include <stdbool.h>
#include <sys/queue.h>

#define CLIENT_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10) /* the stream goes before those who ask for it */

enum client_stage {
        CLIENT_MUTE, /* connected, has not said hello */
        CLIENT_OBSERVER,
        CLIENT_READER,
        N_CLIENT_STAGES,
};

struct clients;

struct client {
        struct clients *clients;
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
        uint64_t heard_ns;       /* CLOCK_MONOTONIC of the same: while the node sleeps nobody is silent */
        uint64_t window_ns;      /* CLOCK_BOOTTIME: n_messages since then */
        unsigned int n_messages;
};

TAILQ_HEAD(client_list, client);

struct clients {
        const struct publisher_settings *settings;
        struct ring *ring;
        struct audience *audience;
        struct client_list stages[N_CLIENT_STAGES];
        unsigned int n_clients[N_CLIENT_STAGES];
        struct client_list armed;
        void (*freed)(void *userdata); /* a descriptor was closed */
        void *userdata;
};

/* All but freed() and its userdata, which the caller sets. What it is given must outlive the clients. */
void clients_init(struct clients *clients, const struct publisher_settings *settings, struct ring *ring,
                struct audience *audience);

/* The sequence number that the next record to be published will have. */
uint64_t clients_get_published(const struct clients *clients);

void clients_notify(const struct clients *clients, const struct publisher_notice *notice);

/* A mute one. @fd is consumed on success. */
int client_new(struct client **clientp, struct clients *clients, sd_event *event, int fd);
struct client *client_free(struct client *client);

/*
 * Of a mute one: its time is over. Takes what it has said, where that only waits for its turn; else it is
 * freed, and told of. Mute it is not afterwards.
 */
void client_end_silence(struct client *client);

/* Disarms it: who asked to be woken is woken once. */
void client_wake(struct client *client, uint64_t published);

/* Tells once of a reader that is behind and says nothing. @now_ns: CLOCK_MONOTONIC */
void client_check(struct client *client, uint64_t now_ns, uint64_t published);
