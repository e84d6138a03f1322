/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/spool.h"
#include "tree.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
        char directory[64], path[128], old_path[128];
        struct spool_memory *memory;
        struct spool *spool;
};

/* A daemon begins, with what the one before left in memory. */
static void begin(struct fixture *f) {
        struct spool_settings settings = { f->directory, "list", "list.old", 4096 };

        f->spool = spool_free(f->spool);
        assert_int_equal(spool_new(&f->spool, &settings, f->memory), 0);
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->memory = calloc(1, sizeof(*f->memory));
        assert_non_null(f->memory);
        (void) snprintf(f->directory, sizeof(f->directory), "/tmp/i4-test-spool-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        (void) snprintf(f->path, sizeof(f->path), "%s/list", f->directory);
        (void) snprintf(f->old_path, sizeof(f->old_path), "%s/list.old", f->directory);
        begin(f);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        (void) spool_free(f->spool);
        free(f->memory);
        tree_remove(f->directory);
        free(f);
        return 0;
}

static void assert_file(const char *path, const char *wanted) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        assert_int_equal(file_read(path, SIZE_MAX / 4, &text, &size), 0);
        assert_string_equal(text, wanted);
}

/* Whether there is news; then there is none. */
static bool has_news(struct fixture *f) {
        struct pollfd pollfd = { .fd = spool_get_fd(f->spool), .events = POLLIN };
        bool has = poll(&pollfd, 1, 0) == 1;

        spool_quieten(f->spool);
        return has;
}

static void test_order(void **state) {
        struct fixture *f = *state;

        assert_true(spool_is_empty(f->spool));
        assert_int_equal(spool_put(f->spool, "a\n"), 0);
        assert_int_equal(spool_put(f->spool, "b\n"), 0);
        assert_false(spool_is_empty(f->spool));
        assert_int_not_equal(access(f->path, F_OK), 0);
        assert_false(has_news(f));

        spool_write(f->spool);
        assert_true(spool_is_empty(f->spool));
        assert_true(has_news(f));
        assert_file(f->path, "a\nb\n");

        spool_write(f->spool);
        assert_false(has_news(f));
        assert_int_equal(spool_put(f->spool, "c\n"), 0);
        spool_write(f->spool);
        assert_file(f->path, "a\nb\nc\n");
}

/* What a daemon that was killed had put, its successor writes. */
static void test_successor(void **state) {
        struct fixture *f = *state;
        const char *text;

        assert_int_equal(spool_put(f->spool, "a\n"), 0);
        assert_int_equal(spool_put(f->spool, "b\n"), 0);
        begin(f);
        assert_int_equal(spool_peek(f->spool, &text), 4);
        assert_memory_equal(text, "a\nb\n", 4);
        spool_write(f->spool);
        assert_file(f->path, "a\nb\n");
        assert_int_equal(spool_peek(f->spool, &text), 0);

        /* It is damaged: nothing of it is used, and it goes on. */
        f->memory->n_put = UINT64_MAX / 2;
        begin(f);
        assert_true(spool_is_empty(f->spool));
        assert_int_equal(spool_put(f->spool, "c\n"), 0);
        spool_write(f->spool);
        assert_file(f->path, "a\nb\nc\n");
}

/* There is an end to it, and what was there before is untouched; round and round. */
static void test_full(void **state) {
        struct fixture *f = *state;
        char line[1001] = "";

        memset(line, 'x', 999);
        line[999] = '\n';
        for (unsigned int round = 0; round < 3; ++round) {
                unsigned int n = 0;
                struct stat st;
                int r;

                while ((r = spool_put(f->spool, line)) == 0)
                        ++n;
                assert_int_equal(r, -ENOBUFS);
                assert_int_equal(n, SPOOL_SIZE / 1000);

                (void) unlink(f->path);
                spool_write(f->spool);
                assert_int_equal(stat(f->path, &st), 0);
                assert_int_equal(st.st_size, n * 1000);
        }
}

/* An error is told once, and over once; it is tried again when asked, and no line is lost. */
static void test_error(void **state) {
        struct fixture *f = *state;

        tree_remove(f->directory);
        assert_int_equal(spool_put(f->spool, "a\n"), 0);
        spool_write(f->spool);
        assert_int_equal(spool_get_error(f->spool), -ENOENT);
        assert_true(has_news(f));
        spool_ask(f->spool);
        spool_write(f->spool);
        assert_false(has_news(f));

        assert_int_equal(mkdir(f->directory, 0700), 0);
        assert_int_equal(spool_put(f->spool, "b\n"), 0);
        spool_write(f->spool);
        assert_int_equal(spool_get_error(f->spool), -ENOENT);
        spool_ask(f->spool);
        spool_write(f->spool);
        assert_int_equal(spool_get_error(f->spool), 0);
        assert_true(has_news(f));
        assert_file(f->path, "a\nb\n");
}

/* A file that is large gives way to another, and one that somebody removed is missed. */
static void test_anew(void **state) {
        struct fixture *f = *state;

        assert_int_equal(spool_put(f->spool, "a\n"), 0);
        spool_write(f->spool);
        assert_false(spool_take_anew(f->spool));
        assert_int_equal(truncate(f->path, 4096), 0);
        assert_int_equal(spool_put(f->spool, "b\n"), 0);
        spool_write(f->spool);
        assert_false(spool_take_anew(f->spool));
        assert_file(f->path, "b\n");
        assert_file(f->old_path, "a\n");

        (void) has_news(f);
        assert_int_equal(unlink(f->path), 0);
        spool_write(f->spool);
        assert_false(has_news(f));
        spool_ask(f->spool);
        spool_write(f->spool);
        assert_true(has_news(f));
        assert_true(spool_take_anew(f->spool));
        assert_false(spool_take_anew(f->spool));
}

#define N_LINES 20000u

static void *writer_run(void *userdata) {
        struct fixture *f = userdata;
        struct stat st;

        /* Each line has seven bytes. */
        while (stat(f->path, &st) < 0 || st.st_size < 7 * N_LINES)
                spool_write(f->spool);
        return NULL;
}

/* Both sides at once: each line, once, in order. */
static void test_threads(void **state) {
        struct fixture *f = *state;
        struct spool_settings settings = { .directory = f->directory, .name = "list" };
        _cleanup_(freep) char *text = NULL;
        pthread_t writer;
        size_t size;
        char line[8];

        f->spool = spool_free(f->spool);
        assert_int_equal(spool_new(&f->spool, &settings, f->memory), 0);
        assert_int_equal(pthread_create(&writer, NULL, writer_run, f), 0);
        for (unsigned int i = 0; i < N_LINES; ++i) {
                (void) snprintf(line, sizeof(line), "%06u\n", i);
                while (spool_put(f->spool, line) == -ENOBUFS)
                        (void) sched_yield();
        }
        assert_int_equal(pthread_join(writer, NULL), 0);

        assert_int_equal(file_read(f->path, SIZE_MAX / 4, &text, &size), 0);
        assert_int_equal(size, 7 * N_LINES);
        for (unsigned int i = 0; i < N_LINES; ++i) {
                (void) snprintf(line, sizeof(line), "%06u\n", i);
                assert_memory_equal(text + 7 * (size_t) i, line, 7);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_order, setup, teardown),
                cmocka_unit_test_setup_teardown(test_successor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full, setup, teardown),
                cmocka_unit_test_setup_teardown(test_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_anew, setup, teardown),
                cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
