/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/control.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#define WAIT_US 30000000u

struct fixture {
        char directory[32];
        struct sockaddr_un address;
        sd_event *event;
        struct control *control;
        char heard[CONTROL_PACKET_MAX + 1];
        unsigned int n_heard;
        bool is_holding;
};

static bool answer(void *userdata, const char *text, size_t size, char *said) {
        struct fixture *f = userdata;

        assert_true(size <= CONTROL_PACKET_MAX);
        memcpy(f->heard, text, size);
        f->heard[size] = 0;
        ++f->n_heard;
        (void) snprintf(said, CONTROL_PACKET_MAX, "{}");
        return !f->is_holding;
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));
        int fd;

        assert_non_null(f);
        strcpy(f->directory, "/tmp/i4-control-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        f->address.sun_family = AF_UNIX;
        (void) snprintf(f->address.sun_path, sizeof(f->address.sun_path), "%s/s", f->directory);

        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (const struct sockaddr *) &f->address, sizeof(f->address)), 0);
        assert_int_equal(listen(fd, 64), 0);
        assert_true(sd_event_new(&f->event) >= 0);
        assert_int_equal(control_new(&f->control, f->event, fd, answer, f), 0);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        control_free(f->control);
        sd_event_unref(f->event);
        (void) unlink(f->address.sun_path);
        (void) rmdir(f->directory);
        free(f);
        return 0;
}

static int client_connect(const struct fixture *f) {
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (const struct sockaddr *) &f->address, sizeof(f->address)), 0);
        return fd;
}

static void turn(const struct fixture *f, uint64_t timeout_us) {
        assert_true(sd_event_run(f->event, timeout_us) >= 0);
}

static void assert_said(int fd, const char *text) {
        char said[CONTROL_PACKET_MAX];
        ssize_t n = recv(fd, said, sizeof(said), MSG_DONTWAIT);

        assert_int_equal(n, strlen(text));
        assert_memory_equal(said, text, strlen(text));
        assert_int_equal(recv(fd, said, sizeof(said), MSG_DONTWAIT), 0);
}

static void test_answer(void **state) {
        struct fixture *f = *state;
        char longest[CONTROL_PACKET_MAX + 1];
        int fd;

        fd = client_connect(f);
        assert_int_equal(send(fd, "order", 5, 0), 5);
        while (f->n_heard == 0)
                turn(f, WAIT_US);
        assert_string_equal(f->heard, "order");
        assert_said(fd, "{}");
        close(fd);

        memset(longest, 'x', sizeof(longest));
        fd = client_connect(f);
        assert_int_equal(send(fd, longest, sizeof(longest), 0), sizeof(longest));
        turn(f, WAIT_US);
        turn(f, WAIT_US);
        assert_said(fd, "{\"error\":\"the request is too long\"}");
        assert_int_equal(f->n_heard, 1);
        close(fd);
}

static int client_ask(struct fixture *f) {
        unsigned int n_before = f->n_heard;
        int fd = client_connect(f);

        assert_int_equal(send(fd, "order", 5, 0), 5);
        while (f->n_heard == n_before)
                turn(f, WAIT_US);
        return fd;
}

/* An order of one who has given up in the meantime is not carried out. */
static void test_gone(void **state) {
        struct fixture *f = *state;
        int fd = client_connect(f);

        assert_int_equal(send(fd, "late", 4, 0), 4);
        close(fd);
        close(client_ask(f));
        assert_string_equal(f->heard, "order");
        assert_int_equal(f->n_heard, 1);
}

static void assert_silent(int fd) {
        char said[CONTROL_PACKET_MAX];

        assert_int_equal(recv(fd, said, sizeof(said), MSG_DONTWAIT), -1);
        assert_int_equal(errno, EAGAIN);
}

/* An answer waits until it is released, or has waited long enough; the loop goes on meanwhile. */
static void test_hold(void **state) {
        struct fixture *f = *state;
        int first, second, other;

        f->is_holding = true;
        first = client_ask(f);
        second = client_ask(f);
        f->is_holding = false;
        other = client_ask(f);
        assert_said(other, "{}");
        assert_silent(first);
        assert_silent(second);
        /* Who left is nothing to turn for. */
        assert_int_equal(close(second), 0);
        assert_int_equal(sd_event_run(f->event, 0), 0);

        control_release(f->control, "{\"error\":1}");
        assert_said(first, "{\"error\":1}");
        close(first);
        close(other);

        f->is_holding = true;
        first = client_ask(f);
        control_release(f->control, NULL);
        assert_said(first, "{}");
        close(first);

        first = client_ask(f);
        assert_silent(first);
        turn(f, WAIT_US);
        assert_said(first, "{}");
        close(first);
}

/* Whoever says nothing gives way to who comes after. */
static void test_mute(void **state) {
        struct fixture *f = *state;
        int fds[20], last;

        for (size_t i = 0; i < ELEMENTSOF(fds); ++i) {
                fds[i] = client_connect(f);
                turn(f, WAIT_US);
        }
        last = client_connect(f);
        assert_int_equal(send(last, "order", 5, 0), 5);
        while (f->n_heard == 0)
                turn(f, WAIT_US);
        assert_said(last, "{}");
        assert_said(fds[0], "");

        for (size_t i = 0; i < ELEMENTSOF(fds); ++i)
                close(fds[i]);
        close(last);
}

/* Without a descriptor for who connects the loop goes to sleep, not round and round, and looks again. */
static void test_exhausted(void **state) {
        struct fixture *f = *state;
        struct rlimit before, none;
        int fd;

        fd = client_connect(f);
        assert_int_equal(send(fd, "order", 5, 0), 5);

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        turn(f, WAIT_US);
        assert_int_equal(sd_event_run(f->event, 0), 0);
        assert_int_equal(f->n_heard, 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

        while (f->n_heard == 0)
                turn(f, WAIT_US);
        assert_said(fd, "{}");
        close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_answer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hold, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mute, setup, teardown),
                cmocka_unit_test_setup_teardown(test_exhausted, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
