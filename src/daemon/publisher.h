/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's end of ring.sock
 *
 * Lets readers in, hands them the ring's read-only descriptor, keeps the table of who reads, and wakes those
 * that wait for a message. Everything a client may do wrong costs that client its connection, and nobody else
 * anything: no call blocks, no one may hold a place without having said who it is, and what a client does not
 * read is not sent again.
 *
 * Lives on the main loop's thread. It never logs: what is worth telling goes to the notice function.
 */

#include "daemon/audience.h"
#include "ring/ring.h"

#include <sys/types.h>
#include <systemd/sd-event.h>

struct publisher;

enum publisher_notice_kind {
        PUBLISHER_ATTACHED,
        PUBLISHER_LEFT,
        PUBLISHER_REFUSED, /* error: -EUSERS all places are taken; -EPROTO another version, not this protocol
                            */
        PUBLISHER_MUTE,    /* did not say who it is in time, or was the oldest of too many */
        PUBLISHER_LOST,    /* n_lost: more than it had told before */
        PUBLISHER_SILENT,  /* is behind and no longer says where; once, until it does; since_ns */
        PUBLISHER_EXHAUSTED, /* error: no descriptor or memory for another connection; once, until there is */
        PUBLISHER_N_NOTICES,
};

struct publisher_notice {
        enum publisher_notice_kind kind;
        int error;
        const char *reason; /* a sentence for REFUSED, else NULL */
        const char *name;   /* as the reader calls itself, "" before it did */
        bool is_observer;
        pid_t pid; /* 0: unknown */
        uid_t uid;
        uint64_t cursor;
        uint64_t lost; /* since it attached */
        uint64_t n_lost;
        uint64_t since_ns; /* since its last sign of life */
};

typedef void publisher_notice_t(void *userdata, const struct publisher_notice *notice);

struct publisher_settings {
        publisher_notice_t *notice;
        void *userdata;
        uint64_t hello_timeout_us;   /* 0: PUBLISHER_HELLO_SEC */
        uint64_t silent_ns;          /* 0: PUBLISHER_SILENT_SEC */
        unsigned int n_messages_max; /* a second, of one client; 0: PUBLISHER_MESSAGES_MAX */
};

#define PUBLISHER_HELLO_SEC     5u
#define PUBLISHER_SILENT_SEC    15u
#define PUBLISHER_OBSERVERS_MAX 64u
#define PUBLISHER_MUTE_MAX      64u
#define PUBLISHER_MESSAGES_MAX  5000u

/* @listen_fd is consumed on success. @event, @ring and @audience must outlive the publisher. */
int publisher_new(struct publisher **publisherp, const struct publisher_settings *settings, sd_event *event,
                struct ring *ring, struct audience *audience, int listen_fd);
struct publisher *publisher_free(struct publisher *publisher);

/* Tells the armed readers for whom there is something; the others stay armed. */
void publisher_wake(struct publisher *publisher);

/* To be called now and then: looks for readers that have fallen silent. */
void publisher_check(struct publisher *publisher);

unsigned int publisher_get_n_readers(const struct publisher *publisher);

/* By how many records the slowest reader was behind when it last said so. */
uint64_t publisher_get_lag(const struct publisher *publisher);

static inline void publisher_freep(struct publisher **publisher) {
        if (*publisher)
                (void) publisher_free(*publisher);
}
