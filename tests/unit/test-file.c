/* SPDX-License-Identifier: Apache-2.0 */

#include "tree.h"

#include "util/file.h"

#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define LINE "{\"a\":1}\n"

struct fixture {
        char top[64];
        char path[128];  /* appended to */
        char other[128]; /* somebody else's */
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) strcpy(f->top, "/tmp/test-file.XXXXXX");
        assert_non_null(mkdtemp(f->top));
        (void) snprintf(f->path, sizeof(f->path), "%s/lines", f->top);
        (void) snprintf(f->other, sizeof(f->other), "%s/other", f->top);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        tree_remove(f->top);
        free(f);
        return 0;
}

static void put(const char *path, const char *text) {
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_holds(const char *path, const char *expected) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        assert_int_equal(file_read(path, 4096, &text, &size), 0);
        assert_string_equal(text, expected);
}

static int append(const struct fixture *f) {
        return file_append(f->path, LINE, strlen(LINE), false);
}

static void test_append(void **state) {
        struct fixture *f = *state;
        struct stat st;

        assert_int_equal(append(f), 0);
        assert_int_equal(file_append(f->path, LINE LINE, 2 * strlen(LINE), true), 0);
        assert_holds(f->path, LINE LINE LINE);
        assert_int_equal(stat(f->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);

        put(f->path, "torn");
        assert_int_equal(append(f), 0);
        assert_holds(f->path, "torn\n" LINE);
}

/* Nobody makes us write to what is not ours, by whichever of its names it is opened. */
static void test_refused(void **state) {
        struct fixture *f = *state;

        put(f->other, "precious");
        assert_int_equal(link(f->other, f->path), 0);
        assert_int_equal(append(f), -EMLINK);
        assert_int_equal(file_append(f->other, LINE, strlen(LINE), false), -EMLINK);
        assert_holds(f->other, "precious");
        assert_int_equal(unlink(f->path), 0);

        assert_int_equal(symlink(f->other, f->path), 0);
        assert_int_equal(append(f), -ELOOP);
        assert_holds(f->other, "precious");
        assert_int_equal(unlink(f->other), 0);
        /* Not made through it either. */
        assert_int_equal(append(f), -ELOOP);
        assert_int_equal(access(f->other, F_OK), -1);
        assert_int_equal(unlink(f->path), 0);

        assert_int_equal(mkfifo(f->path, 0600), 0);
        assert_int_equal(append(f), -EMEDIUMTYPE);
        assert_int_equal(unlink(f->path), 0);

        assert_int_equal(mkdir(f->path, 0700), 0);
        assert_int_equal(append(f), -EISDIR);
}

/* Where not all of it gets through, nothing of it stays. */
static void test_whole_or_nothing(void **state) {
        struct fixture *f = *state;
        struct rlimit before, limit;

        put(f->path, LINE "torn");
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        limit = before;
        limit.rlim_cur = 2 * strlen(LINE) + 1;
        (void) signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(append(f), -EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_holds(f->path, LINE "torn");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_append, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(test_whole_or_nothing, setup, teardown),
        };

        (void) umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
