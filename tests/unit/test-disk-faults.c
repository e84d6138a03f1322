/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A recorder whose disk is full, fails, or is not what it was
 */

#include "recorder-fixture.h"

#include "tree.h"
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* With 2000 records, which are more than the disk takes. */
static const struct recorder_event *start_full(struct fixture *f) {
        f->settings.factory = &f->factory;
        f->script.space = 100000;
        start(f);
        publish(f, 2000);
        return expect(f, RECORDER_FULL);
}

/* No line is torn by a full disk, no record lost, and it goes on by itself. */
static void test_full(void **state) {
        _cleanup_(text_deinit) struct text text = {};
        struct ring_statistics *statistics;
        struct fixture *f = *state;

        text_init(&text);
        statistics = f->ring->statistics;
        assert_int_equal(start_full(f)->error, -ENOSPC);
        text_read_all(&text, f, NULL);
        assert_true(text.size > 90000 && text.size <= 100000);
        assert_int_equal(text.bytes[text.size - 1], '\n');

        f->script.space = UINT64_MAX;
        (void) expect(f, RECORDER_RECOVERED);
        stop(f);
        assert_int_equal(statistics->storage_state, I4_STORAGE_WRITING);
        assert_int_equal(statistics->storage_errno, 0);
        assert_true(statistic(&statistics->storage_errors) > 0);
        assert_int_equal(statistic(&statistics->storage_dropped), 0);
        assert_all(f, FIRST, FIRST + 2000);
}

static void wait_dropped(struct fixture *f, uint64_t n) {
        const struct timespec moment = { .tv_nsec = (long) NSEC_PER_MSEC };
        uint64_t deadline = clock_now_ns(CLOCK_MONOTONIC) + TIMEOUT_NS;

        while (statistic(&f->ring->statistics->storage_dropped) < n) {
                assert_true(clock_now_ns(CLOCK_MONOTONIC) < deadline);
                (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
        }
}

/* What the ring loses while the disk is full is counted while it is full, not when it is over. */
static void test_full_counts(void **state) {
        struct fixture *f = *state;

        (void) start_full(f);
        /* More than its buffers take. */
        publish(f, 16 * N_SLOTS);
        wait_dropped(f, N_SLOTS);

        f->script.space = UINT64_MAX;
        (void) expect(f, RECORDER_RECOVERED);
        stop(f);
        assert_true(statistic(&f->ring->statistics->storage_dropped) > N_SLOTS);
        assert_int_equal(statistic(&f->ring->statistics->storage_dropped) +
                                         statistic(&f->ring->statistics->storage_records),
                        2000 + 16 * N_SLOTS);
}

/* The end does not wait for ever either, and says why. What was not stored is left to the next one. */
static void test_full_at_end(void **state) {
        struct fixture *f = *state;

        (void) start_full(f);
        assert_int_equal(recorder_stop(f->recorder, clock_now_ns(CLOCK_MONOTONIC)), -ENOSPC);
        f->recorder = recorder_free(f->recorder);
        assert_int_equal(f->ring->statistics->storage_state, I4_STORAGE_FULL);

        f->script.space = UINT64_MAX;
        start(f);
        stop(f);
        assert_all(f, FIRST, FIRST + 2000);
}

/* A file that the disk fails is put away; what was not completed in it stands in the next. */
static void test_write_error(void **state) {
        struct fixture *f = *state;
        int n_sealed = 0;
        _cleanup_(text_deinit) struct text text = {};

        text_init(&text);
        f->settings.factory = &f->factory;
        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        f->script.write_error = -EIO;
        f->script.n_write_errors = 3;
        publish(f, 100);
        assert_int_equal(expect(f, RECORDER_FAILING)->error, -EIO);
        assert_non_null(strstr(f->event.name, ".suspect.jsonl"));
        (void) expect(f, RECORDER_RECOVERED);
        stop(f);

        text_read_all(&text, f, &n_sealed);
        assert_int_equal(n_sealed, 1);
        assert_all(f, FIRST, FIRST + 200);
        assert_int_equal(f->script.n_write_errors, 0);
}

/* A sync that failed is not repeated on the same file. */
static void test_sync_error(void **state) {
        struct fixture *f = *state;

        f->settings.factory = &f->factory;
        f->settings.sync_ns = 0;
        f->script.sync_error = -EIO;
        f->script.n_sync_errors = 1;
        start(f);
        publish(f, 100);
        assert_int_equal(expect(f, RECORDER_FAILING)->error, -EIO);
        assert_non_null(strstr(f->event.name, ".suspect.jsonl"));
        publish(f, 100);
        (void) expect(f, RECORDER_RECOVERED);
        stop(f);

        assert_all(f, FIRST, FIRST + 200);
        assert_true(statistic(&f->ring->statistics->storage_errors) > 0);
}

static void test_engine_change(void **state) {
        struct fixture *f = *state;

        f->settings.factory = &f->factory;
        f->script.broken = -EINVAL;
        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        f->script.n_submits = 0;
        publish(f, 100);
        assert_int_equal(expect(f, RECORDER_ENGINE_CHANGED)->error, -EINVAL);
        assert_string_equal(f->event.name, "pwrite");
        stop(f);

        assert_all(f, FIRST, FIRST + 200);
}

/* A file that was moved away keeps what it has; a new one takes the rest. */
static void test_replaced(void **state) {
        struct fixture *f = *state;
        char from[128], to[128];
        _cleanup_(text_deinit) struct text text = {};
        size_t offset = 0;

        text_init(&text);
        (void) snprintf(from, sizeof(from), "%s/readings.jsonl", f->path);
        (void) snprintf(to, sizeof(to), "%s/moved", f->path);
        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        assert_int_equal(rename(from, to), 0);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_REPLACED);
        publish(f, 100);
        stop(f);

        text_read(&text, to);
        text_read(&text, from);
        assert_lines(&text, &offset, FIRST, FIRST + 200);
        assert_int_equal(offset, text.size);
}

/* Of the file that was sealed last: the hole, from its beginning on, is a line of blanks, and the rest is
 * @expected. */
static void check_filled(struct fixture *f, const char *expected, size_t hole) {
        _cleanup_(freep) char *text = NULL;
        char path[256];
        size_t size;

        (void) snprintf(path, sizeof(path), "%s/sealed/%s", f->path, f->event.name);
        assert_int_equal(file_read(path, 1 << 20, &text, &size), 0);
        assert_int_equal(size, strlen(expected));
        assert_int_equal(text[0], '\n');
        for (size_t i = 1; i < hole - 1; ++i)
                assert_int_equal(text[i], ' ');
        assert_int_equal(text[hole - 1], '\n');
        assert_string_equal(text + hole, expected + hole);
}

/* A file that was cut short goes on at its end; one that was cut while a block was on its way has a hole, and
 * is put away without it. */
static void test_cut(void **state) {
        struct fixture *f = *state;
        _cleanup_(text_deinit) struct text text = {};
        _cleanup_(freep) char *before = NULL;
        size_t offset = 0, kept, size;
        char path[128], line[I4_LINE_MAX];
        _cleanup_(closep) int fd = -1;
        int n_sealed;

        text_init(&text);
        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        for (kept = 0; kept < 10; ++kept)
                offset += encode(&text, FIRST + kept, line);
        assert_int_equal(truncate(path, (off_t) offset + 7), 0);
        publish(f, 100);
        assert_true(expect(f, RECORDER_CUT)->value > 0);
        wait_stored(f, FIRST + 200);
        assert_int_equal(statistic(&f->ring->statistics->storage_errors), 1);

        /* What a write that was on its way leaves before it. */
        assert_int_equal(file_read(path, 1 << 20, &before, &size), 0);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8192), 0);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        assert_int_equal(expect(f, RECORDER_CUT)->value, 0);
        (void) expect(f, RECORDER_SEALED);
        check_filled(f, before, 8192);
        publish(f, 100);
        stop(f);

        text_read_all(&text, f, &n_sealed);
        assert_int_equal(n_sealed, 1);
        offset = text.size;
        for (kept = 0; kept < 100; ++kept)
                offset -= encode(&text, f->ring->head - 1 - kept, line);
        assert_lines(&text, &offset, f->ring->head - 100, f->ring->head);
}

/* Directories that vanish are made again, and nothing is lost that was not in them. */
static void test_vanished(void **state) {
        struct fixture *f = *state;
        char path[128], old[128];

        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        (void) snprintf(path, sizeof(path), "%s/sealed", f->path);
        assert_int_equal(rmdir(path), 0);
        recorder_rotate(f->recorder);
        (void) expect(f, RECORDER_SEALED);
        publish(f, 100);
        wait_stored(f, FIRST + 200);
        (void) snprintf(old, sizeof(old), "%s.old", f->path);
        assert_int_equal(rename(f->path, old), 0);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_REPLACED);
        publish(f, 100);
        wait_stored(f, FIRST + 300);
        assert_all(f, FIRST + 200, FIRST + 300);

        /* With all that is in it. */
        tree_remove(old);
        tree_remove(f->path);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_REPLACED);
        publish(f, 100);
        recorder_rotate(f->recorder);
        (void) expect(f, RECORDER_SEALED);
        publish(f, 100);
        stop(f);
        assert_all(f, FIRST + 300, FIRST + 500);
        assert_int_equal(f->ring->statistics->storage_state, I4_STORAGE_WRITING);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_full, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_counts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_at_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_write_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sync_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_engine_change, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
                cmocka_unit_test_setup_teardown(test_vanished, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
