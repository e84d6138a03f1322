/* SPDX-License-Identifier: Apache-2.0 */

#include "tree.h"

#include "storage/directory.h"
#include "storage/live.h"

#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define FIRST_TIME UINT64_C(1795430983700000000) /* 2026-11-23T10:49:43.7Z */

struct fixture {
        char path[64];
        struct directory *directory;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) strcpy(f->path, "/tmp/test-directory.XXXXXX");
        assert_non_null(mkdtemp(f->path));
        assert_int_equal(directory_new(&f->directory, f->path), 0);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        directory_free(f->directory);
        tree_remove(f->path);
        free(f);
        return 0;
}

static void file_make(const struct fixture *f, const char *name, const char *bytes, size_t size) {
        _cleanup_(closep) int fd =
                        open(tree_path(f->path, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, size), size);
}

static bool file_exists(const struct fixture *f, const char *name) {
        return access(tree_path(f->path, name), F_OK) == 0;
}

static void assert_mode(const struct fixture *f, const char *name, mode_t mode) {
        struct stat st;

        assert_int_equal(lstat(tree_path(f->path, name), &st), 0);
        assert_int_equal(st.st_mode & 07777, mode);
}

static void live_append(const struct fixture *f, const char *text) {
        int fd = directory_get_fd(f->directory);
        struct live_identity identity;

        assert_int_equal(live_get_identity(fd, &identity), 0);
        assert_int_equal(pwrite(fd, text, strlen(text), (off_t) identity.size), strlen(text));
}

static void live_restart(struct fixture *f) {
        directory_free(f->directory);
        f->directory = NULL;
        assert_int_equal(directory_new(&f->directory, f->path), 0);
        assert_int_equal(directory_open_live(f->directory), 0);
}

/* The group may read, others may not; what is missing is made. */
static void test_modes(void **state) {
        struct fixture *f = *state;

        assert_int_equal(directory_get_fd(f->directory), -1);
        assert_int_equal(directory_open_live(f->directory), 0);
        assert_mode(f, "sealed", 0750);
        assert_mode(f, "readings.jsonl", 0640);

        f->directory = directory_free(f->directory);
        assert_int_equal(directory_new(&f->directory, tree_path(f->path, "new")), 0);
        assert_mode(f, "new", 0750);
        assert_int_equal(directory_new(&f->directory, tree_path(f->path, "no/parent")), -ENOENT);
}

/* What it would take makes nothing, nor does it take anything away. */
static void test_verify(void **state) {
        struct fixture *f = *state;
        char sealed[256];

        assert_int_equal(directory_verify(f->directory), 0);
        assert_false(file_exists(f, "readings.jsonl"));
        assert_false(file_exists(f, "sealed"));

        /* Sealed by links, and its old name not removed yet */
        assert_int_equal(directory_restore(f->directory), 0);
        file_make(f, "readings.jsonl", "line\n", 5);
        (void) strcpy(sealed,
                        tree_path(f->path, "sealed/readings-00000000000000000001-20261123T104943Z.jsonl"));
        assert_int_equal(link(tree_path(f->path, "readings.jsonl"), sealed), 0);
        assert_int_equal(directory_verify(f->directory), 0);
        assert_true(file_exists(f, "readings.jsonl"));
}

static void test_lock(void **state) {
        struct directory *other = NULL;
        struct fixture *f = *state;

        assert_int_equal(directory_new(&other, f->path), -EBUSY);
        assert_null(other);
        f->directory = directory_free(f->directory);
        assert_int_equal(directory_new(&f->directory, f->path), 0);
}

static void assert_refused(const struct fixture *f, int error) {
        assert_int_equal(directory_verify(f->directory), error);
        assert_int_equal(directory_open_live(f->directory), error);
        assert_int_equal(directory_get_fd(f->directory), -1);
}

/* Nobody tricks us into writing to something else. */
static void test_refused(void **state) {
        struct fixture *f = *state;
        char other[256];

        (void) strcpy(other, tree_path(f->path, "other"));
        file_make(f, "other", "precious\n", 9);

        assert_int_equal(symlink(other, tree_path(f->path, "readings.jsonl")), 0);
        assert_refused(f, -ELOOP);
        assert_int_equal(unlink(tree_path(f->path, "readings.jsonl")), 0);

        /* Not made through it either. */
        assert_int_equal(symlink("nowhere", tree_path(f->path, "readings.jsonl")), 0);
        assert_refused(f, -ELOOP);
        assert_false(file_exists(f, "nowhere"));
        assert_int_equal(unlink(tree_path(f->path, "readings.jsonl")), 0);

        assert_int_equal(link(other, tree_path(f->path, "readings.jsonl")), 0);
        assert_refused(f, -EMLINK);
        assert_int_equal(unlink(tree_path(f->path, "readings.jsonl")), 0);

        assert_int_equal(mkdir(tree_path(f->path, "readings.jsonl"), 0700), 0);
        assert_refused(f, -EMEDIUMTYPE);
        assert_int_equal(rmdir(tree_path(f->path, "readings.jsonl")), 0);

        assert_int_equal(mkfifo(tree_path(f->path, "readings.jsonl"), 0600), 0);
        assert_refused(f, -EMEDIUMTYPE);

        for (int error = -1; error > -134; --error)
                assert_true(strlen(directory_explain(error)) > 0);
}

/* What lies where the small file is made is not written to, and not waited for. */
static void test_first_refused(void **state) {
        struct fixture *f = *state;
        char other[256], name[SEALED_NAME_MAX];
        struct stat st;

        (void) strcpy(other, tree_path(f->path, "other"));
        file_make(f, "other", "precious\n", 9);
        assert_int_equal(directory_open_live(f->directory), 0);

        assert_int_equal(link(other, tree_path(f->path, ".readings.first.new")), 0);
        directory_begin(f->directory, 1, FIRST_TIME);
        assert_int_equal(stat(other, &st), 0);
        assert_int_equal(st.st_size, 9);

        assert_int_equal(mkfifo(tree_path(f->path, ".readings.first.new"), 0600), 0);
        (void) alarm(10);
        directory_begin(f->directory, 4711, FIRST_TIME);
        (void) alarm(0);

        live_append(f, "line\n");
        live_restart(f);
        assert_int_equal(directory_seal(f->directory, false, 5, name), 0);
        assert_memory_equal(name, "readings-00000000000000004711-", 30);
}

static void test_sealed_is_link(void **state) {
        struct fixture *f = *state;

        f->directory = directory_free(f->directory);
        assert_int_equal(symlink("/tmp", tree_path(f->path, "sealed")), 0);
        assert_true(directory_new(&f->directory, f->path) < 0);
}

/* A sealed file is named by its first record, also when another process began it. */
static void test_seal(void **state) {
        struct fixture *f = *state;
        char name[SEALED_NAME_MAX];

        assert_int_equal(directory_open_live(f->directory), 0);
        assert_int_equal(directory_seal(f->directory, false, 0, name), -ENODATA);
        assert_int_equal(directory_get_first_time(f->directory), NSEC_INFINITY);

        live_append(f, "{\"sensor_id\":\"SNS-flo-0001\",\"timestamp\":\"2026-11-23T10:49:43.700000Z\"}\n");
        directory_begin(f->directory, 4711, FIRST_TIME);
        live_restart(f);
        assert_int_equal(directory_get_first_time(f->directory), FIRST_TIME);
        assert_int_equal(directory_is_current(f->directory), 1);
        assert_int_equal(directory_seal(f->directory, false, 72, name), 0);
        assert_string_equal(name, "readings-00000000000000004711-20261123T104943Z.jsonl");
        assert_int_equal(directory_get_fd(f->directory), -1);
        assert_false(file_exists(f, "readings.jsonl"));
        assert_true(file_exists(f, "sealed/readings-00000000000000004711-20261123T104943Z.jsonl"));

        /* The next one is new. */
        assert_int_equal(directory_open_live(f->directory), 0);
        assert_int_equal(directory_get_first_time(f->directory), NSEC_INFINITY);
        assert_mode(f, "readings.jsonl", 0640);
}

/* Never over another file, and behind it. */
static void test_seal_again(void **state) {
        struct fixture *f = *state;
        char name[SEALED_NAME_MAX];

        for (unsigned int i = 1; i <= 3; ++i) {
                assert_int_equal(directory_open_live(f->directory), 0);
                live_append(f, "line\n");
                directory_begin(f->directory, 1, FIRST_TIME);
                assert_int_equal(directory_seal(f->directory, i == 3, 5, name), 0);
        }

        assert_true(file_exists(f, "sealed/readings-00000000000000000001-20261123T104943Z.jsonl"));
        assert_true(file_exists(f, "sealed/readings-00000000000000000001-20261123T104944Z.jsonl"));
        assert_string_equal(name, "readings-00000000000000000001-20261123T104945Z.suspect.jsonl");

        assert_int_equal(directory_open_live(f->directory), 0);
        live_append(f, "line\n");
        directory_begin(f->directory, 1, FIRST_TIME + 2 * NSEC_PER_SEC);
        assert_int_equal(directory_seal(f->directory, false, 5, name), 0);
        assert_string_equal(name, "readings-00000000000000000001-20261123T104946Z.jsonl");
}

/* No NUL is sealed: from the line that was torn to the one that was written behind the hole there are blanks.
 */
static void test_seal_hole(void **state) {
        /* Around the pieces that are looked at. */
        static const size_t ends[] = { 8192, 65535, 65536, 65537, 131072, 200000 };
        static const char begin[] = "one\ntorn", end[] = "two\n";
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(ends); ++i) {
                _cleanup_(freep) char *text = NULL;
                char name[SEALED_NAME_MAX], path[128];
                size_t size;

                assert_int_equal(directory_open_live(f->directory), 0);
                live_append(f, begin);
                assert_int_equal(pwrite(directory_get_fd(f->directory), end, strlen(end), (off_t) ends[i]),
                                strlen(end));
                directory_begin(f->directory, i, FIRST_TIME);
                assert_int_equal(directory_seal(f->directory, false, ends[i] + strlen(end), name), 0);

                (void) snprintf(path, sizeof(path), "sealed/%s", name);
                assert_int_equal(file_read(tree_path(f->path, path), 1 << 20, &text, &size), 0);
                assert_int_equal(size, ends[i] + strlen(end));
                assert_memory_equal(text, begin, strlen(begin));
                assert_int_equal(text[strlen(begin)], '\n');
                for (size_t k = strlen(begin) + 1; k < ends[i] - 1; ++k)
                        assert_int_equal(text[k], ' ');
                assert_int_equal(text[ends[i] - 1], '\n');
                assert_string_equal(text + ends[i], end);
        }
}

/* What was begun and not completed in a suspect file is written elsewhere, and does not stay torn here. */
static void test_seal_suspect(void **state) {
        struct fixture *f = *state;
        char name[SEALED_NAME_MAX];
        struct stat st;

        assert_int_equal(directory_open_live(f->directory), 0);
        live_append(f, "line\nto");
        directory_begin(f->directory, 1, FIRST_TIME);
        assert_int_equal(directory_seal(f->directory, true, 5, name), 0);
        assert_int_equal(
                        stat(tree_path(f->path,
                                             "sealed/readings-00000000000000000001-20261123T104943Z.suspect.jsonl"),
                                        &st),
                        0);
        assert_int_equal(st.st_size, 5);

        assert_int_equal(directory_open_live(f->directory), 0);
        live_append(f, "to");
        assert_int_equal(directory_seal(f->directory, true, 0, name), -ENODATA);
        assert_int_equal(fstat(directory_get_fd(f->directory), &st), 0);
        assert_int_equal(st.st_size, 0);
}

/* A file of this name that is not ours stays where it is. */
static void test_replaced(void **state) {
        struct fixture *f = *state;
        char name[SEALED_NAME_MAX], from[256];

        assert_int_equal(directory_open_live(f->directory), 0);
        live_append(f, "line\n");
        directory_begin(f->directory, 1, FIRST_TIME);
        (void) strcpy(from, tree_path(f->path, "readings.jsonl"));
        assert_int_equal(rename(from, tree_path(f->path, "moved")), 0);
        assert_int_equal(directory_is_current(f->directory), 0);
        assert_int_equal(directory_seal(f->directory, false, 5, name), -ESTALE);
        file_make(f, "readings.jsonl", "foreign\n", 8);
        assert_int_equal(directory_is_current(f->directory), 0);
        assert_int_equal(directory_seal(f->directory, false, 5, name), -ESTALE);
        assert_true(file_exists(f, "readings.jsonl"));
        assert_true(file_exists(f, "moved"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_verify, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(test_first_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sealed_is_link, setup, teardown),
                cmocka_unit_test_setup_teardown(test_seal, setup, teardown),
                cmocka_unit_test_setup_teardown(test_seal_again, setup, teardown),
                cmocka_unit_test_setup_teardown(test_seal_hole, setup, teardown),
                cmocka_unit_test_setup_teardown(test_seal_suspect, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
        };

        (void) umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
