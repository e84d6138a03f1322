/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Readers and a crowd, on a daemon that runs
 *
 *     stress-consumers SOCKET READERS CONSUMERS SECONDS
 *
 * The readers are programs as one should write them, each a process. Half are left alone: they must see every
 * record. The others are killed and stopped at random and come back: what they read must still be whole, and
 * what they miss be told to the last record. The consumers are programs as nobody should write them: they
 * lie, babble, flood, say nothing, hold what they were given, stop, and die.
 *
 * Prints a JSON object of what happened. Exit status: 0 nobody was wronged; 1 somebody was; 2 wrong usage.
 */

#include "i4.h"
#include "lib/connection.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/random.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define BATCH          512u
#define CROWD_MAX      4096u
#define STEP_NS        (5 * NSEC_PER_MSEC)
#define STOPPED_STEPS  200u /* at most, before it goes on */
#define FLOOD_MESSAGES 10000u
#define REST_MS        2000u
#define END_NS         (60 * NSEC_PER_SEC)

enum crowd_kind {
        CROWD_READER, /* left alone */
        CROWD_VICTIM,
        CROWD_CONSUMER,
};

/* One process after another, shared with the parent. */
struct member {
        enum crowd_kind kind;
        pid_t pid;
        unsigned int n_steps_stopped;
        uint64_t newest; /* record, when it was stopped */
        uint64_t seed;
        _Atomic int is_ready;
        _Atomic uint64_t n_read;
        _Atomic uint64_t lost;
        _Atomic uint64_t n_wrong; /* records that are not the next */
        _Atomic int error;        /* of libi4, none of which it may answer */
        _Atomic uint64_t n_lives;
};

/* Shared by all. */
struct crowd {
        const char *path;
        unsigned int n;
        uint64_t seed;
        _Atomic uint64_t end; /* readers are done when they are there; UINT64_MAX: not yet */
        _Atomic uint64_t n_kills, n_stops, n_retries;
        _Atomic uint64_t n_acts, n_queue_full, n_welcome, n_full, n_unanswered, n_hung_up;
        struct member members[CROWD_MAX];
};

static void sleep_ns(uint64_t span_ns) {
        const struct timespec span = timespec_from_ns(span_ns);

        (void) nanosleep(&span, NULL);
}

static uint64_t draw(uint64_t *seed) {
        return random_mix(*seed += RANDOM_GAMMA);
}

/* below @n */
static uint64_t roll(uint64_t *seed, uint64_t n) {
        return random_scale(draw(seed), n);
}

/* readers */

/*
 * Who comes back may find its place taken, the daemon's queue full, or be stopped before it has said who it
 * is and be hung up on.
 */
static int reader_open_patiently(struct crowd *crowd, i4_reader **readerp) {
        int r;

        while ((r = i4_reader_open(readerp, crowd->path, "stress")) < 0) {
                if (r != -EUSERS && r != -ETIMEDOUT && r != -ECONNREFUSED && r != -EINTR)
                        return r;
                (void) atomic_fetch_add(&crowd->n_retries, 1);
                sleep_ns(100 * NSEC_PER_MSEC);
        }

        return 0;
}

static int reader_step(struct member *member, i4_reader *reader, uint64_t *next) {
        struct i4_record records[BATCH];
        uint64_t lost = i4_reader_get_lost(reader);
        int n = i4_reader_read(reader, records, BATCH);

        if (n == 0)
                n = i4_reader_wait(reader, (int64_t) (100 * NSEC_PER_MSEC));
        else if (n == -EOVERFLOW) {
                *next += i4_reader_get_lost(reader) - lost;
                (void) atomic_fetch_add(&member->lost, i4_reader_get_lost(reader) - lost);
        } else if (n > 0) {
                for (int i = 0; i < n; ++i)
                        if (i4_record_get_sequence(&records[i]) != (*next)++)
                                (void) atomic_fetch_add(&member->n_wrong, 1);
                (void) atomic_fetch_add(&member->n_read, (uint64_t) n);
        }

        return n == -EOVERFLOW || n == -EINTR ? 0 : n;
}

static int reader_run(struct crowd *crowd, struct member *member) {
        _cleanup_(i4_reader_closep) i4_reader *reader = NULL;
        uint64_t next;
        int r;

        r = reader_open_patiently(crowd, &reader);
        if (r >= 0) {
                next = i4_reader_get_cursor(reader);
                atomic_store(&member->is_ready, 1);
                while (r >= 0 && next < atomic_load(&crowd->end))
                        r = reader_step(member, reader, &next);
        }

        if (r < 0)
                atomic_store(&member->error, -r);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* consumers */

/* Negative: the daemon's queue is full. */
static int consumer_connect(const struct crowd *crowd) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = -1;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", crowd->path);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;

        return TAKE_FD(fd);
}

static void consumer_say(int fd, const struct wire_message *message) {
        char text[WIRE_MESSAGE_MAX];

        (void) !send(fd, text, wire_format(message, text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void consumer_lie(struct member *member, int fd) {
        struct wire_message message = { .kind = roll(&member->seed, 2) ? WIRE_REPORT : WIRE_ARM };

        message.cursor = draw(&member->seed) >> roll(&member->seed, 64);
        message.lag = draw(&member->seed) >> roll(&member->seed, 64);
        message.lost = draw(&member->seed) >> roll(&member->seed, 64);
        consumer_say(fd, &message);
}

static void consumer_babble(struct member *member, int fd) {
        uint64_t words[2 * WIRE_MESSAGE_MAX / sizeof(uint64_t)];

        for (size_t i = 0; i < ELEMENTSOF(words); ++i)
                words[i] = draw(&member->seed);
        (void) !send(fd, words, roll(&member->seed, sizeof(words)), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Its own descriptors, which nobody asked for. */
static void consumer_give(int fd) {
        alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
        struct iovec iov = { .iov_base = (char *) "{}", .iov_len = 2 };
        struct msghdr header = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
        const int fds[8] = { fd, fd, fd, fd, fd, fd, fd, fd };

        *cmsg = (struct cmsghdr){
                .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(fds))
        };
        memcpy(CMSG_DATA(cmsg), fds, sizeof(fds));
        (void) sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Says hello and takes the answer: whether it was let in. */
static bool consumer_enter(struct crowd *crowd, int fd) {
        const struct wire_message hello = { .kind = WIRE_HELLO, .name = "crowd", .version = "0" };
        const struct timeval patience = { .tv_sec = 2 };
        int ring_fd = -1, r;

        consumer_say(fd, &hello);
        (void) fcntl(fd, F_SETFL, 0);
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        r = connection_finish(fd, &ring_fd);
        closep(&ring_fd);

        if (r >= 0)
                (void) atomic_fetch_add(&crowd->n_welcome, 1);
        else
                (void) atomic_fetch_add(r == -EUSERS      ? &crowd->n_full
                                        : r == -ETIMEDOUT ? &crowd->n_unanswered
                                                          : &crowd->n_hung_up,
                                1);
        return r >= 0;
}

/* As fast as the daemon takes it, until it hangs up. */
static void consumer_flood(int fd) {
        const struct wire_message report = { .kind = WIRE_REPORT };
        char text[WIRE_MESSAGE_MAX];
        size_t n = wire_format(&report, text);

        (void) fcntl(fd, F_SETFL, 0);
        for (unsigned int i = 0; i < FLOOD_MESSAGES; ++i)
                if (send(fd, text, n, MSG_NOSIGNAL) < 0)
                        return;
}

/* What a consumer does with one connection. */
static void consumer_act(struct crowd *crowd, struct member *member) {
        _cleanup_(closep) int fd = consumer_connect(crowd);
        uint64_t what = roll(&member->seed, 9), n = 1 + roll(&member->seed, 20);

        (void) atomic_fetch_add(fd < 0 ? &crowd->n_queue_full : &crowd->n_acts, 1);
        if (fd < 0) {
                sleep_ns((1 + roll(&member->seed, REST_MS)) * NSEC_PER_MSEC);
                return;
        }

        if (what == 0)
                consumer_babble(member, fd);
        else if (what == 1)
                consumer_give(fd);
        else if (what == 2)
                consumer_flood(fd);
        /* What is said next is said by one that was let in; the others hold the socket, mute. */
        else if (what > 3 && consumer_enter(crowd, fd)) {
                for (uint64_t i = 0; i < n && what < 7; ++i)
                        consumer_lie(member, fd);
                if (what == 7)
                        consumer_flood(fd);
        }

        sleep_ns((1 + roll(&member->seed, REST_MS)) * NSEC_PER_MSEC);
}

static int consumer_run(struct crowd *crowd, struct member *member) {
        atomic_store(&member->is_ready, 1);
        while (atomic_load(&crowd->end) == UINT64_MAX)
                consumer_act(crowd, member);

        return EXIT_SUCCESS;
}

/* the crowd */

static int member_start(struct crowd *crowd, struct member *member) {
        pid_t parent = getpid(), pid;

        member->seed = draw(&crowd->seed);
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                /* Nobody is left behind, whatever becomes of us. */
                if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
                        _exit(EXIT_FAILURE);
                _exit(member->kind == CROWD_CONSUMER ? consumer_run(crowd, member)
                                                     : reader_run(crowd, member));
        }

        member->pid = pid;
        (void) atomic_fetch_add(&member->n_lives, 1);
        return 0;
}

static int crowd_start(struct crowd *crowd, enum crowd_kind kind, unsigned int n) {
        int r = 0;

        for (unsigned int i = 0; i < n && r >= 0; ++i) {
                crowd->members[crowd->n].kind = kind;
                r = member_start(crowd, &crowd->members[crowd->n++]);
        }

        return r;
}

/* False: after a time in which any machine gets there. */
static bool crowd_wait_ready(const struct crowd *crowd) {
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + END_NS;

        for (unsigned int i = 0; i < crowd->n; ++i)
                while (!atomic_load(&crowd->members[i].is_ready) && !atomic_load(&crowd->members[i].error)) {
                        if (clock_now_ns(CLOCK_MONOTONIC) >= deadline_ns)
                                return false;
                        sleep_ns(STEP_NS);
                }

        return true;
}

static void member_resume(struct member *member) {
        (void) kill(member->pid, SIGCONT);
        member->n_steps_stopped = 0;
}

static int member_kill(struct crowd *crowd, struct member *member) {
        (void) kill(member->pid, SIGKILL);
        (void) waitpid(member->pid, NULL, 0);
        member->n_steps_stopped = 0;
        (void) atomic_fetch_add(&crowd->n_kills, 1);
        return member_start(crowd, member);
}

static void member_stop(struct crowd *crowd, struct member *member, const i4_reader *observer) {
        (void) kill(member->pid, SIGSTOP);
        member->newest = i4_reader_get_newest(observer);
        member->n_steps_stopped = 2 + (unsigned int) roll(&crowd->seed, STOPPED_STEPS);
        (void) atomic_fetch_add(&crowd->n_stops, 1);
}

/* A consumer after a while, a victim when all that it could have read is overwritten. */
static bool member_has_rested(struct member *member, const i4_reader *observer) {
        return member->kind == CROWD_VICTIM ? i4_reader_get_oldest(observer) > member->newest
                                            : --member->n_steps_stopped == 0;
}

/* Once every few seconds each of those that are not left alone is stopped or killed. */
static int crowd_disturb(struct crowd *crowd, const i4_reader *observer) {
        int r = 0;

        for (unsigned int i = 0; i < crowd->n && r >= 0; ++i) {
                struct member *member = &crowd->members[i];
                uint64_t what = roll(&crowd->seed, 1000);

                if (member->kind == CROWD_READER)
                        continue;
                if (member->n_steps_stopped > 0 && member_has_rested(member, observer))
                        member_resume(member);
                else if (what == 0)
                        r = member_kill(crowd, member);
                else if (what == 1 && member->n_steps_stopped == 0)
                        member_stop(crowd, member, observer);
        }

        return r;
}

/* Somebody was killed, somebody stopped, and a victim told that it lost records. */
static bool crowd_is_disturbed(const struct crowd *crowd) {
        bool is_told = false;

        for (unsigned int i = 0; i < crowd->n; ++i)
                is_told = is_told || (crowd->members[i].kind == CROWD_VICTIM && crowd->members[i].lost > 0);

        return is_told && crowd->n_kills > 0 && crowd->n_stops > 0;
}

static void crowd_kill(struct crowd *crowd, enum crowd_kind kind) {
        for (unsigned int i = 0; i < crowd->n; ++i)
                if (crowd->members[i].kind == kind && crowd->members[i].pid > 0) {
                        (void) kill(crowd->members[i].pid, SIGKILL);
                        (void) waitpid(crowd->members[i].pid, NULL, 0);
                        crowd->members[i].pid = 0;
                }
}

/* All that is published by now is read by all who read. False: somebody does not get there. */
static bool crowd_finish(struct crowd *crowd, uint64_t end) {
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + END_NS;
        bool is_good = true;

        for (unsigned int i = 0; i < crowd->n; ++i)
                member_resume(&crowd->members[i]);
        atomic_store(&crowd->end, end);
        crowd_kill(crowd, CROWD_CONSUMER);

        for (unsigned int i = 0; i < crowd->n; ++i) {
                struct member *member = &crowd->members[i];
                int status = 0;
                pid_t pid;

                if (member->kind == CROWD_CONSUMER)
                        continue;
                while ((pid = waitpid(member->pid, &status, WNOHANG)) == 0 &&
                                clock_now_ns(CLOCK_MONOTONIC) < deadline_ns)
                        sleep_ns(STEP_NS);
                if (pid == member->pid)
                        member->pid = 0;
                is_good = is_good && pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }

        crowd_kill(crowd, CROWD_READER);
        crowd_kill(crowd, CROWD_VICTIM);
        return is_good;
}

/* False: somebody was wronged, which is told. */
static bool member_report(const struct member *member, unsigned int i) {
        bool is_wronged = member->error || member->n_wrong || (member->kind == CROWD_READER && member->lost);

        if (is_wronged)
                fprintf(stderr,
                                "stress-consumers: %s %u: %" PRIu64 " read, %" PRIu64 " lost, %" PRIu64
                                " out of order, %s\n",
                                member->kind == CROWD_READER ? "reader" : "victim", i, member->n_read,
                                member->lost, member->n_wrong, strerror(member->error));
        return !is_wronged;
}

static bool crowd_report(const struct crowd *crowd) {
        uint64_t n_read = 0, n_lost = 0, n_lives = 0;
        bool is_good = true;

        for (unsigned int i = 0; i < crowd->n; ++i) {
                n_read += crowd->members[i].n_read;
                n_lost += crowd->members[i].lost;
                n_lives += crowd->members[i].n_lives;
                is_good = member_report(&crowd->members[i], i) && is_good;
        }

        printf("{\"processes\":%" PRIu64 ",\"killed\":%" PRIu64 ",\"stopped\":%" PRIu64 ",\"read\":%" PRIu64
               ",\"told_lost\":%" PRIu64 ",\"connections\":%" PRIu64 ",\"queue_full\":%" PRIu64
               ",\"welcome\":%" PRIu64 ",\"no_place\":%" PRIu64 ",\"unanswered\":%" PRIu64
               ",\"hung_up\":%" PRIu64 ",\"retried\":%" PRIu64 "}\n",
                        n_lives, crowd->n_kills, crowd->n_stops, n_read, n_lost, crowd->n_acts,
                        crowd->n_queue_full, crowd->n_welcome, crowd->n_full, crowd->n_unanswered,
                        crowd->n_hung_up, crowd->n_retries);
        return is_good;
}

static int crowd_run(
                struct crowd *crowd, unsigned int n_readers, unsigned int n_consumers, uint64_t span_ns) {
        _cleanup_(i4_reader_closep) i4_reader *observer = NULL;
        uint64_t deadline_ns;
        int r;

        r = i4_reader_open_observer(&observer, crowd->path, "stress");
        if (r < 0)
                return r;
        r = crowd_start(crowd, CROWD_READER, n_readers - n_readers / 2);
        if (r >= 0)
                r = crowd_start(crowd, CROWD_VICTIM, n_readers / 2);
        if (r < 0)
                return r;
        /* Those who come first have their places. */
        if (!crowd_wait_ready(crowd))
                return -ETIMEDOUT;
        r = crowd_start(crowd, CROWD_CONSUMER, n_consumers);

        /* Not before all has happened that it is about. */
        deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + span_ns;
        while (r >= 0 && (clock_now_ns(CLOCK_MONOTONIC) < deadline_ns || !crowd_is_disturbed(crowd))) {
                r = crowd_disturb(crowd, observer);
                sleep_ns(STEP_NS);
        }

        if (!crowd_finish(crowd, i4_reader_get_newest(observer)) && r >= 0)
                r = -EPROTO;
        return r;
}

static unsigned int parse_number(const char *text) {
        char *end;
        unsigned long n = strtoul(text, &end, 10);

        return *end || n > CROWD_MAX / 2 ? 0 : (unsigned int) n;
}

int main(int argc, char *argv[]) {
        unsigned int n_readers, n_consumers, n_seconds;
        struct crowd *crowd;
        int r;

        n_readers = argc == 5 ? parse_number(argv[2]) : 0;
        n_consumers = argc == 5 ? parse_number(argv[3]) : 0;
        n_seconds = argc == 5 ? parse_number(argv[4]) : 0;
        if (n_readers < 2 || n_consumers < 1 || n_seconds < 1) {
                fprintf(stderr, "usage: stress-consumers SOCKET READERS CONSUMERS SECONDS, 2, 1 and 1 … %u\n",
                                CROWD_MAX / 2);
                return 2;
        }

        crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (crowd == MAP_FAILED) {
                perror("stress-consumers");
                return EXIT_FAILURE;
        }
        crowd->path = argv[1];
        crowd->seed = clock_now_ns(CLOCK_REALTIME);
        atomic_store(&crowd->end, UINT64_MAX);

        r = crowd_run(crowd, n_readers, n_consumers, n_seconds * NSEC_PER_SEC);
        if (r < 0)
                fprintf(stderr, "stress-consumers: %s\n", strerror(-r));
        return crowd_report(crowd) && r >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
