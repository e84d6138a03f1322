/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a reader is, and how it stays in touch with a daemon
 *
 * For reader.c alone: others see i4.h. All times are of CLOCK_MONOTONIC, or of its coarse twin, which is
 * never ahead.
 */

#include "i4.h"
#include "lib/view.h"
#include "lib/wire.h"
#include "util/socket_mark.h"

#include <stdbool.h>

struct i4_reader {
        struct ring_view view;
        struct i4_catalog *catalog;
        uint64_t cursor;
        uint64_t lost;
        uint64_t margin;       /* to leave between the cursor and the writer after the next loss */
        uint64_t beat_ns;      /* the owner's heartbeat when i4_reader_read() last looked at the clock */
        uint64_t next_tend_ns; /* CLOCK_MONOTONIC */
        int condition;         /* -ESTALE or -EPIPE, to be told once all records are read */

        char *path; /* NULL: made from a descriptor, there is no daemon to talk to */
        struct wire_message hello;
        struct socket_mark mark;
        uint32_t generation;    /* of the owner we are connected to */
        uint64_t gone_since_ns; /* CLOCK_MONOTONIC */
        uint64_t gone_beat_ns;  /* the owner's heartbeat when it went */
        uint64_t lost_told;     /* as much of @lost is known to a daemon, */
        uint64_t lost_before;   /* and so much was when we connected to this one */
        int fd;                 /* -1: not connected */

        int asked_fd; /* a connection on which the hello has not been answered; -1: none */
        uint64_t asked_ns;

        int epoll_fd; /* -1: the program has not asked for a descriptor */
        int timer_fd;
        bool is_armed;
};

/* CLOCK_BOOTTIME of the owner's last sign of life, nanoseconds. */
static inline uint64_t reader_get_beat(const struct i4_reader *reader) {
        return atomic_load_explicit(&reader->view.header->identity.heartbeat_ns, memory_order_relaxed);
}

/* @fd is a connection on which the welcome has come, and becomes the reader's. */
void reader_set_connection(struct i4_reader *reader, int fd);
void reader_disconnect(struct i4_reader *reader, uint64_t now_ns);

/* Tells the daemon where the reader is. There must be a connection, here and below. */
void reader_report(struct i4_reader *reader, uint64_t now_ns);

/* Takes in what the daemon has said. */
void reader_receive(struct i4_reader *reader, uint64_t now_ns);

/* Looks at header and connection if that is due. What it finds is left in the reader's condition. */
void reader_tend(struct i4_reader *reader, uint64_t now_ns);

/* The timer ends a sleep on the descriptor when the next look is due. */
void reader_set_timer(const struct i4_reader *reader, uint64_t now_ns);

/* No descriptor, nothing to do. */
int descriptor_watch(int epoll_fd, int fd);
