/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reader and its daemon
 *
 * A thread plays the daemon's end of the socket: it answers as it is told and notes what it hears. The memory
 * is a real ring, published into by the test itself. The socket outlives the daemon, as it does where systemd
 * listens on it, so that an attempt to connect to a stopped daemon is seen. Clocks and timeouts are the
 * test's: time passes when it says so.
 */

#include "lib/wire.h"
#include "ring/ring.h"
#include "util/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include <cmocka.h>

#define N_RECORDS 8u
#define FIRST     100u

/* time */

/* The program's own functions come before libc's. */
static struct {
        _Atomic uint64_t passed_ns;   /* added to the monotonic clocks */
        bool timers_stand_still;      /* else they run a hundred times as fast */
        void (*hook)(void *userdata); /* called once, at the next look at the coarse clock */
        void *userdata;
} now;

int clock_gettime(clockid_t clock, struct timespec *ts) {
        void (*hook)(void *userdata) = now.hook;
        long r;

        r = syscall(SYS_clock_gettime, clock, ts);
        if (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE)
                *ts = timespec_from_ns(timespec_to_ns(*ts) + atomic_load(&now.passed_ns));

        if (hook && clock == CLOCK_MONOTONIC_COARSE) {
                now.hook = NULL;
                hook(now.userdata);
        }

        return (int) r;
}

static struct timespec timespec_shorten(struct timespec ts) {
        return timespec_from_ns(timespec_to_ns(ts) / 100);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old) {
        struct itimerspec shorter = {};

        if (!now.timers_stand_still)
                shorter.it_value = timespec_shorten(value->it_value);

        return (int) syscall(SYS_timerfd_settime, fd, flags, &shorter, old);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
        struct timeval shorter = { .tv_usec = 100000 };

        if (level == SOL_SOCKET && name == SO_RCVTIMEO)
                value = &shorter;

        return (int) syscall(SYS_setsockopt, fd, level, name, value, size);
}

static void time_pass(uint64_t ns) {
        atomic_fetch_add(&now.passed_ns, ns);
}

/* the daemon */

enum answer {
        ANSWER_WELCOME,
        ANSWER_WELCOME_TWICE, /* with a descriptor too many */
        ANSWER_WELCOME_EMPTY, /* with none */
        ANSWER_REFUSED,
        ANSWER_GARBAGE,
        ANSWER_OTHER, /* a message, but no answer */
        ANSWER_SILENCE,
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

static const struct ring_settings settings = {
        .n_records = N_RECORDS, .n_consumers = 4, .first_sequence = FIRST
};

static void client_send(int fd, const char *text, size_t size, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(2 * sizeof(int))];
        } control = {};
        struct iovec iov = { .iov_base = (void *) text, .iov_len = size };
        struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n_fds > 0) {
                control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(n_fds * sizeof(int)) };
                memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
                header.msg_control = &control;
                header.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        }

        (void) sendmsg(fd, &header, MSG_NOSIGNAL);
}

static void client_say(int fd, const struct wire_message *message, const int *fds, size_t n_fds) {
        char text[WIRE_MESSAGE_MAX];
        size_t n = wire_format(message, text);

        client_send(fd, text, n, fds, n_fds);
}

static void daemon_answer(struct fixture *f, enum answer answer) {
        struct wire_message welcome = { .kind = WIRE_WELCOME, .version = I4_VERSION };
        struct wire_message refused = { .kind = WIRE_REFUSED, .error = EUSERS, .reason = "full" };
        struct wire_message wake = { .kind = WIRE_WAKE, .cursor = 1 };
        int fds[] = { f->ring->reader_fd, f->ring->reader_fd };

        memset(welcome.instance, 'a', sizeof(welcome.instance) - 1);
        switch (answer) {
        case ANSWER_WELCOME:
                client_say(f->client_fd, &welcome, fds, 1);
                break;
        case ANSWER_WELCOME_TWICE:
                client_say(f->client_fd, &welcome, fds, 2);
                break;
        case ANSWER_WELCOME_EMPTY:
                client_say(f->client_fd, &welcome, fds, 0);
                break;
        case ANSWER_REFUSED:
                client_say(f->client_fd, &refused, fds, 1);
                break;
        case ANSWER_GARBAGE:
                client_send(f->client_fd, "{\"welcome\":", 11, fds, 1);
                break;
        case ANSWER_OTHER:
                client_say(f->client_fd, &wake, fds, 1);
                break;
        case ANSWER_SILENCE:
                break;
        }
}

static void daemon_hear(struct fixture *f, const struct wire_message *message) {
        switch (message->kind) {
        case WIRE_HELLO:
                f->peer.hello = *message;
                ++f->peer.n_hellos;
                daemon_answer(f, f->answer);
                break;
        case WIRE_REPORT:
                f->peer.report = *message;
                ++f->peer.n_reports;
                break;
        case WIRE_ARM:
                f->peer.arm = *message;
                ++f->peer.n_arms;
                break;
        default:
                abort();
        }
}

static void daemon_receive(struct fixture *f) {
        struct wire_message message;
        char text[WIRE_MESSAGE_MAX];
        ssize_t n;

        n = recv(f->client_fd, text, sizeof(text), 0);
        if (n > 0 && wire_parse(&message, text, (size_t) n) >= 0)
                daemon_hear(f, &message);
        else {
                closep(&f->client_fd);
                f->client_fd = -1;
        }
}

static void daemon_accept(struct fixture *f) {
        closep(&f->client_fd);
        f->client_fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        ++f->peer.n_connections;
}

static void *daemon_run(void *userdata) {
        struct fixture *f = userdata;

        for (;;) {
                /* Only this thread changes client_fd while it runs. What was said goes before who comes. */
                struct pollfd fds[] = {
                        { .fd = f->stop_fd, .events = POLLIN },
                        { .fd = f->client_fd, .events = POLLIN },
                        { .fd = f->listen_fd, .events = POLLIN },
                };

                (void) poll(fds, ELEMENTSOF(fds), -1);
                if (fds[0].revents)
                        return NULL;

                pthread_mutex_lock(&f->lock);
                if (fds[1].revents)
                        daemon_receive(f);
                else
                        daemon_accept(f);
                pthread_cond_broadcast(&f->changed);
                pthread_mutex_unlock(&f->lock);
        }
}

static void daemon_start(struct fixture *f) {
        ring_set_running(f->ring);
        f->is_alive = true;
        assert_int_equal(pthread_create(&f->thread, NULL, daemon_run, f), 0);
}

static void daemon_set_answer(struct fixture *f, enum answer answer) {
        pthread_mutex_lock(&f->lock);
        f->answer = answer;
        pthread_mutex_unlock(&f->lock);
}

/* As by SIGKILL. Who connects now waits in the queue. */
static void daemon_die(struct fixture *f) {
        uint64_t one = 1;

        assert_int_equal(write(f->stop_fd, &one, sizeof(one)), sizeof(one));
        pthread_join(f->thread, NULL);
        assert_int_equal(read(f->stop_fd, &one, sizeof(one)), sizeof(one));
        closep(&f->client_fd);
        f->client_fd = -1;
        f->is_alive = false;
}

static void daemon_listen(struct fixture *f) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        memcpy(address.sun_path, f->path, sizeof(f->path));
        f->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_true(f->listen_fd >= 0);
        assert_int_equal(bind(f->listen_fd, (void *) &address, sizeof(address)), 0);
        assert_int_equal(listen(f->listen_fd, 8), 0);
}

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
static void assert_nobody_calls(const struct fixture *f) {
        struct pollfd fd = { .fd = f->listen_fd, .events = POLLIN };

        assert_int_equal(poll(&fd, 1, 0), 0);
}

static int setup_dead(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        strcpy(f->directory, "/tmp/i4-reader-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        (void) snprintf(f->path, sizeof(f->path), "%s/ring.sock", f->directory);
        f->client_fd = -1;
        f->stop_fd = eventfd(0, EFD_CLOEXEC);
        assert_true(f->stop_fd >= 0);
        pthread_mutex_init(&f->lock, NULL);
        pthread_cond_init(&f->changed, NULL);

        assert_int_equal(ring_new(&f->ring, &settings, i4_catalog_get_default()), 0);
        daemon_listen(f);
        *state = f;
        return 0;
}

static int setup_alive(void **state) {
        if (setup_dead(state) < 0)
                return -1;
        daemon_start(*state);
        return 0;
}

static int setup(void **state) {
        struct fixture *f;

        if (setup_alive(state) < 0)
                return -1;

        f = *state;
        assert_int_equal(i4_reader_open(&f->reader, f->path, "test"), 0);
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        now.timers_stand_still = false;
        i4_reader_close(f->reader);
        if (f->is_alive)
                daemon_die(f);
        closep(&f->listen_fd);
        closep(&f->stop_fd);
        pthread_cond_destroy(&f->changed);
        pthread_mutex_destroy(&f->lock);
        (void) unlink(f->path);
        (void) rmdir(f->directory);
        ring_free(f->ring);
        free(f);
        return 0;
}

/* the stream */

static void publish(struct ring *ring, uint64_t n) {
        while (n > 0) {
                size_t n_claimed = MIN(n, N_RECORDS / 2);
                struct i4_record *records = ring_claim(ring, &n_claimed);

                for (size_t i = 0; i < n_claimed; ++i)
                        records[i] = (struct i4_record){ .sequence = ring->head + i };
                ring_publish(ring, n_claimed);
                n -= n_claimed;
        }
}

static void assert_next(struct fixture *f, uint64_t first, int n) {
        struct i4_record records[4 * N_RECORDS];

        assert_int_equal(i4_reader_read(f->reader, records, ELEMENTSOF(records)), n);
        for (int i = 0; i < n; ++i)
                assert_int_equal(records[i].sequence, first + (uint64_t) i);
}

/* A read of nothing, after a while: the reader has looked after its connection. */
static void assert_idle(struct fixture *f, uint64_t after_ns, int result) {
        struct i4_record record;

        time_pass(after_ns);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), result);
}

static void replace_ring(struct fixture *f, uint64_t first_sequence) {
        struct ring_settings other = settings;

        other.first_sequence = first_sequence;
        other.n_records = 2 * N_RECORDS;
        ring_free(f->ring);
        f->ring = NULL;
        assert_int_equal(ring_new(&f->ring, &other, i4_catalog_get_default()), 0);
}

static void touch(const char *path) {
        struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };

        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static unsigned int count_descriptors(void) {
        _cleanup_(closedirp) DIR *directory = opendir("/proc/self/fd");
        unsigned int n = 0;

        assert_non_null(directory);
        while (readdir(directory))
                ++n;

        return n;
}

/* opening */

static void test_open(void **state) {
        struct fixture *f = *state;
        i4_reader *observer = NULL;
        struct peer peer;

        publish(f->ring, 3);
        assert_int_equal(i4_reader_open(&f->reader, f->path, "a \"name\""), 0);
        assert_int_equal(i4_reader_get_cursor(f->reader), FIRST + 3);
        assert_string_equal(i4_catalog_get_type_name(i4_reader_get_catalog(f->reader), 0), "pressure");
        peer = daemon_expect(f, n_hellos, 1);
        assert_string_equal(peer.hello.name, "a ?name?");
        assert_string_equal(peer.hello.version, I4_VERSION);
        assert_false(peer.hello.is_observer);

        assert_int_equal(i4_reader_open_observer(&observer, f->path, NULL), 0);
        peer = daemon_expect(f, n_hellos, 2);
        assert_true(peer.hello.is_observer);
        assert_string_equal(peer.hello.name, program_invocation_short_name);
        i4_reader_close(observer);
}

/* A bad answer is told as what it is, and leaves no descriptor behind, whatever came with it. */
static void test_answers(void **state) {
        static const struct {
                enum answer answer;
                int error;
        } answers[] = {
                { ANSWER_REFUSED, -EUSERS },
                { ANSWER_GARBAGE, -EPROTO },
                { ANSWER_OTHER, -EPROTO },
                { ANSWER_WELCOME_EMPTY, -EPROTO },
                { ANSWER_SILENCE, -ETIMEDOUT },
        };
        struct fixture *f = *state;

        for (unsigned int i = 0; i < ELEMENTSOF(answers); ++i) {
                i4_reader *reader = NULL;
                unsigned int n;

                daemon_set_answer(f, answers[i].answer);
                n = count_descriptors();
                assert_int_equal(i4_reader_open(&reader, f->path, "test"), answers[i].error);
                assert_null(reader);
                /* Its end of the connection is the daemon's. */
                (void) daemon_expect(f, n_hellos, i + 1);
                assert_in_range(count_descriptors(), n - 1, n + 1);
        }
}

static void test_spare_descriptor(void **state) {
        struct fixture *f = *state;
        unsigned int n = count_descriptors();

        /* What a message brings beyond what was asked for, qemu-user does not close. */
        if (getenv("I4_EMULATED"))
                skip();

        daemon_set_answer(f, ANSWER_WELCOME_TWICE);
        assert_int_equal(i4_reader_open(&f->reader, f->path, "test"), 0);
        daemon_die(f);
        /* The connection. */
        assert_int_equal(count_descriptors(), n + 1);
}

static void test_absence(void **state) {
        struct fixture *f = *state;
        char path[256];

        closep(&f->listen_fd);
        f->listen_fd = -1;
        assert_int_equal(i4_reader_open(&f->reader, f->path, "test"), -ECONNREFUSED);
        assert_int_equal(unlink(f->path), 0);
        assert_int_equal(i4_reader_open(&f->reader, f->path, "test"), -ENOENT);

        memset(path, 'a', sizeof(path));
        path[sizeof(path) - 1] = 0;
        assert_int_equal(i4_reader_open(&f->reader, path, "test"), -ENAMETOOLONG);
}

/* waiting */

struct waker {
        struct fixture *f;
        pthread_t reader;
        _Atomic bool is_done;
        bool is_signal;
        bool found_sleeper;
};

/* Acts once the reader sleeps. */
static void *waker_run(void *userdata) {
        struct waker *waker = userdata;

        while (ring_wake(waker->f->ring, 1) != 1)
                sched_yield();
        waker->found_sleeper = true;

        if (!waker->is_signal)
                publish(waker->f->ring, 1);
        while (!atomic_load(&waker->is_done)) {
                if (waker->is_signal)
                        pthread_kill(waker->reader, SIGUSR1);
                else
                        (void) ring_wake(waker->f->ring, 1);
                sched_yield();
        }

        return NULL;
}

static int wait_with(struct waker *waker) {
        pthread_t thread;
        int r;

        assert_int_equal(pthread_create(&thread, NULL, waker_run, waker), 0);
        r = i4_reader_wait(waker->f->reader, I4_FOREVER);
        atomic_store(&waker->is_done, true);
        pthread_join(thread, NULL);
        assert_true(waker->found_sleeper);
        return r;
}

static void signal_ignore(int signal) {}

static void test_wait(void **state) {
        struct sigaction action = { .sa_handler = signal_ignore, .sa_flags = SA_RESTART };
        struct waker waker = { .f = *state, .reader = pthread_self() };
        struct waker signaller = { .f = *state, .reader = pthread_self(), .is_signal = true };
        struct fixture *f = *state;

        assert_int_equal(i4_reader_wait(f->reader, 0), 0);
        assert_int_equal(i4_reader_wait(f->reader, 1000000), 0);
        assert_int_equal(wait_with(&waker), 1);
        assert_int_equal(i4_reader_spin(f->reader, I4_FOREVER), 1);
        assert_next(f, FIRST, 1);
        assert_int_equal(i4_reader_spin(f->reader, 1000), 0);

        assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
        assert_int_equal(wait_with(&signaller), -EINTR);
}

/* A reader that does nothing but sleep is heard of every second: in a little more than one, twice. */
static void test_wait_reports(void **state) {
        struct fixture *f = *state;

        assert_int_equal(i4_reader_wait(f->reader, (int64_t) (NSEC_PER_SEC + NSEC_PER_SEC / 20)), 0);
        (void) daemon_expect(f, n_reports, 2);
}

static void test_reports(void **state) {
        struct fixture *f = *state;
        struct i4_record record;
        struct peer peer;

        publish(f->ring, 3);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), 1);
        peer = daemon_expect(f, n_reports, 1);
        assert_int_equal(peer.report.cursor, FIRST + 1);
        assert_int_equal(peer.report.lag, 2);
        assert_int_equal(peer.report.lost, 0);

        /* Once a second, and a last time at the end. */
        publish(f->ring, N_RECORDS);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EOVERFLOW);
        assert_next(f, FIRST + 3, N_RECORDS);
        time_pass(NSEC_PER_SEC);
        assert_next(f, 0, 0);
        assert_next(f, 0, 0);
        publish(f->ring, 1);
        assert_next(f, FIRST + 3 + N_RECORDS, 1);
        f->reader = i4_reader_close(f->reader);
        peer = daemon_expect(f, n_reports, 3);
        assert_int_equal(peer.report.cursor, FIRST + 4 + N_RECORDS);
        assert_int_equal(peer.report.lag, 0);
        assert_int_equal(peer.report.lost, 2);
}

static void assert_readable(int fd, int timeout_ms, int result) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };

        assert_int_equal(poll(&pollfd, 1, timeout_ms), result);
}

static void daemon_wake(struct fixture *f) {
        struct wire_message wake = { .kind = WIRE_WAKE, .cursor = f->ring->head };

        pthread_mutex_lock(&f->lock);
        client_say(f->client_fd, &wake, NULL, 0);
        pthread_mutex_unlock(&f->lock);
}

static void test_descriptor(void **state) {
        struct fixture *f = *state;
        int fd;

        now.timers_stand_still = true;
        assert_int_equal(i4_reader_arm(f->reader), -EINVAL);
        fd = i4_reader_get_fd(f->reader);
        assert_true(fd >= 0);
        assert_int_equal(i4_reader_get_fd(f->reader), fd);

        assert_int_equal(i4_reader_arm(f->reader), 0);
        assert_int_equal(daemon_expect(f, n_arms, 1).arm.cursor, FIRST);
        assert_readable(fd, 0, 0);
        /* Nothing was woken yet: the same request stands. */
        assert_int_equal(i4_reader_arm(f->reader), 0);

        publish(f->ring, 2);
        daemon_wake(f);
        assert_readable(fd, 5000, 1);
        assert_int_equal(i4_reader_arm(f->reader), 1);
        assert_next(f, FIRST, 2);

        assert_int_equal(i4_reader_arm(f->reader), 0);
        assert_int_equal(daemon_expect(f, n_arms, 2).arm.cursor, FIRST + 2);
        assert_readable(fd, 0, 0);
}

static int daemon_count_unread(const struct fixture *f) {
        int n = -1;

        assert_int_equal(ioctl(f->client_fd, SIOCOUTQ, &n), 0);
        return n;
}

/* A daemon that never ends talking: each look takes in some of it, and comes to its end. */
static void test_flood(void **state) {
        struct fixture *f = *state;
        struct i4_record record;
        int n_unread, n_left;

        for (unsigned int i = 0; i < 100; ++i)
                daemon_wake(f);
        n_unread = daemon_count_unread(f);

        time_pass(NSEC_PER_SEC);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), 0);
        n_left = daemon_count_unread(f);
        assert_in_range(n_left, 1, n_unread - 1);

        time_pass(NSEC_PER_SEC);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), 0);
        assert_int_equal(daemon_count_unread(f), 0);
}

/* The timer ends each sleep, for as long as there are sleeps. */
static void test_descriptor_timer(void **state) {
        struct fixture *f = *state;
        int fd;

        fd = i4_reader_get_fd(f->reader);
        assert_true(fd >= 0);
        for (unsigned int i = 1; i <= 3; ++i) {
                assert_int_equal(i4_reader_arm(f->reader), 0);
                (void) daemon_expect(f, n_reports, i);
                assert_readable(fd, 5000, 1);
                time_pass(NSEC_PER_SEC);
        }
}

/* when the daemon goes */

/* Another one has taken the ring over: the reader finds it, asks, and is answered. */
static void reconnect(struct fixture *f, unsigned int n_hellos) {
        assert_idle(f, 2 * NSEC_PER_SEC, 0);
        (void) daemon_expect(f, n_hellos, n_hellos);
        assert_idle(f, NSEC_PER_SEC, 0);
}

static void test_killed(void **state) {
        struct fixture *f = *state;
        struct i4_record record;
        unsigned int n_reports;
        struct peer peer;
        int fd;

        now.timers_stand_still = true;
        fd = i4_reader_get_fd(f->reader);
        publish(f->ring, N_RECORDS + 5);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EOVERFLOW);
        assert_next(f, FIRST + 5, N_RECORDS);
        assert_idle(f, NSEC_PER_SEC, 0);
        assert_int_equal(daemon_expect(f, n_reports, 2).report.lost, 5);

        /* State and generation say nothing yet: who was killed changes no header. */
        daemon_die(f);
        assert_readable(fd, 5000, 1);
        assert_idle(f, NSEC_PER_SEC, 0);
        assert_idle(f, NSEC_PER_SEC, 0);
        assert_nobody_calls(f);
        assert_readable(fd, 0, 0);

        publish(f->ring, N_RECORDS + 1);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EOVERFLOW);
        assert_next(f, FIRST + 6 + N_RECORDS, N_RECORDS);

        daemon_start(f);
        reconnect(f, 2);
        publish(f->ring, 1);
        assert_next(f, FIRST + 6 + 2 * N_RECORDS, 1);
        assert_int_equal(i4_reader_get_lost(f->reader), 6);

        /* The new daemon learns of the loss that the old one did not live to hear of, and of no other. */
        n_reports = daemon_expect(f, n_hellos, 2).n_reports;
        assert_idle(f, NSEC_PER_SEC, 0);
        peer = daemon_expect(f, n_reports, n_reports + 1);
        assert_int_equal(peer.report.lost, 1);

        /* The descriptor is the same, and hears the new daemon. */
        assert_int_equal(i4_reader_get_fd(f->reader), fd);
        assert_int_equal(i4_reader_arm(f->reader), 0);
        (void) daemon_expect(f, n_arms, 1);
        daemon_wake(f);
        assert_readable(fd, 5000, 1);
}

/* A successor that is slow to answer holds nobody up, and is asked once. */
static void test_slow_answer(void **state) {
        struct fixture *f = *state;

        assert_idle(f, 0, 0);
        (void) daemon_expect(f, n_reports, 1);
        daemon_die(f);
        daemon_set_answer(f, ANSWER_SILENCE);
        daemon_start(f);
        assert_idle(f, NSEC_PER_SEC, 0);
        (void) daemon_expect(f, n_hellos, 2);

        for (int i = 0; i < 5; ++i) {
                publish(f->ring, 1);
                time_pass(NSEC_PER_SEC);
                assert_next(f, FIRST + (uint64_t) i, 1);
        }
        pthread_mutex_lock(&f->lock);
        daemon_answer(f, ANSWER_WELCOME);
        pthread_mutex_unlock(&f->lock);
        assert_idle(f, NSEC_PER_SEC, 0);
        assert_idle(f, NSEC_PER_SEC, 0);
        assert_int_equal(daemon_expect(f, n_reports, 2).n_connections, 2);
}

/* A daemon that was stopped on purpose is not called; its absence is told, and ends when it comes back. */
static void test_stopped(void **state) {
        struct fixture *f = *state;

        publish(f->ring, 2);
        ring_set_state(f->ring, I4_RING_STOPPED);
        daemon_die(f);
        assert_next(f, FIRST, 2);
        for (int i = 0; i < 2; ++i) {
                assert_idle(f, 29 * NSEC_PER_SEC, 0);
                assert_idle(f, 2 * NSEC_PER_SEC, -EPIPE);
        }
        time_pass(31 * NSEC_PER_SEC);
        assert_int_equal(i4_reader_wait(f->reader, I4_FOREVER), -EPIPE);
        assert_nobody_calls(f);

        daemon_start(f);
        reconnect(f, 2);
        publish(f->ring, 1);
        assert_next(f, FIRST + 2, 1);
}

/* What is over before the reader came to hear of it is not told. */
static void test_stopped_meanwhile(void **state) {
        struct fixture *f = *state;
        struct i4_record record;

        ring_set_state(f->ring, I4_RING_STOPPED);
        daemon_die(f);
        publish(f->ring, 6);
        for (int i = 0; i < 2; ++i, time_pass(31 * NSEC_PER_SEC))
                assert_int_equal(i4_reader_read(f->reader, &record, 1), 1);

        assert_int_equal(i4_reader_read(f->reader, &record, 1), 1);
        daemon_start(f);
        time_pass(NSEC_PER_SEC);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), 1);
        (void) daemon_expect(f, n_hellos, 2);
        time_pass(NSEC_PER_SEC);
        assert_next(f, FIRST + 4, 2);
        assert_idle(f, 0, 0);
}

/* A retired ring is read to its end, and is retired for good: also when its daemon is long gone. */
static void test_retired(void **state) {
        struct fixture *f = *state;

        publish(f->ring, 3);
        assert_int_equal(ring_retire_fd(f->ring->fd), 0);
        daemon_die(f);
        assert_next(f, FIRST, 3);
        for (int i = 0; i < 3; ++i)
                assert_idle(f, 20 * NSEC_PER_SEC, -ESTALE);
        assert_nobody_calls(f);

        daemon_set_answer(f, ANSWER_REFUSED);
        daemon_start(f);
        assert_int_equal(ring_retire_fd(f->ring->fd), 0);
        assert_int_equal(i4_reader_reattach(f->reader), -EUSERS);
        assert_int_equal(i4_reader_get_newest(f->reader), FIRST + 3);
        for (int i = 0; i < 3; ++i)
                assert_idle(f, 20 * NSEC_PER_SEC, -ESTALE);
        daemon_die(f);

        /* The numbers go on: exactly what was published unread is lost. */
        replace_ring(f, FIRST + 3);
        daemon_set_answer(f, ANSWER_WELCOME);
        daemon_start(f);
        publish(f->ring, 2 * N_RECORDS + 4);
        assert_int_equal(i4_reader_reattach(f->reader), 0);
        assert_int_equal(i4_reader_get_cursor(f->reader), FIRST + 3);
        assert_idle(f, 0, -EOVERFLOW);
        assert_int_equal(i4_reader_get_lost(f->reader), 4);
        assert_next(f, FIRST + 7, 2 * N_RECORDS);
        assert_idle(f, NSEC_PER_SEC, 0);
}

static void publish_and_retire(void *userdata) {
        struct fixture *f = userdata;

        publish(f->ring, 2);
        (void) ring_retire_fd(f->ring->fd);
}

/* The ring ends between the reader's look at the counter and its look at the header. */
static void test_retired_meanwhile(void **state) {
        struct fixture *f = *state;

        assert_idle(f, 0, 0);
        now.userdata = f;
        now.hook = publish_and_retire;
        assert_idle(f, NSEC_PER_SEC, 0);
        assert_null(now.hook);
        assert_next(f, FIRST, 2);
        assert_idle(f, 0, -ESTALE);
}

/* Its successor could not retire the ring, since it was lost to it; the socket tells that there is one. */
static void test_replaced(void **state) {
        struct fixture *f = *state;
        struct i4_record record;
        int r;

        ring_set_state(f->ring, I4_RING_STOPPED);
        daemon_die(f);
        assert_idle(f, NSEC_PER_SEC, 0);

        replace_ring(f, 7);
        daemon_start(f);
        assert_idle(f, NSEC_PER_SEC, 0);
        touch(f->path);

        /* It does not wait for the answer, which may be quick. */
        time_pass(NSEC_PER_SEC);
        r = i4_reader_read(f->reader, &record, 1);
        assert_true(r == 0 || r == -ESTALE);
        (void) daemon_expect(f, n_hellos, 2);
        for (int i = 0; i < 3; ++i)
                assert_idle(f, 20 * NSEC_PER_SEC, -ESTALE);

        /* These numbers are no continuation: start at the oldest record. */
        publish(f->ring, 3);
        assert_int_equal(i4_reader_reattach(f->reader), 0);
        assert_int_equal(daemon_expect(f, n_hellos, 3).n_connections, 3);
        assert_next(f, 7, 3);
        assert_int_equal(i4_reader_get_lost(f->reader), 0);
}

static void test_reattach_in_vain(void **state) {
        struct fixture *f = *state;

        publish(f->ring, 3);
        assert_next(f, FIRST, 3);
        assert_int_equal(i4_reader_reattach(f->reader), 0);
        assert_next(f, FIRST + 3, 0);
}

/* who else reads */

static void consumer_set(struct ring_consumer *consumer, const char *name, uint32_t lock) {
        char bytes[32] = {};
        uint64_t words[4];

        (void) snprintf(bytes, sizeof(bytes), "%s", name);
        memcpy(words, bytes, sizeof(words));
        for (size_t i = 0; i < ELEMENTSOF(words); ++i)
                atomic_store(&consumer->name[i], words[i]);
        atomic_store(&consumer->pid, 17);
        atomic_store(&consumer->cursor, FIRST);
        atomic_store(&consumer->lag, 2);
        atomic_store(&consumer->lost, 3);
        atomic_store(&consumer->is_used, 1);
        atomic_store(&consumer->lock, lock);
}

static void test_peers(void **state) {
        struct fixture *f = *state;
        struct i4_peer peers[8];

        assert_int_equal(i4_reader_get_peers(f->reader, peers, sizeof(*peers), ELEMENTSOF(peers)), 0);

        /* One that is being changed is left out. */
        consumer_set(&f->ring->consumers[0], "changing", 3);
        consumer_set(&f->ring->consumers[1], "first", 2);
        consumer_set(&f->ring->consumers[3], "second", 4);
        assert_int_equal(i4_reader_get_peers(f->reader, peers, sizeof(*peers), ELEMENTSOF(peers)), 2);
        assert_string_equal(peers[0].name, "first");
        assert_string_equal(peers[1].name, "second");
        assert_int_equal(peers[1].pid, 17);
        assert_int_equal(peers[1].cursor, FIRST);
        assert_int_equal(peers[1].lag_records, 2);
        assert_int_equal(peers[1].lost_records, 3);

        assert_int_equal(i4_reader_get_peers(f->reader, peers, sizeof(*peers), 1), 1);
        memset(peers, 0xff, sizeof(peers));
        assert_int_equal(i4_reader_get_peers(f->reader, peers, 8, ELEMENTSOF(peers)), 2);
        assert_int_equal(((uint32_t *) peers)[2], 17);
        assert_int_equal(((uint32_t *) peers)[4], UINT32_MAX);
}

static void test_stats(void **state) {
        struct fixture *f = *state;
        struct i4_stats stats;

        atomic_store(&f->ring->statistics->n_readers, 2);
        assert_int_equal(i4_reader_get_stats(f->reader, &stats, sizeof(stats)), 0);
        assert_int_equal(stats.state, I4_RING_RUNNING);
        assert_int_equal(stats.n_readers, 2);
        assert_int_equal(stats.generation, 1);

        ring_set_state(f->ring, I4_RING_STOPPED);
        assert_int_equal(i4_reader_get_stats(f->reader, &stats, sizeof(stats)), 0);
        assert_int_equal(stats.state, I4_RING_STOPPED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_open, setup_alive, teardown),
                cmocka_unit_test_setup_teardown(test_answers, setup_alive, teardown),
                cmocka_unit_test_setup_teardown(test_spare_descriptor, setup_alive, teardown),
                cmocka_unit_test_setup_teardown(test_absence, setup_dead, teardown),
                cmocka_unit_test_setup_teardown(test_wait, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wait_reports, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reports, setup, teardown),
                cmocka_unit_test_setup_teardown(test_descriptor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
                cmocka_unit_test_setup_teardown(test_descriptor_timer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_slow_answer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stopped_meanwhile, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retired, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retired_meanwhile, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reattach_in_vain, setup, teardown),
                cmocka_unit_test_setup_teardown(test_peers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stats, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
