/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a recorder finds that another one left
 */

#include "recorder-fixture.h"

#include "daemon/keeper.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void write_live(struct fixture *f, const char *text) {
        char path[128];
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

/* What it starts with stays, and a torn line is ended. */
static void test_append(void **state) {
        _cleanup_(text_deinit) struct text text = {};
        static const char old[] = "{\"whole\":1}\n{\"to";
        struct fixture *f = *state;
        size_t offset = strlen(old) + 1;

        text_init(&text);
        write_live(f, old);
        start(f);
        (void) expect(f, RECORDER_LINE_ENDED);
        assert_int_equal(expect(f, RECORDER_STARTED)->records, FIRST);
        publish(f, 10);
        stop(f);

        text_read_all(&text, f, NULL);
        assert_memory_equal(text.bytes, old, strlen(old));
        assert_int_equal(text.bytes[offset - 1], '\n');
        assert_lines(&text, &offset, FIRST, FIRST + 10);
        assert_int_equal(offset, text.size);
}

/* One recorder after another, on the same ring: no record twice, none missing. */
static void test_restart(void **state) {
        struct fixture *f = *state;

        for (unsigned int i = 0; i < 5; ++i) {
                start(f);
                publish(f, 700);
                stop(f);
                /* While there is none. */
                publish(f, 77);
        }
        start(f);
        stop(f);

        assert_all(f, FIRST, f->ring->head);
}

/* What was noted after the first @n_noted records, of @n_more that are stored as well. */
static struct recorder_state store_beyond(struct fixture *f, uint64_t n_noted, uint64_t n_more) {
        struct recorder_state noted;

        start(f);
        publish(f, n_noted);
        wait_stored(f, FIRST + n_noted);
        noted = *f->state;
        publish(f, n_more);
        stop(f);
        return noted;
}

/* What a successor finds in the file behind the position noted last is as if it had been noted. */
static void test_unnoted(void **state) {
        struct fixture *f = *state;
        struct recorder_state noted;

        noted = store_beyond(f, 100, 300);
        *f->state = noted;
        start(f);
        publish(f, 50);
        stop(f);
        assert_all(f, FIRST, FIRST + 450);
}

/* The same, with the last line torn at any place. */
static void test_torn(void **state) {
        struct fixture *f = *state;
        _cleanup_(text_deinit) struct text text = {};
        struct recorder_state noted;
        char path[128], line[I4_LINE_MAX];
        struct stat st;
        size_t size;

        text_init(&text);
        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        noted = store_beyond(f, 20, 5);
        assert_int_equal(stat(path, &st), 0);
        size = encode(&text, FIRST + 24, line);
        for (size_t n_torn = 1; n_torn <= size; n_torn += 7) {
                assert_int_equal(truncate(path, st.st_size - (off_t) n_torn), 0);
                *f->state = noted;
                start(f);
                stop(f);
                assert_all(f, FIRST, FIRST + 25);
        }

        /* Old enough to be sealed at once: not before the line is whole. */
        assert_int_equal(truncate(path, st.st_size - 10), 0);
        *f->state = noted;
        f->settings.retention.max_file_ns = NSEC_PER_HOUR;
        start(f);
        publish(f, 5);
        wait_stored(f, FIRST + 30);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_SEALED);
        stop(f);
        assert_all(f, FIRST, FIRST + 30);
}

/* A torn line whose record the ring has lost meanwhile is ended, and what is missing is counted. */
static void test_torn_and_lost(void **state) {
        struct fixture *f = *state;
        _cleanup_(text_deinit) struct text text = {};
        char path[128];
        struct stat st;
        size_t offset = 0;
        uint64_t n_dropped;

        text_init(&text);
        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        start(f);
        publish(f, 20);
        stop(f);
        assert_int_equal(stat(path, &st), 0);
        f->state->positions[f->state->selected].sequence -= 1;
        f->state->positions[f->state->selected].offset = 0;
        f->state->positions[f->state->selected].sequence = FIRST;
        assert_int_equal(truncate(path, st.st_size - 5), 0);

        publish(f, 2 * N_SLOTS);
        start(f);
        (void) expect(f, RECORDER_LINE_ENDED);
        stop(f);

        n_dropped = statistic(&f->ring->statistics->storage_dropped);
        text_read_all(&text, f, NULL);
        assert_lines(&text, &offset, FIRST, FIRST + 19);
        offset = (size_t) st.st_size - 4;
        assert_int_equal(text.bytes[offset - 1], '\n');
        assert_true(n_dropped >= N_SLOTS);
        assert_lines(&text, &offset, FIRST + 19 + n_dropped, f->ring->head);
        assert_int_equal(offset, text.size);
}

/* Killed at any moment: the next one goes on exactly where it stopped. */
static void test_kill(void **state) {
        struct fixture *f = *state;

        for (unsigned int i = 0; i < 12; ++i) {
                uint64_t goal = ring_view_get_published(&f->view) + 1500 + 137 * i;
                int status;
                pid_t pid;

                f->settings.engine = i % 2 ? ENGINE_PWRITE : ENGINE_AUTO;
                f->settings.retention.max_file_size = RETENTION_FILE_SIZE_MIN;
                f->ring->head = ring_view_get_published(&f->view);
                pid = fork();
                assert_true(pid >= 0);
                if (pid == 0) {
                        start(f);
                        for (;;)
                                publish_blocking(f, 100);
                }

                while (statistic(&f->ring->statistics->storage_next) < goal &&
                                waitpid(pid, NULL, WNOHANG) == 0)
                        (void) sched_yield();
                assert_int_equal(kill(pid, SIGKILL), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status));
        }

        f->ring->head = ring_view_get_published(&f->view);
        start(f);
        stop(f);
        assert_all(f, FIRST, f->ring->head);
}

static void ignore_event(void *userdata, const struct recorder_event *event) {}

/* A gap is noted before a line is written behind it, or a successor would take those lines for the lost ones.
 */
static void test_gap_is_noted(void **state) {
        struct fixture *f = *state;
        struct recovery_range range = { .oldest = FIRST, .published = FIRST + 1000 };
        struct i4_record record = record_make(FIRST);
        _cleanup_(keeper_freep) struct keeper *keeper = NULL;

        assert_int_equal(keeper_new(&keeper, &f->settings, f->path, f->ring->statistics, f->state,
                                         ignore_event, f),
                        0);
        assert_int_equal(keeper_start(keeper, i4_catalog_get_default(), range), 0);
        /* looks into the file */
        keeper_run(keeper, 0);
        assert_int_equal(keeper_append(keeper, &record, 1), 1);
        assert_int_equal(keeper_skip(keeper, FIRST + 500), -EBUSY);
        keeper_flush(keeper);
        while (!keeper_is_written(keeper))
                keeper_run(keeper, NSEC_PER_SEC);

        assert_int_equal(keeper_skip(keeper, FIRST + 500), 0);
        assert_int_equal(f->state->positions[f->state->selected].sequence, FIRST + 500);
        assert_int_equal(keeper_stop(keeper, soon()), 0);
        assert_int_equal(statistic(&f->ring->statistics->storage_dropped), 499);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_append, setup, teardown),
                cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unnoted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
                cmocka_unit_test_setup_teardown(test_torn_and_lost, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
                cmocka_unit_test_setup_teardown(test_gap_is_noted, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
