/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A ring, a daemon of few words, and a tool that plays against them
 *
 * The daemon is a thread that answers the handshake, hands out the ring and counts what it is told; tests
 * publish and change the ring themselves. A reader's first report says that it has found its place: tests
 * wait for that, never for time.
 */

#include "ring/ring.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#define STAGE_READERS_MAX 16u

struct stage {
        struct ring *ring;
        char directory[32];
        char socket_path[64];
        int listen_fd;
        int stop_fd; /* eventfd: the daemon is to leave */
        bool has_daemon;
        pthread_t daemon;

        pthread_mutex_t lock; /* of all below, and of @ring while it is exchanged */
        pthread_cond_t changed;
        unsigned int n_hellos;
        unsigned int n_reports;
        int refusal; /* errno to refuse with, 0: welcome */
        char last_name[32];
        bool last_is_observer;
};

void stage_init(struct stage *stage, uint64_t n_records);
void stage_deinit(struct stage *stage);

/* The daemon comes and goes; the ring stays. */
void stage_start_daemon(struct stage *stage);
void stage_stop_daemon(struct stage *stage);

/* Records whose fields follow from their sequence number, see stage_get_record(). */
void stage_publish(struct stage *stage, uint64_t n);
struct i4_record stage_get_record(uint64_t sequence);

/* Another ring takes the place of this one, which is retired. */
void stage_exchange_ring(struct stage *stage, uint64_t n_records, uint64_t first_sequence);

/* From now on: the errno to refuse readers with, or 0. */
void stage_set_refusal(struct stage *stage, int error);

void stage_wait_reports(struct stage *stage, unsigned int n);
void stage_wait_hellos(struct stage *stage, unsigned int n);

/* a run of the tool */

struct play {
        pid_t pid;
        int out_fd;
        int err_fd;
        int status; /* exit status; 128 + n after signal n */
        char *out;
        char *err;
        size_t n_out;
        size_t n_err;
};

/* Up to NULL: what comes after "i4" on its command line. */
void play_start(struct stage *stage, struct play *play, ...) __attribute__((sentinel));
/* As play_start(), without any right but to run. */
void play_start_as_nobody(struct stage *stage, struct play *play, ...) __attribute__((sentinel));
/* As play_start(), printing to the file at @path. */
void play_start_to(struct stage *stage, struct play *play, const char *path, ...) __attribute__((sentinel));
/* Reads until @text stands in what was printed, on stdout or stderr. */
void play_wait_out(struct play *play, const char *text);
void play_wait_err(struct play *play, const char *text);
/* One look at what is printed; waits for something, or for an end. */
void play_wait_more(struct play *play);
void play_close_out(struct play *play);
void play_signal(struct play *play, int number);
/* Is the pipe from it full, so that it cannot print any more? */
bool play_is_blocked(const struct play *play);
/* Waits for the end without reading. */
void play_reap(struct play *play);
/* Reads all and waits for the end. */
void play_finish(struct play *play);
void play_deinit(struct play *play);

/* start and finish in one */
#define play_run(stage, play, ...)                                                                           \
        do {                                                                                                 \
                play_start((stage), (play), __VA_ARGS__, NULL);                                              \
                play_finish(play);                                                                           \
        } while (false)

size_t count_lines(const char *text);
