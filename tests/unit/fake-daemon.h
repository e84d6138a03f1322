/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A daemon for a reader to talk to
 *
 * A thread plays the daemon's end of the socket: it answers as it is told and notes what it hears. The memory
 * is a real ring, published into by the test itself. The socket outlives the daemon, as it does where systemd
 * listens on it, so that an attempt to connect to a stopped daemon is seen. Clocks and timeouts are the
 * test's: time passes when it says so.
 */

#include "lib/wire.h"
#include "ring/ring.h"
#include "util/clock.h"
#include "util/macros.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N_RECORDS 8u
#define FIRST     100u

struct fake_time {
        _Atomic uint64_t passed_ns;   /* added to the monotonic clocks */
        bool timers_stand_still;      /* else they run a hundred times as fast */
        void (*hook)(void *userdata); /* called once, at the next look at the coarse clock */
        void *userdata;
};

extern struct fake_time now;

void time_pass(uint64_t ns);

enum answer {
        ANSWER_WELCOME,
        ANSWER_WELCOME_TWICE, /* with a descriptor too many */
        ANSWER_WELCOME_EMPTY, /* with none */
        ANSWER_REFUSED,
        ANSWER_GARBAGE,
        ANSWER_OTHER, /* a message, but no answer */
        ANSWER_SILENCE,
        ANSWER_HANG_UP,
        ANSWER_HANG_UP_ONCE, /* and welcome afterwards */
        ANSWER_STOP,         /* hangs up as one that is stopped */
};

struct peer {
        unsigned int n_connections;
        unsigned int n_hellos;
        unsigned int n_reports;
        unsigned int n_arms;
        struct wire_message hello;
        struct wire_message report;
        struct wire_message arm;
};

struct fixture {
        char directory[32];
        char path[64];
        struct ring *ring;
        i4_reader *reader;

        int listen_fd;
        int stop_fd;
        int client_fd;
        bool is_alive;
        pthread_t thread;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        enum answer answer;
        struct peer peer; /* what was heard since the fixture was made */
};

/* A ring and a socket; and a daemon behind it; and a reader at that. */
int setup_dead(void **state);
int setup_alive(void **state);
int setup(void **state);
int teardown(void **state);

void daemon_start(struct fixture *f);
void daemon_set_answer(struct fixture *f, enum answer answer);
void daemon_answer(struct fixture *f, enum answer answer);
/* As by SIGKILL. Who connects now waits in the queue. */
void daemon_die(struct fixture *f);
void daemon_wake(struct fixture *f);
/* As a daemon does when it becomes ready, or, with SOCKET_TIME_NOBODY, when it stops. */
void daemon_set_time(const struct fixture *f, time_t modified_sec);
/* To a socket that was made just now, of the same name. The daemon is dead. */
void daemon_move(struct fixture *f);

/* Waits until the daemon has heard so many; what it heard last. */
#define daemon_expect(f, member, n)                                                                          \
        __extension__({                                                                                      \
                struct timespec _deadline;                                                                   \
                struct peer _peer;                                                                           \
                int _r = 0;                                                                                  \
                (void) clock_gettime(CLOCK_REALTIME, &_deadline);                                            \
                _deadline.tv_sec += 5;                                                                       \
                pthread_mutex_lock(&(f)->lock);                                                              \
                while ((f)->peer.member < (n) && _r == 0)                                                    \
                        _r = pthread_cond_timedwait(&(f)->changed, &(f)->lock, &_deadline);                  \
                _peer = (f)->peer;                                                                           \
                pthread_mutex_unlock(&(f)->lock);                                                            \
                assert_int_equal(_peer.member, n);                                                           \
                _peer;                                                                                       \
        })

/* Nobody has tried to reach the daemon that is dead. */
void assert_nobody_calls(const struct fixture *f);

/* the stream */

void publish(struct ring *ring, uint64_t n);
void replace_ring(struct fixture *f, uint64_t first_sequence);
void assert_next(struct fixture *f, uint64_t first, int n);
/* A read of nothing, after a while: the reader has looked after its connection. */
void assert_idle(struct fixture *f, uint64_t after_ns, int result);
void assert_readable(int fd, int timeout_ms, int result);
