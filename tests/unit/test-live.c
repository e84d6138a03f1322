/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/live.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static int setup(void **state) {
        static int fd;

        fd = memfd_create("live", MFD_CLOEXEC);
        assert_true(fd >= 0);
        *state = &fd;
        return 0;
}

static int teardown(void **state) {
        closep(*state);
        return 0;
}

static uint64_t live_get_size(int fd) {
        struct live_identity identity;

        assert_int_equal(live_get_identity(fd, &identity), 0);
        return identity.size;
}

static void live_set(int fd, const char *bytes, size_t size) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bytes, size, 0), size);
}

static void live_append(int fd, const char *text) {
        assert_int_equal(pwrite(fd, text, strlen(text), (off_t) live_get_size(fd)), strlen(text));
}

static void assert_time(int fd, const char *text, uint64_t time_ns) {
        struct stat st = { .st_mtim = { .tv_sec = 7 } };

        live_set(fd, text, strlen(text));
        assert_true(live_read_time(fd, &st) == time_ns);
}

/* Of the first line; what has none is as old as its last change. */
static void test_time(void **state) {
        int fd = *(int *) *state;

        assert_time(fd, "{\"a\":1,\"timestamp\":\"2026-11-23T10:49:43.7Z\"}\n{\"timestamp\":\"x\"}\n",
                        UINT64_C(1795430983700000000));
        assert_time(fd, "", 7 * NSEC_PER_SEC);
        assert_time(fd, "{\"timestamp\":\"20", 7 * NSEC_PER_SEC);
        assert_time(fd, "{\"timestamp\":\"today\"}\n", 7 * NSEC_PER_SEC);
}

/* Whatever a crash or somebody left there: nothing is taken away, and what comes next begins a line. */
static void test_end_line(void **state) {
        static const struct {
                const char *bytes;
                size_t size;
                int ended;
        } tails[] = {
                { "", 0, 0 },
                { "\n", 1, 0 },
                { "{\"a\":1}\n", 8, 0 },
                { "{\"a\":1}", 7, 1 },
                { "{\"a\":1}\n{", 9, 1 },
                { "{\"a\":1}\n\0\0\0", 11, 1 },
                { "\xff\xfe\r", 3, 1 },
                { "a\n\n\n", 4, 0 },
        };
        int fd = *(int *) *state;

        for (size_t i = 0; i < ELEMENTSOF(tails); ++i) {
                struct live_identity identity;
                char bytes[16];

                live_set(fd, tails[i].bytes, tails[i].size);
                assert_int_equal(live_end_line(fd), tails[i].ended);
                assert_int_equal(live_end_line(fd), 0);
                assert_int_equal(live_get_identity(fd, &identity), 0);
                assert_int_equal(identity.size, tails[i].size + (size_t) tails[i].ended);
                assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), identity.size);
                assert_memory_equal(bytes, tails[i].bytes, tails[i].size);
        }
}

static void check_end(int fd, uint64_t from, uint64_t offset, uint64_t n_lines) {
        uint64_t found = 0, n_found = 0;

        assert_int_equal(live_find_end(fd, from, &found, NULL), 0);
        assert_int_equal(found, offset);
        assert_int_equal(live_find_end(fd, from, &found, &n_found), 0);
        assert_int_equal(found, offset);
        assert_int_equal(n_found, n_lines);
}

static void test_find_end(void **state) {
        _cleanup_(freep) char *lines = malloc(200000);
        int fd = *(int *) *state;
        uint64_t offset;

        check_end(fd, 0, 0, 0);
        live_append(fd, "torn");
        check_end(fd, 0, 0, 0);
        assert_int_equal(live_find_end(fd, 4, &offset, NULL), -EBADMSG);
        live_append(fd, "\nb\ncc\ndd");
        check_end(fd, 0, 10, 3);
        check_end(fd, 5, 10, 2);
        check_end(fd, 10, 10, 0);

        /* Across the pieces that it is read in, and a line longer than one. */
        assert_non_null(lines);
        memset(lines, 'x', 199999);
        lines[199999] = '\0';
        lines[65535] = lines[65536] = lines[70000] = '\n';
        live_append(fd, lines);
        check_end(fd, 0, 12 + 70001, 6);
        check_end(fd, 12 + 65536, 12 + 70001, 2);
}

/* Shorter than what was written, or with a hole in that; what lies behind it is not looked at. */
static void test_is_cut(void **state) {
        int fd = *(int *) *state;

        assert_int_equal(live_is_cut(fd, 0), 0);
        assert_int_equal(live_is_cut(fd, 6), 1);
        live_append(fd, "line\n");
        assert_int_equal(live_is_cut(fd, 5), 0);
        assert_int_equal(live_is_cut(fd, 6), 1);

        assert_int_equal(pwrite(fd, "x", 1, 1 << 20), 1);
        assert_int_equal(live_is_cut(fd, 5), 0);
        assert_int_equal(live_is_cut(fd, 1 << 20), 1);
}

/* No further than to where it was completed. */
static void test_cut(void **state) {
        int fd = *(int *) *state;
        uint64_t size;

        live_append(fd, "line\nto");
        size = live_get_size(fd);
        live_cut(fd, 10, &size);
        assert_int_equal(size, 7);
        assert_int_equal(live_get_size(fd), 7);

        live_cut(fd, 5, &size);
        assert_int_equal(size, 5);
        assert_int_equal(live_get_size(fd), 5);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_time, setup, teardown),
                cmocka_unit_test_setup_teardown(test_end_line, setup, teardown),
                cmocka_unit_test_setup_teardown(test_find_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_is_cut, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
