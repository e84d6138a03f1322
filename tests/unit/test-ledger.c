/* SPDX-License-Identifier: Apache-2.0 */

#include "tree.h"

#include "storage/ledger.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
        char path[64];
        int fd;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) snprintf(f->path, sizeof(f->path), "/tmp/test-ledger.XXXXXX");
        assert_non_null(mkdtemp(f->path));
        f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(f->fd >= 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        (void) close(f->fd);
        tree_remove(f->path);
        free(f);
        return 0;
}

static void put(const struct fixture *f, const char *text) {
        _cleanup_(closep) int fd = openat(f->fd, ".sequence", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_written_is_read(void **state) {
        static const uint64_t numbers[] = { 1, 10, UINT64_MAX, 0, 7 };
        struct fixture *f = *state;
        uint64_t next = 42;

        assert_int_equal(ledger_read(f->path, &next), 0);
        assert_int_equal(next, 0);
        for (size_t i = 0; i < ELEMENTSOF(numbers); ++i) {
                assert_int_equal(ledger_write(f->fd, numbers[i]), 0);
                assert_int_equal(ledger_read(f->path, &next), 0);
                assert_int_equal(next, numbers[i]);
        }
}

static void test_nothing_there(void **state) {
        struct fixture *f = *state;
        uint64_t next = 42;

        put(f, "");
        assert_int_equal(ledger_read(f->path, &next), 0);
        assert_int_equal(next, 0);
        assert_int_equal(ledger_read("/nonexistent", &next), 0);
        assert_int_equal(next, 0);
}

static void test_damaged(void **state) {
        static const char *const texts[] = {
                "1\n",
                "00000000000000000001",
                "000000000000000000010",
                "0000000000000000000x\n",
                "-0000000000000000001\n",
                "99999999999999999999\n",
                "00000000000000000001\n\n",
                " 0000000000000000001\n",
        };
        struct fixture *f = *state;
        uint64_t next = 42;

        for (size_t i = 0; i < ELEMENTSOF(texts); ++i) {
                put(f, texts[i]);
                assert_int_equal(ledger_read(f->path, &next), -EBADMSG);
        }
}

/* Somebody put something else there. */
static void test_planted(void **state) {
        struct fixture *f = *state;
        uint64_t next;

        assert_int_equal(symlinkat("/etc/hostname", f->fd, ".sequence"), 0);
        assert_int_equal(ledger_read(f->path, &next), -ELOOP);
        assert_int_equal(ledger_write(f->fd, 1), -ELOOP);

        /* and a second name */
        assert_int_equal(unlinkat(f->fd, ".sequence", 0), 0);
        put(f, "of somebody else\n");
        assert_int_equal(linkat(f->fd, ".sequence", f->fd, "other", 0), 0);
        assert_int_equal(ledger_read(f->path, &next), -EMLINK);
        assert_int_equal(ledger_write(f->fd, 1), -EMLINK);
        assert_int_equal(unlinkat(f->fd, "other", 0), 0);
        assert_int_equal(ledger_write(f->fd, 1), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_written_is_read, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nothing_there, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
                cmocka_unit_test_setup_teardown(test_planted, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
