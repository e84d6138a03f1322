/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How a reader comes to its daemon, and what it does when that goes
 */

#include "fake-daemon.h"

#include "util/socket_mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

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

/* By a daemon that stops. */
static void test_hung_up(void **state) {
        struct fixture *f = *state;

        daemon_set_answer(f, ANSWER_HANG_UP);
        assert_int_equal(i4_reader_open(&f->reader, f->path, "test"), -ECONNREFUSED);
        assert_int_equal(daemon_expect(f, n_hellos, 4).n_connections, 4);

        daemon_set_answer(f, ANSWER_HANG_UP_ONCE);
        assert_int_equal(i4_reader_open(&f->reader, f->path, "test"), 0);
        (void) daemon_expect(f, n_hellos, 6);
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

/* Who reads has systemd start a daemon, who looks on does not. */
static void test_observer_of_nobody(void **state) {
        struct fixture *f = *state;

        daemon_set_time(f, SOCKET_TIME_NOBODY);
        assert_int_equal(i4_reader_open_observer(&f->reader, f->path, "test"), -ECONNREFUSED);
        assert_int_equal(i4_reader_open(&f->reader, f->path, "test"), 0);
        assert_int_equal(daemon_expect(f, n_hellos, 1).n_connections, 1);
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

/* Nor is one that took its place, and was stopped as well, while the reader did not look. */
static void test_stopped_again(void **state) {
        struct fixture *f = *state;

        daemon_die(f);
        assert_idle(f, NSEC_PER_SEC, 0);
        daemon_start(f);
        daemon_set_time(f, 1);
        daemon_set_time(f, SOCKET_TIME_NOBODY);
        ring_set_state(f->ring, I4_RING_STOPPED);
        daemon_die(f);
        for (int i = 0; i < 3; ++i)
                assert_idle(f, 2 * NSEC_PER_SEC, 0);
        assert_nobody_calls(f);

        replace_ring(f, FIRST);
        daemon_start(f);
        daemon_set_time(f, 1);
        time_pass(NSEC_PER_SEC);
        assert_true(i4_reader_wait(f->reader, 0) <= 0);
        (void) daemon_expect(f, n_hellos, 2);
}

/* Nor is one that took the ring over and was killed, which systemd tells by the socket's time. */
static void test_killed_again(void **state) {
        struct fixture *f = *state;

        daemon_die(f);
        assert_idle(f, NSEC_PER_SEC, 0);
        ring_set_running(f->ring);
        ring_beat(f->ring);
        daemon_set_time(f, SOCKET_TIME_NOBODY);
        for (int i = 0; i < 3; ++i)
                assert_idle(f, 2 * NSEC_PER_SEC, 0);
        assert_nobody_calls(f);
}

/* The time of a socket that systemd has just made does not say yet that nobody is there. */
static void test_moved(void **state) {
        struct fixture *f = *state;

        ring_set_state(f->ring, I4_RING_STOPPED);
        daemon_die(f);
        assert_idle(f, NSEC_PER_SEC, 0);
        daemon_move(f);
        assert_idle(f, 2 * NSEC_PER_SEC, 0);
        assert_nobody_calls(f);

        daemon_start(f);
        daemon_set_time(f, 1);
        reconnect(f, 2);
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

/* Nor is the daemon called that has retired the ring and was stopped since. */
static void test_retired_and_stopped(void **state) {
        struct fixture *f = *state;

        assert_int_equal(ring_retire_fd(f->ring->fd), 0);
        daemon_set_time(f, SOCKET_TIME_NOBODY);
        daemon_die(f);
        assert_idle(f, 2 * NSEC_PER_SEC, 0);
        assert_idle(f, 31 * NSEC_PER_SEC, -EPIPE);
        assert_int_equal(i4_reader_reattach(f->reader), -ECONNREFUSED);
        assert_nobody_calls(f);

        replace_ring(f, FIRST);
        daemon_start(f);
        assert_idle(f, 2 * NSEC_PER_SEC, 0);
        daemon_set_time(f, 1);
        assert_idle(f, 2 * NSEC_PER_SEC, -ESTALE);
        assert_int_equal(i4_reader_reattach(f->reader), 0);
        publish(f->ring, 1);
        assert_next(f, FIRST, 1);
}

/* Nor one that is stopped while it is asked for the new ring. */
static void test_stopped_while_asked(void **state) {
        struct fixture *f = *state;

        assert_int_equal(ring_retire_fd(f->ring->fd), 0);
        daemon_set_answer(f, ANSWER_STOP);
        assert_int_equal(i4_reader_reattach(f->reader), -ECONNREFUSED);
        assert_int_equal(daemon_expect(f, n_hellos, 2).n_connections, 2);
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
        daemon_set_time(f, 1);

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

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_open, setup_alive, teardown),
                cmocka_unit_test_setup_teardown(test_answers, setup_alive, teardown),
                cmocka_unit_test_setup_teardown(test_spare_descriptor, setup_alive, teardown),
                cmocka_unit_test_setup_teardown(test_hung_up, setup_alive, teardown),
                cmocka_unit_test_setup_teardown(test_absence, setup_dead, teardown),
                cmocka_unit_test_setup_teardown(test_observer_of_nobody, setup_alive, teardown),
                cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_slow_answer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stopped, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stopped_again, setup, teardown),
                cmocka_unit_test_setup_teardown(test_killed_again, setup, teardown),
                cmocka_unit_test_setup_teardown(test_moved, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stopped_meanwhile, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retired, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retired_and_stopped, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stopped_while_asked, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retired_meanwhile, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reattach_in_vain, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
