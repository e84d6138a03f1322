/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/event_log.h"
#include "tree.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define START_NS  (UINT64_C(1780000000) * NSEC_PER_SEC)
#define N_RECORDS 20000u

struct fixture {
        char directory[64], path[128], old_path[128];
        const struct i4_catalog *catalog;
        struct model *model;
        struct i4_record records[N_RECORDS];
};

static int setup(void **state) {
        static const struct anchor anchor = { .time_ns = START_NS, .rate = { 100, NSEC_PER_SEC } };
        struct model_settings settings = { .kind = MODEL_NETWORK, .seed = 5, .anomalies_e4 = 3000 };
        struct fixture *f = aligned_alloc(64, (sizeof(*f) + 63) / 64 * 64);
        struct timeline timeline;

        assert_non_null(f);
        memset(f, 0, sizeof(*f));
        (void) snprintf(f->directory, sizeof(f->directory), "/tmp/i4-test-event-log-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        (void) snprintf(f->path, sizeof(f->path), "%s/" EVENTS_NAME, f->directory);
        (void) snprintf(f->old_path, sizeof(f->old_path), "%s/" EVENTS_OLD_NAME, f->directory);

        f->catalog = i4_catalog_get_default();
        assert_int_equal(model_new(&f->model, &settings, f->catalog), 0);
        timeline_init(&timeline, &anchor, 0);
        model_generate(f->model, 0, 0, &timeline, f->records, N_RECORDS);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        tree_remove(f->directory);
        (void) model_free(f->model);
        free(f);
        return 0;
}

/* A daemon that sees records @from to @to. */
static void look(const struct fixture *f, size_t from, size_t to) {
        _cleanup_(event_log_freep) struct event_log *log = NULL;

        assert_int_equal(event_log_new(&log, f->directory, f->model, f->catalog), 0);
        for (size_t i = from; i < to; i += 500)
                event_log_look(log, &f->records[i], 500);
        assert_int_equal(event_log_finish(log), 0);
}

static char *read_events(const char *path) {
        size_t size = 0;
        char *text = NULL;

        assert_int_equal(file_read(path, SIZE_MAX / 2, &text, &size), 0);
        assert_true(size > 1000);
        return text;
}

/* Each incident has one line, however often daemons end and see again what was not stored yet. */
static void test_restarts(void **state) {
        struct fixture *f = *state;
        _cleanup_(freep) char *once = NULL;
        _cleanup_(freep) char *often = NULL;

        look(f, 0, N_RECORDS);
        once = read_events(f->path);
        assert_int_equal(unlink(f->path), 0);

        for (size_t i = 0; i + 1000 <= N_RECORDS; i += 500)
                look(f, i, i + 1000);
        often = read_events(f->path);
        assert_string_equal(once, often);
}

/* What finds no room is not lost. */
static void test_no_room(void **state) {
        struct fixture *f = *state;
        _cleanup_(event_log_freep) struct event_log *log = NULL;
        _cleanup_(freep) char *all = NULL;
        _cleanup_(freep) char *late = NULL;

        look(f, 0, N_RECORDS);
        all = read_events(f->path);
        assert_int_equal(unlink(f->path), 0);

        assert_int_equal(event_log_new(&log, f->directory, f->model, f->catalog), 0);
        tree_remove(f->directory);
        event_log_look(log, f->records, N_RECORDS / 2);
        assert_int_equal(poll(&(struct pollfd){ event_log_get_fd(log), POLLIN, 0 }, 1, 0), 1);
        assert_int_equal(event_log_get_error(log), -ENOENT);
        assert_int_equal(event_log_finish(log), -ENOENT);
        assert_int_equal(poll(&(struct pollfd){ event_log_get_fd(log), POLLIN, 0 }, 1, 0), 0);
        assert_int_equal(mkdir(f->directory, 0700), 0);
        event_log_look(log, &f->records[N_RECORDS / 2], N_RECORDS / 2);
        assert_int_equal(event_log_finish(log), 0);
        late = read_events(f->path);
        assert_string_equal(all, late);
}

/* A large file becomes the old one, and what is in that is known as well. */
static void test_rotation(void **state) {
        struct fixture *f = *state;
        _cleanup_(freep) char *first = NULL;
        _cleanup_(freep) char *second = NULL;
        struct stat st;

        look(f, 0, N_RECORDS / 2);
        first = read_events(f->path);
        assert_int_equal(truncate(f->path, 17 << 20), 0);
        look(f, 0, N_RECORDS);
        assert_int_equal(stat(f->old_path, &st), 0);
        assert_int_equal(st.st_size, 17 << 20);
        second = read_events(f->path);

        assert_int_equal(unlink(f->path), 0);
        look(f, 0, N_RECORDS);
        free(TAKE_PTR(first));
        first = read_events(f->path);
        assert_string_equal(first, second);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_restarts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
