/* SPDX-License-Identifier: Apache-2.0 */

#include "fake-daemon.h"

#include "util/socket_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>

/* time */

struct fake_time now;

/* The program's own functions come before libc's. */
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

void time_pass(uint64_t ns) {
        atomic_fetch_add(&now.passed_ns, ns);
}

/* the daemon */

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

static void daemon_hang_up(struct fixture *f) {
        closep(&f->client_fd);
        f->client_fd = -1;
}

void daemon_set_time(const struct fixture *f, time_t modified_sec) {
        const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = modified_sec } };

        assert_int_equal(utimensat(AT_FDCWD, f->path, times, 0), 0);
}

void daemon_answer(struct fixture *f, enum answer answer) {
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
        case ANSWER_HANG_UP_ONCE:
                f->answer = ANSWER_WELCOME;
                daemon_hang_up(f);
                break;
        case ANSWER_STOP:
                daemon_set_time(f, SOCKET_TIME_NOBODY);
                daemon_hang_up(f);
                break;
        case ANSWER_HANG_UP:
                daemon_hang_up(f);
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
        else
                daemon_hang_up(f);
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

void daemon_start(struct fixture *f) {
        ring_set_running(f->ring);
        f->is_alive = true;
        assert_int_equal(pthread_create(&f->thread, NULL, daemon_run, f), 0);
}

void daemon_set_answer(struct fixture *f, enum answer answer) {
        pthread_mutex_lock(&f->lock);
        f->answer = answer;
        pthread_mutex_unlock(&f->lock);
}

void daemon_die(struct fixture *f) {
        uint64_t one = 1;

        assert_int_equal(write(f->stop_fd, &one, sizeof(one)), sizeof(one));
        pthread_join(f->thread, NULL);
        assert_int_equal(read(f->stop_fd, &one, sizeof(one)), sizeof(one));
        daemon_hang_up(f);
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

void daemon_move(struct fixture *f) {
        char old[sizeof(f->path) + 8];

        /* There for as long as the other is made: that one has another number. */
        (void) snprintf(old, sizeof(old), "%s.old", f->path);
        assert_int_equal(rename(f->path, old), 0);
        closep(&f->listen_fd);
        daemon_listen(f);
        assert_int_equal(unlink(old), 0);
}

void assert_nobody_calls(const struct fixture *f) {
        struct pollfd fd = { .fd = f->listen_fd, .events = POLLIN };

        assert_int_equal(poll(&fd, 1, 0), 0);
}

int setup_dead(void **state) {
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
        daemon_set_time(f, 2);
        *state = f;
        return 0;
}

int setup_alive(void **state) {
        if (setup_dead(state) < 0)
                return -1;
        daemon_start(*state);
        return 0;
}

int setup(void **state) {
        struct fixture *f;

        if (setup_alive(state) < 0)
                return -1;

        f = *state;
        assert_int_equal(i4_reader_open(&f->reader, f->path, "test"), 0);
        return 0;
}

int teardown(void **state) {
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

void publish(struct ring *ring, uint64_t n) {
        while (n > 0) {
                size_t n_claimed = MIN(n, N_RECORDS / 2);
                struct i4_record *records = ring_claim(ring, &n_claimed);

                for (size_t i = 0; i < n_claimed; ++i)
                        records[i] = (struct i4_record){ .sequence = ring->head + i };
                ring_publish(ring, n_claimed);
                n -= n_claimed;
        }
}

void assert_next(struct fixture *f, uint64_t first, int n) {
        struct i4_record records[4 * N_RECORDS];

        assert_int_equal(i4_reader_read(f->reader, records, ELEMENTSOF(records)), n);
        for (int i = 0; i < n; ++i)
                assert_int_equal(records[i].sequence, first + (uint64_t) i);
}

void assert_idle(struct fixture *f, uint64_t after_ns, int result) {
        struct i4_record record;

        time_pass(after_ns);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), result);
}

void replace_ring(struct fixture *f, uint64_t first_sequence) {
        struct ring_settings other = settings;

        other.first_sequence = first_sequence;
        other.n_records = 2 * N_RECORDS;
        ring_free(f->ring);
        f->ring = NULL;
        assert_int_equal(ring_new(&f->ring, &other, i4_catalog_get_default()), 0);
}

void assert_readable(int fd, int timeout_ms, int result) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };

        assert_int_equal(poll(&pollfd, 1, timeout_ms), result);
}

void daemon_wake(struct fixture *f) {
        struct wire_message wake = { .kind = WIRE_WAKE, .cursor = f->ring->head };

        pthread_mutex_lock(&f->lock);
        client_say(f->client_fd, &wake, NULL, 0);
        pthread_mutex_unlock(&f->lock);
}
