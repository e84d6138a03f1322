/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/listen.h"
#include "daemon/publisher.h"
#include "lib/wire.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#define N_CONSUMERS 3u
#define FOREVER     UINT64_MAX

/* The publisher on this thread's loop, clients as plain sockets: each side moves when it is told to. */
struct fixture {
        char directory[32];
        char path[64];
        sd_event *event;
        struct ring *ring;
        struct audience audience;
        struct publisher *publisher;
        struct publisher_settings settings;
        unsigned int n_notices[PUBLISHER_N_NOTICES];
        struct publisher_notice last;
        char last_name[32];
        char last_reason[128];
};

static void take_notice(void *userdata, const struct publisher_notice *notice) {
        struct fixture *f = userdata;

        ++f->n_notices[notice->kind];
        f->last = *notice;
        (void) snprintf(f->last_name, sizeof(f->last_name), "%s", notice->name);
        (void) snprintf(f->last_reason, sizeof(f->last_reason), "%s", notice->reason ? notice->reason : "");
}

static void start(struct fixture *f) {
        int fd = -1;

        assert_int_equal(listen_at(f->path, 0660, &fd), 0);
        assert_int_equal(publisher_new(&f->publisher, &f->settings, f->event, f->ring, &f->audience, fd), 0);
}

static int setup(void **state) {
        static const struct ring_settings settings = { .n_records = 8, .n_consumers = N_CONSUMERS };
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        strcpy(f->directory, "/tmp/i4-publisher-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        (void) snprintf(f->path, sizeof(f->path), "%s/ring.sock", f->directory);
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(ring_new(&f->ring, &settings, i4_catalog_get_default()), 0);
        f->settings = (struct publisher_settings){ .notice = take_notice, .userdata = f };
        start(f);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        publisher_free(f->publisher);
        ring_free(f->ring);
        sd_event_unref(f->event);
        (void) unlink(f->path);
        (void) rmdir(f->directory);
        free(f);
        return 0;
}

/* With other settings. */
static void restart(struct fixture *f) {
        f->publisher = publisher_free(f->publisher);
        start(f);
}

/* Until there is nothing left to do. */
static void settle(struct fixture *f) {
        while (sd_event_run(f->event, 0) > 0)
                ;
}

static int client_connect(struct fixture *f) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd;

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        strcpy(address.sun_path, f->path);
        assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        return fd;
}

static void say(int fd, const char *text) {
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What was answered; the descriptor that came along is closed and told by @fdp. */
static struct wire_message hear(int fd, bool *has_fdp) {
        char text[WIRE_MESSAGE_MAX], control[CMSG_SPACE(sizeof(int))];
        struct iovec iov = { text, sizeof(text) };
        struct msghdr header = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        struct wire_message message = {};
        ssize_t n;

        n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        assert_true(n > 0);
        assert_int_equal(wire_parse(&message, text, (size_t) n), 0);

        *has_fdp = CMSG_FIRSTHDR(&header) != NULL;
        if (*has_fdp) {
                int ring_fd;

                memcpy(&ring_fd, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof(ring_fd));
                assert_int_equal(fcntl(ring_fd, F_GETFL) & O_ACCMODE, O_RDONLY);
                close(ring_fd);
        }
        return message;
}

static void assert_silence(int fd) {
        char byte;

        assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
        assert_int_equal(errno, EAGAIN);
}

static void assert_closed(int fd) {
        char byte;

        assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
        close(fd);
}

#define HELLO(name) "{\"hello\":{\"name\":\"" name "\",\"version\":\"" I4_VERSION "\",\"observer\":false}}"
#define OBSERVE     "{\"hello\":{\"name\":\"stat\",\"version\":\"" I4_VERSION "\",\"observer\":true}}"

static int attach(struct fixture *f, const char *hello) {
        struct wire_message welcome;
        bool has_fd;
        int fd;

        fd = client_connect(f);
        say(fd, hello);
        settle(f);
        welcome = hear(fd, &has_fd);
        assert_int_equal(welcome.kind, WIRE_WELCOME);
        assert_true(has_fd);
        return fd;
}

static void assert_refused(struct fixture *f, const char *text, int error) {
        struct wire_message refused;
        bool has_fd;
        int fd;

        fd = client_connect(f);
        say(fd, text);
        settle(f);
        refused = hear(fd, &has_fd);
        assert_int_equal(refused.kind, WIRE_REFUSED);
        assert_int_equal(refused.error, error);
        assert_false(has_fd);
        assert_closed(fd);
        assert_int_equal(f->last.kind, PUBLISHER_REFUSED);
        assert_int_equal(f->last.error, -error);
        assert_string_equal(f->last_reason, refused.reason);
}

static void publish(struct fixture *f) {
        size_t n = 1;

        (void) ring_claim(f->ring, &n);
        ring_publish(f->ring, n);
}

static void test_attach(void **state) {
        struct fixture *f = *state;
        struct i4_peer peer;
        i4_reader *observer = NULL;
        int fd;

        publish(f);
        fd = attach(f, HELLO("anna"));
        assert_int_equal(f->n_notices[PUBLISHER_ATTACHED], 1);
        assert_string_equal(f->last_name, "anna");
        assert_int_equal(f->last.pid, getpid());
        assert_int_equal(publisher_get_n_readers(f->publisher), 1);
        assert_int_equal(f->audience.n_readers, 1);
        assert_int_equal(f->ring->statistics->n_readers, 1);

        assert_int_equal(i4_reader_open_fd(&observer, f->ring->reader_fd), 0);
        assert_int_equal(i4_reader_get_peers(observer, &peer, sizeof(peer), 1), 1);
        assert_string_equal(peer.name, "anna");
        assert_int_equal(peer.pid, getpid());
        assert_int_equal(peer.cursor, 1);

        close(fd);
        settle(f);
        assert_int_equal(f->n_notices[PUBLISHER_LEFT], 1);
        assert_int_equal(i4_reader_get_peers(observer, &peer, sizeof(peer), 1), 0);
        assert_int_equal(f->audience.n_readers, 0);
        assert_int_equal(f->ring->statistics->n_readers, 0);
        i4_reader_close(observer);
}

static void test_report(void **state) {
        struct fixture *f = *state;
        struct i4_peer peer;
        i4_reader *observer = NULL;
        int fd, fd2;

        fd = attach(f, HELLO("anna"));
        fd2 = attach(f, HELLO("berta"));
        say(fd, "{\"report\":{\"cursor\":17,\"lag\":5,\"lost\":3}}");
        say(fd2, "{\"report\":{\"cursor\":20,\"lag\":0,\"lost\":4,\"mood\":\"new keys are ignored\"}}");
        say(fd2, "{\"report\":{\"cursor\":20,\"lag\":0,\"lost\":1}}");
        settle(f);

        assert_int_equal(f->ring->statistics->readers_lost, 7);
        assert_int_equal(f->n_notices[PUBLISHER_LOST], 2);
        assert_int_equal(i4_reader_open_fd(&observer, f->ring->reader_fd), 0);
        assert_int_equal(i4_reader_get_peers(observer, &peer, sizeof(peer), 1), 1);
        assert_int_equal(peer.cursor, 17);
        assert_int_equal(peer.lag_records, 5);
        assert_int_equal(peer.lost_records, 3);
        assert_true(peer.last_report_ns > 0 && peer.last_report_ns <= clock_now_ns(CLOCK_BOOTTIME));

        i4_reader_close(observer);
        close(fd);
        close(fd2);
}

/* Who finds all places taken is told which setting decides; a place that was left is free. */
static void test_max_readers(void **state) {
        struct fixture *f = *state;
        int fds[N_CONSUMERS];

        for (size_t i = 0; i < N_CONSUMERS; ++i)
                fds[i] = attach(f, HELLO("anna"));

        assert_refused(f, HELLO("last"), EUSERS);
        assert_non_null(strstr(f->last_reason, "MaxReaders="));
        assert_int_equal(f->ring->statistics->readers_refused, 1);

        /* observers look, and take no reader's place */
        close(attach(f, OBSERVE));

        close(fds[1]);
        settle(f);
        fds[1] = attach(f, HELLO("next"));
        for (size_t i = 0; i < N_CONSUMERS; ++i)
                close(fds[i]);
}

static void test_observers(void **state) {
        struct fixture *f = *state;
        int fds[PUBLISHER_OBSERVERS_MAX];

        for (size_t i = 0; i < PUBLISHER_OBSERVERS_MAX; ++i)
                fds[i] = attach(f, OBSERVE);
        assert_int_equal(publisher_get_n_readers(f->publisher), 0);
        assert_int_equal(f->audience.n_readers, 0);

        assert_refused(f, OBSERVE, EUSERS);
        close(attach(f, HELLO("anna")));
        for (size_t i = 0; i < PUBLISHER_OBSERVERS_MAX; ++i)
                close(fds[i]);
}

static void test_garbage(void **state) {
        static const char *const garbage[] = {
                "{",
                "hello",
                "{\"hello\":{}}",
                "{\"hello\":{\"name\":17,\"version\":\"" I4_VERSION "\"}}",
                "{\"report\":{\"cursor\":1,\"lag\":0,\"lost\":0}}",
                "{\"welcome\":{\"version\":\"0.1.0\",\"instance\":\"00000000000000000000000000000000\"}}",
        };
        struct fixture *f = *state;
        char large[2 * WIRE_MESSAGE_MAX];

        for (size_t i = 0; i < ELEMENTSOF(garbage); ++i)
                assert_refused(f, garbage[i], EPROTO);

        /* whatever fits of it, the whole of it counts */
        memset(large, ' ', sizeof(large));
        memcpy(large, HELLO("x"), strlen(HELLO("x")));
        large[sizeof(large) - 1] = 0;
        assert_refused(f, large, EPROTO);

        assert_int_equal(publisher_get_n_readers(f->publisher), 0);
        close(attach(f, HELLO("anna")));
}

/* Whether a reader understands the memory stands in the memory; what it calls itself decides nothing. */
static void test_other_version(void **state) {
        struct fixture *f = *state;

        close(attach(f, "{\"hello\":{\"name\":\"x\",\"version\":\"99.0\",\"observer\":false}}"));
}

/* One that was let in and then talks nonsense goes, with its place. */
static void test_garbage_later(void **state) {
        static const char *const garbage[] = { HELLO("again"), "{\"wake\":{\"published\":1}}", "x" };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(garbage); ++i) {
                struct wire_message refused;
                bool has_fd;
                int fd;

                fd = attach(f, HELLO("anna"));
                say(fd, garbage[i]);
                say(fd, "and more, so that there is something left to read");
                settle(f);
                refused = hear(fd, &has_fd);
                assert_int_equal(refused.kind, WIRE_REFUSED);
                assert_closed(fd);
                assert_int_equal(publisher_get_n_readers(f->publisher), 0);
        }
}

/* Nobody keeps the loop busy: some eleven of these messages come within a second. */
static void test_flood(void **state) {
        struct fixture *f = *state;
        struct wire_message refused;
        unsigned int n = 0;
        bool has_fd;
        int fd;

        f->settings.n_messages_max = 10;
        restart(f);
        fd = attach(f, HELLO("anna"));
        while (publisher_get_n_readers(f->publisher) > 0 && ++n < 1000) {
                say(fd, "{\"report\":{\"cursor\":0,\"lag\":0,\"lost\":0}}");
                settle(f);
        }

        assert_true(n >= 10 && n < 1000);
        refused = hear(fd, &has_fd);
        assert_int_equal(refused.error, EPROTO);
        assert_closed(fd);
}

/* Who connects and says nothing is shown out; who spoke stays. */
static void test_mute(void **state) {
        struct fixture *f = *state;
        int fd, mute;

        f->settings.hello_timeout_us = 1;
        restart(f);
        mute = client_connect(f);
        while (f->n_notices[PUBLISHER_MUTE] == 0)
                assert_true(sd_event_run(f->event, FOREVER) >= 0);
        assert_closed(mute);

        f->settings.hello_timeout_us = 0;
        restart(f);
        fd = attach(f, HELLO("anna"));
        assert_int_equal(publisher_get_n_readers(f->publisher), 1);
        close(fd);
}

/* What has been said in time counts, also where nobody had time to listen. */
static void test_heard_late(void **state) {
        struct fixture *f = *state;
        bool has_fd = false;
        int fd;

        f->settings.hello_timeout_us = 1;
        restart(f);
        fd = client_connect(f);
        say(fd, HELLO("anna"));
        settle(f);
        assert_int_equal(hear(fd, &has_fd).kind, WIRE_WELCOME);
        assert_true(has_fd);
        assert_int_equal(f->n_notices[PUBLISHER_MUTE], 0);
        close(fd);
}

/* Any number of the silent keep nobody out. */
static void test_many_mute(void **state) {
        struct fixture *f = *state;
        int fds[PUBLISHER_MUTE_MAX + 1], fd;

        for (size_t i = 0; i < ELEMENTSOF(fds); ++i) {
                fds[i] = client_connect(f);
                settle(f);
        }
        assert_int_equal(f->n_notices[PUBLISHER_MUTE], 1);
        assert_closed(fds[0]);

        fd = attach(f, HELLO("anna"));
        close(fd);
        for (size_t i = 1; i < ELEMENTSOF(fds); ++i)
                close(fds[i]);
}

/* An armed reader is woken once for what is published, at once if it already is. */
static void test_arm(void **state) {
        struct fixture *f = *state;
        struct wire_message wake;
        bool has_fd;
        int fd;

        fd = attach(f, HELLO("anna"));
        say(fd, "{\"arm\":{\"cursor\":0}}");
        settle(f);
        assert_silence(fd);
        assert_true(audience_take_arm(&f->audience));

        /* a false alarm leaves it armed */
        publisher_wake(f->publisher);
        assert_silence(fd);
        assert_true(audience_take_arm(&f->audience));

        publish(f);
        publisher_wake(f->publisher);
        wake = hear(fd, &has_fd);
        assert_int_equal(wake.kind, WIRE_WAKE);
        assert_int_equal(wake.cursor, 1);
        publish(f);
        publisher_wake(f->publisher);
        assert_silence(fd);
        assert_false(audience_take_arm(&f->audience));

        say(fd, "{\"arm\":{\"cursor\":1}}");
        settle(f);
        wake = hear(fd, &has_fd);
        assert_int_equal(wake.cursor, 2);

        /* one that claims to be ahead of everybody is woken all the same */
        say(fd, "{\"arm\":{\"cursor\":1000000}}");
        settle(f);
        assert_silence(fd);
        publish(f);
        publisher_wake(f->publisher);
        wake = hear(fd, &has_fd);
        assert_int_equal(wake.cursor, 3);
        close(fd);
}

/* One that never reads its messages loses them; nobody waits for it. */
static void test_arm_unread(void **state) {
        struct fixture *f = *state;
        struct wire_message wake;
        bool has_fd;
        int fd, deaf, size = 1;

        deaf = attach(f, HELLO("deaf"));
        assert_int_equal(setsockopt(deaf, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
        for (unsigned int i = 0; i < 2000; ++i) {
                say(deaf, "{\"arm\":{\"cursor\":0}}");
                settle(f);
                publish(f);
                publisher_wake(f->publisher);
        }
        assert_int_equal(publisher_get_n_readers(f->publisher), 1);

        fd = attach(f, HELLO("anna"));
        say(fd, "{\"arm\":{\"cursor\":0}}");
        settle(f);
        wake = hear(fd, &has_fd);
        assert_int_equal(wake.cursor, 2000);
        close(fd);
        close(deaf);
}

static void test_silent(void **state) {
        struct fixture *f = *state;
        int fd;

        f->settings.silent_ns = 1;
        restart(f);
        fd = attach(f, HELLO("anna"));

        /* it has read everything: nothing to say */
        publisher_check(f->publisher);
        assert_int_equal(f->n_notices[PUBLISHER_SILENT], 0);

        publish(f);
        publisher_check(f->publisher);
        publisher_check(f->publisher);
        assert_int_equal(f->n_notices[PUBLISHER_SILENT], 1);
        assert_string_equal(f->last_name, "anna");

        say(fd, "{\"report\":{\"cursor\":0,\"lag\":1,\"lost\":0}}");
        settle(f);
        publisher_check(f->publisher);
        assert_int_equal(f->n_notices[PUBLISHER_SILENT], 2);
        close(fd);
}

/* Out of descriptors the loop rests, tells once, and goes on when one is given back. */
static void test_exhausted(void **state) {
        struct fixture *f = *state;
        struct rlimit limit, none;
        int fd, late;

        fd = attach(f, HELLO("anna"));
        late = client_connect(f);
        say(late, HELLO("late"));

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        none = limit;
        none.rlim_cur = 3;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        settle(f);
        assert_int_equal(f->n_notices[PUBLISHER_EXHAUSTED], 1);
        assert_int_equal(f->last.error, -EMFILE);
        settle(f);
        assert_int_equal(f->n_notices[PUBLISHER_EXHAUSTED], 1);

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        close(fd);
        settle(f);
        assert_int_equal(f->n_notices[PUBLISHER_ATTACHED], 2);
        assert_string_equal(f->last_name, "late");
        close(late);
}

static void test_listen(void **state) {
        struct fixture *f = *state;
        char path[200];
        struct stat st;
        FILE *file;
        int fd;

        assert_int_equal(stat(f->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0660);

        /* somebody listens */
        assert_int_equal(listen_at(f->path, 0660, &fd), -EADDRINUSE);

        /* nobody does any more: taken over (as setup() does too after a crash) */
        f->publisher = publisher_free(f->publisher);
        assert_int_equal(listen_at(f->path, 0660, &fd), 0);
        close(fd);

        /* no socket: not ours to remove */
        assert_int_equal(unlink(f->path), 0);
        file = fopen(f->path, "w");
        assert_non_null(file);
        fclose(file);
        assert_int_equal(listen_at(f->path, 0660, &fd), -EADDRINUSE);
        assert_int_equal(access(f->path, F_OK), 0);

        assert_int_equal(listen_at("/nonexistent/ring.sock", 0660, &fd), -ENOENT);
        memset(path, 'x', sizeof(path));
        path[sizeof(path) - 1] = 0;
        assert_int_equal(listen_at(path, 0660, &fd), -ENAMETOOLONG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_attach, setup, teardown),
                cmocka_unit_test_setup_teardown(test_report, setup, teardown),
                cmocka_unit_test_setup_teardown(test_max_readers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_observers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
                cmocka_unit_test_setup_teardown(test_other_version, setup, teardown),
                cmocka_unit_test_setup_teardown(test_garbage_later, setup, teardown),
                cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mute, setup, teardown),
                cmocka_unit_test_setup_teardown(test_heard_late, setup, teardown),
                cmocka_unit_test_setup_teardown(test_many_mute, setup, teardown),
                cmocka_unit_test_setup_teardown(test_arm, setup, teardown),
                cmocka_unit_test_setup_teardown(test_arm_unread, setup, teardown),
                cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
                cmocka_unit_test_setup_teardown(test_exhausted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_listen, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
