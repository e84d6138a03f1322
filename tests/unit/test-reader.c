/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reader while its daemon is there; test-attachment.c has its coming and going
 */

#include "fake-daemon.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

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

/* A reader that always finds something is heard of as well, as long as there is a daemon to hear. */
static void test_busy_reports(void **state) {
        struct fixture *f = *state;

        publish(f->ring, 1);
        assert_next(f, FIRST, 1);
        (void) daemon_expect(f, n_reports, 1);

        time_pass(NSEC_PER_SEC);
        ring_beat(f->ring);
        publish(f->ring, 1);
        assert_next(f, FIRST + 1, 1);
        (void) daemon_expect(f, n_reports, 2);
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
                cmocka_unit_test_setup_teardown(test_wait, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wait_reports, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reports, setup, teardown),
                cmocka_unit_test_setup_teardown(test_busy_reports, setup, teardown),
                cmocka_unit_test_setup_teardown(test_descriptor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
                cmocka_unit_test_setup_teardown(test_descriptor_timer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_peers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stats, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
