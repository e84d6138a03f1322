/* SPDX-License-Identifier: Apache-2.0 */

#include "tree.h"

#include "storage/directory.h"

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
#define MIB        (UINT64_C(1) << 20)

struct fixture {
        char path[64];
        struct directory *directory;
        struct directory_settings settings;
        struct directory_usage usage;
        unsigned int n_deleted;
        bool is_old;
        char deleted[DIRECTORY_NAME_MAX]; /* the last one */
};

static const char *path_of(const struct fixture *f, const char *name) {
        static char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", f->path, name);
        return path;
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) strcpy(f->path, "/tmp/test-directory.XXXXXX");
        assert_non_null(mkdtemp(f->path));
        assert_int_equal(directory_new(&f->directory, f->path), 0);
        f->settings = DIRECTORY_SETTINGS_DEFAULT;

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
        _cleanup_(closep) int fd = open(path_of(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, size), size);
}

/* Really takes @size bytes of the disk. */
static void file_make_large(const struct fixture *f, const char *name, uint64_t size) {
        _cleanup_(closep) int fd = open(path_of(f, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

        assert_true(fd >= 0);
        assert_int_equal(posix_fallocate(fd, 0, (off_t) size), 0);
}

static bool file_exists(const struct fixture *f, const char *name) {
        return access(path_of(f, name), F_OK) == 0;
}

static void assert_mode(const struct fixture *f, const char *name, mode_t mode) {
        struct stat st;

        assert_int_equal(lstat(path_of(f, name), &st), 0);
        assert_int_equal(st.st_mode & 07777, mode);
}

static void live_append(const struct fixture *f, const char *text) {
        struct directory_identity identity;

        assert_int_equal(directory_get_identity(f->directory, &identity), 0);
        assert_int_equal(pwrite(directory_get_fd(f->directory), text, strlen(text), (off_t) identity.size),
                        strlen(text));
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
        assert_int_equal(directory_new(&f->directory, path_of(f, "new")), 0);
        assert_mode(f, "new", 0750);
        assert_int_equal(directory_new(&f->directory, path_of(f, "no/parent")), -ENOENT);
}

static void test_lock(void **state) {
        struct directory *other = NULL;
        struct fixture *f = *state;

        assert_int_equal(directory_new(&other, f->path), -EBUSY);
        assert_null(other);
        f->directory = directory_free(f->directory);
        assert_int_equal(directory_new(&f->directory, f->path), 0);
}

/* Nobody tricks us into writing to something else. */
static void test_refused(void **state) {
        struct fixture *f = *state;
        char other[256];

        (void) strcpy(other, path_of(f, "other"));
        file_make(f, "other", "precious\n", 9);

        assert_int_equal(symlink(other, path_of(f, "readings.jsonl")), 0);
        assert_int_equal(directory_open_live(f->directory), -ELOOP);
        assert_int_equal(unlink(path_of(f, "readings.jsonl")), 0);

        /* Not made through it either. */
        assert_int_equal(symlink("nowhere", path_of(f, "readings.jsonl")), 0);
        assert_int_equal(directory_open_live(f->directory), -ELOOP);
        assert_false(file_exists(f, "nowhere"));
        assert_int_equal(unlink(path_of(f, "readings.jsonl")), 0);

        assert_int_equal(link(other, path_of(f, "readings.jsonl")), 0);
        assert_int_equal(directory_open_live(f->directory), -EMLINK);
        assert_int_equal(unlink(path_of(f, "readings.jsonl")), 0);

        assert_int_equal(mkdir(path_of(f, "readings.jsonl"), 0700), 0);
        assert_int_equal(directory_open_live(f->directory), -EMEDIUMTYPE);
        assert_int_equal(rmdir(path_of(f, "readings.jsonl")), 0);

        assert_int_equal(mkfifo(path_of(f, "readings.jsonl"), 0600), 0);
        assert_int_equal(directory_open_live(f->directory), -EMEDIUMTYPE);
        assert_int_equal(directory_get_fd(f->directory), -1);

        for (int error = -1; error > -134; --error)
                assert_true(strlen(directory_explain(error)) > 0);
}

static void test_sealed_is_link(void **state) {
        struct fixture *f = *state;

        f->directory = directory_free(f->directory);
        assert_int_equal(rmdir(path_of(f, "sealed")), 0);
        assert_int_equal(symlink("/tmp", path_of(f, "sealed")), 0);
        assert_true(directory_new(&f->directory, f->path) < 0);
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
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(tails); ++i) {
                struct directory_identity identity;
                char bytes[16];

                file_make(f, "readings.jsonl", tails[i].bytes, tails[i].size);
                assert_int_equal(directory_open_live(f->directory), 0);
                assert_int_equal(directory_end_line(f->directory), tails[i].ended);
                assert_int_equal(directory_end_line(f->directory), 0);
                assert_int_equal(directory_get_identity(f->directory, &identity), 0);
                assert_int_equal(identity.size, tails[i].size + (size_t) tails[i].ended);
                assert_int_equal(pread(directory_get_fd(f->directory), bytes, sizeof(bytes), 0),
                                identity.size);
                assert_memory_equal(bytes, tails[i].bytes, tails[i].size);
                directory_close_live(f->directory);
        }
}

static void check_end(struct fixture *f, uint64_t from, uint64_t offset, uint64_t n_lines) {
        uint64_t found = 0, n_found = 0;

        assert_int_equal(directory_find_end(f->directory, from, &found, NULL), 0);
        assert_int_equal(found, offset);
        assert_int_equal(directory_find_end(f->directory, from, &found, &n_found), 0);
        assert_int_equal(found, offset);
        assert_int_equal(n_found, n_lines);
}

static void test_find_end(void **state) {
        _cleanup_(freep) char *lines = malloc(200000);
        struct fixture *f = *state;
        uint64_t offset;

        assert_int_equal(directory_open_live(f->directory), 0);
        check_end(f, 0, 0, 0);
        live_append(f, "torn");
        check_end(f, 0, 0, 0);
        assert_int_equal(directory_find_end(f->directory, 4, &offset, NULL), -EBADMSG);
        live_append(f, "\nb\ncc\ndd");
        check_end(f, 0, 10, 3);
        check_end(f, 5, 10, 2);
        check_end(f, 10, 10, 0);

        /* Across the pieces that it is read in, and a line longer than one. */
        assert_non_null(lines);
        memset(lines, 'x', 199999);
        lines[199999] = '\0';
        lines[65535] = lines[65536] = lines[70000] = '\n';
        live_append(f, lines);
        check_end(f, 0, 12 + 70001, 6);
        check_end(f, 12 + 65536, 12 + 70001, 2);
}

/* A sealed file is named by its first record, also when another process began it. */
static void test_seal(void **state) {
        struct fixture *f = *state;
        char name[DIRECTORY_NAME_MAX];

        assert_int_equal(directory_open_live(f->directory), 0);
        assert_int_equal(directory_seal(f->directory, false, 0, name), -ENODATA);
        assert_int_equal(directory_get_first_time(f->directory), NSEC_INFINITY);

        live_append(f, "{\"sensor_id\":\"SNS-flo-0001\",\"timestamp\":\"2026-11-23T10:49:43.700000Z\"}\n");
        directory_begin(f->directory, 4711, FIRST_TIME);
        live_restart(f);
        assert_int_equal(directory_get_first_time(f->directory), FIRST_TIME);
        assert_int_equal(directory_is_current(f->directory), 1);
        assert_int_equal(directory_seal(f->directory, false, 72, name), 0);
        assert_string_equal(name, "readings-20261123T104943Z-00000000000000004711.jsonl");
        assert_int_equal(directory_get_fd(f->directory), -1);
        assert_false(file_exists(f, "readings.jsonl"));
        assert_true(file_exists(f, "sealed/readings-20261123T104943Z-00000000000000004711.jsonl"));

        /* The next one is new. */
        assert_int_equal(directory_open_live(f->directory), 0);
        assert_int_equal(directory_get_first_time(f->directory), NSEC_INFINITY);
        assert_mode(f, "readings.jsonl", 0640);
}

/* Never over another file. */
static void test_seal_again(void **state) {
        struct fixture *f = *state;
        char name[DIRECTORY_NAME_MAX];

        for (unsigned int i = 1; i <= 3; ++i) {
                assert_int_equal(directory_open_live(f->directory), 0);
                live_append(f, "line\n");
                directory_begin(f->directory, 1, FIRST_TIME);
                assert_int_equal(directory_seal(f->directory, i == 3, 5, name), 0);
        }

        assert_true(file_exists(f, "sealed/readings-20261123T104943Z-00000000000000000001.jsonl"));
        assert_true(file_exists(f, "sealed/readings-20261123T104943Z-00000000000000000001-2.jsonl"));
        assert_string_equal(name, "readings-20261123T104943Z-00000000000000000001.suspect.jsonl");
}

/* What was begun and not completed in a suspect file is written elsewhere, and does not stay torn here. */
static void test_seal_suspect(void **state) {
        struct fixture *f = *state;
        char name[DIRECTORY_NAME_MAX];
        struct stat st;

        assert_int_equal(directory_open_live(f->directory), 0);
        live_append(f, "line\nto");
        directory_begin(f->directory, 1, FIRST_TIME);
        assert_int_equal(directory_seal(f->directory, true, 5, name), 0);
        assert_int_equal(
                        stat(path_of(f, "sealed/readings-20261123T104943Z-00000000000000000001.suspect.jsonl"),
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
        char name[DIRECTORY_NAME_MAX], from[256];

        assert_int_equal(directory_open_live(f->directory), 0);
        live_append(f, "line\n");
        directory_begin(f->directory, 1, FIRST_TIME);
        (void) strcpy(from, path_of(f, "readings.jsonl"));
        assert_int_equal(rename(from, path_of(f, "moved")), 0);
        assert_int_equal(directory_is_current(f->directory), 0);
        assert_int_equal(directory_seal(f->directory, false, 5, name), -ESTALE);
        file_make(f, "readings.jsonl", "foreign\n", 8);
        assert_int_equal(directory_is_current(f->directory), 0);
        assert_int_equal(directory_seal(f->directory, false, 5, name), -ESTALE);
        assert_true(file_exists(f, "readings.jsonl"));
        assert_true(file_exists(f, "moved"));
}

/* limits */

static void count_deleted(void *userdata, const char *name, uint64_t bytes, bool is_old) {
        struct fixture *f = userdata;

        ++f->n_deleted;
        f->is_old = is_old;
        (void) snprintf(f->deleted, sizeof(f->deleted), "%s", name);
}

static void enforce(struct fixture *f, uint64_t total, uint64_t free, uint64_t wanted, uint64_t now_ns) {
        struct directory_space space = { .total = total, .free = free };

        f->n_deleted = 0;
        assert_int_equal(directory_enforce(f->directory, &f->settings, space, wanted, now_ns, count_deleted,
                                         f, &f->usage),
                        0);
}

static void make_sealed(struct fixture *f, unsigned int n) {
        char name[128];

        for (unsigned int i = 0; i < n; ++i) {
                (void) snprintf(name, sizeof(name), "sealed/readings-20261123T1049%02uZ-%020u.jsonl", i, i);
                file_make_large(f, name, MIB);
        }
        file_make_large(f, "sealed/not-ours", MIB);
}

/* What a fresh install allows itself. */
static void test_defaults(void **state) {
        struct fixture *f = *state;

        assert_int_equal(directory_open_live(f->directory), 0);

        /* 10 % of the file system, an eighth of that a file */
        enforce(f, 10000 * MIB, 9000 * MIB, MIB, 0);
        assert_int_equal(f->usage.limit, 1000 * MIB);
        assert_int_equal(f->usage.room, 1000 * MIB);
        assert_int_equal(f->usage.max_file_size, 125 * MIB);

        /* 4 GiB at most, 128 MiB a file */
        enforce(f, 1000000 * MIB, 900000 * MIB, MIB, 0);
        assert_int_equal(f->usage.limit, 4096 * MIB);
        assert_int_equal(f->usage.max_file_size, 128 * MIB);

        /* 15 % stay free */
        enforce(f, 10000 * MIB, 1600 * MIB, MIB, 0);
        assert_int_equal(f->usage.limit, 100 * MIB);
        enforce(f, 10000 * MIB, 1500 * MIB, MIB, 0);
        assert_int_equal(f->usage.limit, 0);
        assert_int_equal(f->usage.room, 0);

        /* A file system that tells nothing */
        enforce(f, 0, UINT64_MAX / 2, MIB, 0);
        assert_int_equal(f->usage.max_file_size, 128 * MIB);

        /* A tiny one */
        enforce(f, 16 * MIB, 16 * MIB, MIB, 0);
        assert_int_equal(f->usage.max_file_size, DIRECTORY_FILE_SIZE_MIN);
}

/* A share and a number of bytes: the lesser of both holds. */
static void test_limits(void **state) {
        struct fixture *f = *state;

        assert_int_equal(directory_open_live(f->directory), 0);
        f->settings.keep_free = (struct directory_limit){ .share_e4 = 10000 };

        f->settings.max_use = (struct directory_limit){ .share_e4 = 2500, .bytes = UINT64_MAX };
        enforce(f, 1001 * MIB, 1001 * MIB, MIB, 0);
        assert_in_range(f->usage.limit, 1001 * MIB / 4 - 1, 1001 * MIB / 4);

        f->settings.max_use = (struct directory_limit){ .share_e4 = 10000, .bytes = 100 * MIB };
        enforce(f, 1000 * MIB, 1000 * MIB, MIB, 0);
        assert_int_equal(f->usage.limit, 100 * MIB);

        f->settings.max_use = (struct directory_limit){ .share_e4 = 10000, .bytes = UINT64_MAX };
        enforce(f, 1000 * MIB, 600 * MIB, MIB, 0);
        assert_int_equal(f->usage.limit, 600 * MIB);

        /* Two files fit at least, so that there is one to delete. */
        f->settings.max_use.bytes = 10 * MIB;
        f->settings.max_file_size = 50 * MIB;
        enforce(f, 1000 * MIB, 600 * MIB, MIB, 0);
        assert_int_equal(f->usage.max_file_size, 5 * MIB);
}

/* The oldest go first, no more than it takes, and nothing that is not ours. */
static void test_deletion(void **state) {
        struct fixture *f = *state;

        make_sealed(f, 6);
        assert_int_equal(directory_open_live(f->directory), 0);
        f->settings.keep_free = (struct directory_limit){ .share_e4 = 10000 };
        f->settings.max_use = (struct directory_limit){ .share_e4 = 10000, .bytes = 7 * MIB };

        enforce(f, 100 * MIB, 50 * MIB, MIB, 0);
        assert_int_equal(f->n_deleted, 0);
        assert_int_equal(f->usage.n_sealed, 6);
        assert_in_range(f->usage.use, 6 * MIB, 6 * MIB + 6 * 65536);

        enforce(f, 100 * MIB, 50 * MIB, 3 * MIB, 0);
        assert_int_equal(f->n_deleted, 2);
        assert_string_equal(f->deleted, "readings-20261123T104901Z-00000000000000000001.jsonl");
        assert_false(f->is_old);
        assert_int_equal(f->usage.n_sealed, 4);
        assert_true(f->usage.room >= 3 * MIB - 65536 * 4);

        /* For who needs the space otherwise: KeepFree= */
        f->settings.keep_free.bytes = 48 * MIB;
        enforce(f, 100 * MIB, 46 * MIB, MIB, 0);
        assert_int_equal(f->n_deleted, 3);
        assert_int_equal(f->usage.n_sealed, 1);

        /* More than there is to delete: no room, but the live file stays. */
        enforce(f, 100 * MIB, 10 * MIB, MIB, 0);
        assert_int_equal(f->usage.n_sealed, 0);
        assert_int_equal(f->usage.room, 0);
        assert_true(file_exists(f, "readings.jsonl"));
        assert_true(file_exists(f, "sealed/not-ours"));
}

/* What somebody reads is passed over, for its age and for room, until nothing else is left. */
static void test_held(void **state) {
        struct fixture *f = *state;
        _cleanup_(closep) int fd = -1;

        make_sealed(f, 4);
        f->settings.keep_free = (struct directory_limit){ .share_e4 = 10000 };
        f->settings.max_use = (struct directory_limit){ .share_e4 = 10000, .bytes = 5 * MIB };
        fd = open(path_of(f, "sealed/readings-20261123T104900Z-00000000000000000000.jsonl"),
                        O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        file_hold(fd);

        enforce(f, 100 * MIB, 50 * MIB, 2 * MIB, 0);
        assert_int_equal(f->n_deleted, 1);
        assert_string_equal(f->deleted, "readings-20261123T104901Z-00000000000000000001.jsonl");
        assert_int_equal(f->usage.n_sealed, 3);

        f->settings.max_retention_ns = 0;
        enforce(f, 100 * MIB, 50 * MIB, 2 * MIB, NSEC_INFINITY - 1);
        assert_int_equal(f->n_deleted, 2);
        assert_int_equal(f->usage.n_sealed, 1);
        f->settings.max_retention_ns = NSEC_INFINITY;

        enforce(f, 100 * MIB, 50 * MIB, 5 * MIB, 0);
        assert_int_equal(f->n_deleted, 1);
        assert_string_equal(f->deleted, "readings-20261123T104900Z-00000000000000000000.jsonl");
        assert_int_equal(f->usage.n_sealed, 0);

        closep(&fd);
        make_sealed(f, 1);
        enforce(f, 100 * MIB, 50 * MIB, 5 * MIB, 0);
        assert_int_equal(f->n_deleted, 1);
}

/* Space that the live file has in advance is use, and still room. */
static void test_preallocated(void **state) {
        struct fixture *f = *state;

        assert_int_equal(directory_open_live(f->directory), 0);
        live_append(f, "line\n");
        assert_int_equal(fallocate(directory_get_fd(f->directory), FALLOC_FL_KEEP_SIZE, 0, 4 * MIB), 0);
        f->settings.keep_free = (struct directory_limit){ .share_e4 = 10000 };
        f->settings.max_use = (struct directory_limit){ .share_e4 = 10000, .bytes = 7 * MIB };
        enforce(f, 100 * MIB, 50 * MIB, 0, 0);
        assert_in_range(f->usage.use, 4 * MIB, 4 * MIB + 65536);
        assert_int_equal(f->usage.room, 7 * MIB - 5);
}

static void test_retention(void **state) {
        struct fixture *f = *state;
        struct timespec times[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };

        make_sealed(f, 3);
        assert_int_equal(utimensat(AT_FDCWD,
                                         path_of(f, "sealed/"
                                                    "readings-20261123T104900Z-00000000000000000000.jsonl"),
                                         times, 0),
                        0);
        f->settings.keep_free = (struct directory_limit){ .share_e4 = 10000 };
        f->settings.max_retention_ns = NSEC_PER_HOUR;

        enforce(f, 1000 * MIB, 500 * MIB, MIB, 1000000 * NSEC_PER_SEC + NSEC_PER_HOUR);
        assert_int_equal(f->n_deleted, 0);
        enforce(f, 1000 * MIB, 500 * MIB, MIB, 1000000 * NSEC_PER_SEC + NSEC_PER_HOUR + 1);
        assert_int_equal(f->n_deleted, 1);
        assert_true(f->is_old);
        assert_string_equal(f->deleted, "readings-20261123T104900Z-00000000000000000000.jsonl");
        assert_int_equal(f->usage.n_sealed, 2);
}

static void test_measure(void **state) {
        struct fixture *f = *state;
        struct directory_space space;

        assert_int_equal(directory_measure(f->directory, &space), 0);
        assert_true(space.total > 0);
        assert_true(space.free <= space.total);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sealed_is_link, setup, teardown),
                cmocka_unit_test_setup_teardown(test_end_line, setup, teardown),
                cmocka_unit_test_setup_teardown(test_find_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_seal, setup, teardown),
                cmocka_unit_test_setup_teardown(test_seal_again, setup, teardown),
                cmocka_unit_test_setup_teardown(test_seal_suspect, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
                cmocka_unit_test_setup_teardown(test_deletion, setup, teardown),
                cmocka_unit_test_setup_teardown(test_held, setup, teardown),
                cmocka_unit_test_setup_teardown(test_preallocated, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
                cmocka_unit_test_setup_teardown(test_measure, setup, teardown),
        };

        (void) umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
