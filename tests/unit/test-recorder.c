/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A recorder and its settings; test-recovery.c has what another left, test-disk-faults.c what a disk does
 */

#include "recorder-fixture.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <string.h>
#include <sys/stat.h>

/* What was published is in the file when the recorder has stopped. */
static void test_drain(void **state) {
        struct fixture *f = *state;

        start(f);
        publish(f, 3000);
        stop(f);

        assert_all(f, FIRST, FIRST + 3000);
        assert_int_equal(statistic(&f->ring->statistics->storage_next), FIRST + 3000);
        assert_int_equal(statistic(&f->ring->statistics->storage_records), 3000);
        assert_int_equal(statistic(&f->ring->statistics->storage_dropped), 0);
}

/* A disk that stands still loses records, and each is counted. */
static void test_overflow(void **state) {
        struct fixture *f = *state;
        uint64_t n_dropped = 0;

        f->settings.factory = &f->factory;
        f->script.is_hanging = true;
        start(f);
        publish(f, 100);
        for (unsigned int i = 0; i < 5; ++i)
                publish(f, N_SLOTS);
        f->script.is_hanging = false;
        n_dropped = expect(f, RECORDER_DROPPED)->records;
        assert_true(n_dropped > 0);
        publish(f, 100);

        assert_int_equal(recorder_stop(f->recorder, soon()), 0);
        while (recorder_next_event(f->recorder, &f->event))
                if (f->event.kind == RECORDER_DROPPED)
                        n_dropped += f->event.records;
        assert_int_equal(statistic(&f->ring->statistics->storage_dropped), n_dropped);
        assert_int_equal(count_missing(f, FIRST, f->ring->head), n_dropped);
        assert_int_equal(statistic(&f->ring->statistics->storage_records) + n_dropped, f->ring->head - FIRST);
}

/* A generator that waits for storage loses nothing, however small the ring. */
static void test_block(void **state) {
        struct fixture *f = *state;

        f->settings.flush_ns = NSEC_PER_HOUR;
        start(f);
        publish_blocking(f, 30000);
        stop(f);

        assert_int_equal(statistic(&f->ring->statistics->storage_dropped), 0);
        assert_all(f, FIRST, FIRST + 30000);
}

static void test_wait_timeout(void **state) {
        struct fixture *f = *state;

        start(f);
        assert_int_equal(recorder_wait(f->recorder, FIRST, 0), 0);
        assert_int_equal(recorder_wait(f->recorder, FIRST + 1, NSEC_PER_MSEC), -ETIMEDOUT);
        stop(f);
}

/* Files are sealed before they are too large, and named by what they begin with. */
static void test_size(void **state) {
        struct fixture *f = *state;
        struct stat st;
        char path[256];
        int n_sealed;
        _cleanup_(text_deinit) struct text text = {};

        text_init(&text);
        f->settings.retention.max_file_size = RETENTION_FILE_SIZE_MIN;
        start(f);
        publish_blocking(f, 8000);
        assert_string_equal(expect(f, RECORDER_SEALED)->name,
                        "readings-00000000000000001000-19700101T000001Z.jsonl");
        (void) snprintf(path, sizeof(path), "%s/sealed/%s", f->path, f->event.name);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, f->event.value);
        assert_in_range(st.st_size, RETENTION_FILE_SIZE_MIN - 80000, RETENTION_FILE_SIZE_MIN);
        assert_true(st.st_blocks * 512 <= st.st_size + 4096);
        assert_int_equal(st.st_mode & 07777, 0640);
        stop(f);

        text_read_all(&text, f, &n_sealed);
        assert_true(n_sealed >= 3);
        assert_int_equal(statistic(&f->ring->statistics->storage_segments), n_sealed);
        assert_all(f, FIRST, FIRST + 8000);
}

/* What was published before is in the file that is sealed; its name has the first sequence even after a
 * restart. */
static void test_rotate(void **state) {
        struct fixture *f = *state;

        f->settings.flush_ns = NSEC_PER_HOUR;
        start(f);
        publish(f, 100);
        stop(f);
        start(f);
        publish(f, 200);
        recorder_rotate(f->recorder);
        assert_string_equal(expect(f, RECORDER_SEALED)->name,
                        "readings-00000000000000001000-19700101T000001Z.jsonl");
        wait_stored(f, FIRST + 300);
        publish(f, 10);
        stop(f);

        assert_all(f, FIRST, FIRST + 310);
}

/* Where nobody knows any more what the file begins with, its name is before those that follow, whatever their
 * times are. */
static void test_rotate_unknown(void **state) {
        struct fixture *f = *state;
        char path[256];

        start(f);
        publish(f, 100);
        stop(f);
        (void) snprintf(path, sizeof(path), "%s/.readings.first", f->path);
        assert_int_equal(unlink(path), 0);
        start(f);
        recorder_rotate(f->recorder);
        assert_string_equal(expect(f, RECORDER_SEALED)->name,
                        "readings-00000000000000001099-19700101T000001Z.jsonl");
        publish(f, 10);
        recorder_rotate(f->recorder);
        assert_string_equal(expect(f, RECORDER_SEALED)->name,
                        "readings-00000000000000001100-19700101T000001Z.jsonl");
        stop(f);

        assert_all(f, FIRST, FIRST + 110);
}

/* MaxUse= deletes the oldest, and only sealed files. */
static void test_max_use(void **state) {
        struct fixture *f = *state;
        _cleanup_(text_deinit) struct text text = {};
        uint64_t first;
        size_t offset = 0;

        text_init(&text);
        f->settings.retention.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = 3 << 19 };
        start(f);
        publish_blocking(f, 20000);
        assert_int_equal(expect(f, RECORDER_DELETED)->error, 0);
        stop(f);

        assert_true(statistic(&f->ring->statistics->storage_use_bytes) <= 3 << 19);
        assert_int_equal(statistic(&f->ring->statistics->storage_limit_bytes), 3 << 19);
        text_read_all(&text, f, NULL);
        first = find_record(&text, 0, FIRST, f->ring->head);
        assert_true(first > FIRST);
        assert_lines(&text, &offset, first, FIRST + 20000);
        assert_int_equal(offset, text.size);
}

/* Limits that leave no room stop writing; settings that do let it go on, and nothing is lost. */
static void test_keep_free(void **state) {
        struct fixture *f = *state;

        f->settings.retention.keep_free =
                        (struct retention_limit){ .share_e4 = 10000, .bytes = UINT64_MAX - 1 };
        start(f);
        publish(f, 1000);
        assert_int_equal(expect(f, RECORDER_LIMITED)->value, 0);
        /* Told before it is counted. */
        for (uint64_t end = soon(); f->ring->statistics->storage_state != I4_STORAGE_FULL;
                        (void) sched_yield())
                assert_true(clock_now_ns(CLOCK_MONOTONIC) < end);
        assert_int_equal(recorder_get_stored(f->recorder), FIRST);

        f->settings.retention.keep_free.bytes = 0;
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_RECOVERED);
        wait_stored(f, FIRST + 1000);
        stop(f);
        assert_all(f, FIRST, FIRST + 1000);
}

/* What the watchdog goes by: idle is fine, a write that hangs is not. */
static void test_progress(void **state) {
        struct fixture *f = *state;
        uint64_t progress, n_same = 0;

        f->settings.factory = &f->factory;
        start(f);
        progress = recorder_get_progress(f->recorder);
        while (recorder_get_progress(f->recorder) == progress)
                (void) sched_yield();

        f->script.is_hanging = true;
        publish(f, 100);
        while (n_same < 100) {
                (void) nanosleep(&(struct timespec){ .tv_nsec = (long) NSEC_PER_MSEC }, NULL);
                n_same = recorder_get_progress(f->recorder) == progress ? n_same + 1 : 0;
                progress = recorder_get_progress(f->recorder);
        }

        f->script.is_hanging = false;
        wait_stored(f, FIRST + 100);
        while (recorder_get_progress(f->recorder) == progress)
                (void) sched_yield();
        stop(f);
}

/* Mistakes show at once. */
/* Whoever lets the thread work: it may stay until the gate opens, as at a disk that does not answer. */
struct guest {
        sem_t is_there, gate;
        uint64_t n_looked; /* records, when write() was called last */
        uint64_t n_records;
        bool is_writer;
};

static void guest_stay(struct guest *guest) {
        assert_int_equal(sem_post(&guest->is_there), 0);
        assert_int_equal(sem_wait(&guest->gate), 0);
}

static void guest_look(void *userdata, const struct i4_record *records, size_t n) {
        struct guest *guest = userdata;

        guest->n_records += n;
        if (!guest->is_writer)
                guest_stay(guest);
}

static void guest_write(void *userdata) {
        struct guest *guest = userdata;

        guest->n_looked = guest->n_records;
        if (guest->is_writer)
                guest_stay(guest);
}

static void run_guest(struct fixture *f, bool is_writer) {
        struct guest guest = { .is_writer = is_writer };

        assert_int_equal(sem_init(&guest.is_there, 0, 0), 0);
        assert_int_equal(sem_init(&guest.gate, 0, 0), 0);
        f->settings.look = guest_look;
        f->settings.write = guest_write;
        f->settings.userdata = &guest;
        start(f);
        publish(f, 10);
        recorder_wake(f->recorder);

        assert_int_equal(sem_wait(&guest.is_there), 0);
        assert_true(recorder_is_at_disk(f->recorder));
        /* What is to be written goes before what is read after it. */
        assert_int_equal(guest.n_looked, 0);
        for (unsigned int i = 0; i < 100; ++i)
                assert_int_equal(sem_post(&guest.gate), 0);
        stop(f);
        assert_int_equal(guest.n_records, 10);
        assert_int_equal(guest.n_looked, 10);
        assert_int_equal(sem_destroy(&guest.gate), 0);
        assert_int_equal(sem_destroy(&guest.is_there), 0);
}

/* They are in front of the disk, too: no reason for a watchdog. And what comes last is not forgotten. */
static void test_guests(void **state) {
        run_guest(*state, false);
        run_guest(*state, true);
}

static void test_refused(void **state) {
        struct recorder *other = NULL;
        struct fixture *f = *state;

        start(f);
        assert_int_equal(recorder_new(&other, &f->settings, f->path, &f->view, f->ring->statistics,
                                         i4_catalog_get_default(), f->state),
                        -EBUSY);
        assert_null(other);
        stop(f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
                cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
                cmocka_unit_test_setup_teardown(test_block, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wait_timeout, setup, teardown),
                cmocka_unit_test_setup_teardown(test_size, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rotate, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rotate_unknown, setup, teardown),
                cmocka_unit_test_setup_teardown(test_max_use, setup, teardown),
                cmocka_unit_test_setup_teardown(test_keep_free, setup, teardown),
                cmocka_unit_test_setup_teardown(test_progress, setup, teardown),
                cmocka_unit_test_setup_teardown(test_guests, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        };

        (void) umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
