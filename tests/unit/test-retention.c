/* SPDX-License-Identifier: Apache-2.0 */

#include "tree.h"

#include "storage/retention.h"

#include "storage/sealed.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

struct fixture {
        char path[64];
        int sealed_fd, live_fd;
        struct retention_settings settings;
        struct retention_usage usage;
        unsigned int n_deleted;
        bool is_old;
        char deleted[SEALED_NAME_MAX]; /* the last one */
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) strcpy(f->path, "/tmp/test-retention.XXXXXX");
        assert_non_null(mkdtemp(f->path));
        assert_int_equal(mkdir(tree_path(f->path, "sealed"), 0750), 0);
        f->sealed_fd = open(tree_path(f->path, "sealed"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(f->sealed_fd >= 0);
        f->live_fd = -1;
        f->settings = RETENTION_SETTINGS_DEFAULT;

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        closep(&f->live_fd);
        closep(&f->sealed_fd);
        tree_remove(f->path);
        free(f);
        return 0;
}

static void live_open(struct fixture *f) {
        f->live_fd = open(tree_path(f->path, "readings.jsonl"), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
        assert_true(f->live_fd >= 0);
}

static bool file_exists(const struct fixture *f, const char *name) {
        return access(tree_path(f->path, name), F_OK) == 0;
}

/* Really takes @size bytes of the disk. */
static void file_make_large(const struct fixture *f, const char *name, uint64_t size) {
        _cleanup_(closep) int fd = open(tree_path(f->path, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

        assert_true(fd >= 0);
        assert_int_equal(posix_fallocate(fd, 0, (off_t) size), 0);
}

static void count_deleted(void *userdata, const char *name, uint64_t bytes, bool is_old) {
        struct fixture *f = userdata;

        ++f->n_deleted;
        f->is_old = is_old;
        (void) snprintf(f->deleted, sizeof(f->deleted), "%s", name);
}

static void enforce(struct fixture *f, uint64_t total, uint64_t free, uint64_t wanted, uint64_t now_ns) {
        struct retention_demand demand = {
                .sealed_fd = f->sealed_fd,
                .live_fd = f->live_fd,
                .space = { .total = total, .free = free },
                .wanted = wanted,
                .now_ns = now_ns,
        };

        f->n_deleted = 0;
        assert_int_equal(retention_enforce(&f->settings, &demand, count_deleted, f, &f->usage), 0);
}

static void sealed_name(char name[static 128], unsigned int i) {
        (void) snprintf(name, 128, "sealed/readings-%020u-20261123T1049%02uZ.jsonl", i, i);
}

static void make_sealed(struct fixture *f, unsigned int n) {
        char name[128];

        for (unsigned int i = 0; i < n; ++i) {
                sealed_name(name, i);
                file_make_large(f, name, MIB);
        }
        file_make_large(f, "sealed/not-ours", MIB);
}

/* What a fresh install allows itself. */
static void test_defaults(void **state) {
        struct fixture *f = *state;

        live_open(f);

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
        assert_int_equal(f->usage.max_file_size, RETENTION_FILE_SIZE_MIN);
}

/* A share and a number of bytes: the lesser of both holds. */
static void test_limits(void **state) {
        struct fixture *f = *state;

        live_open(f);
        f->settings.keep_free = (struct retention_limit){ .share_e4 = 10000 };

        f->settings.max_use = (struct retention_limit){ .share_e4 = 2500, .bytes = UINT64_MAX };
        enforce(f, 1001 * MIB, 1001 * MIB, MIB, 0);
        assert_in_range(f->usage.limit, 1001 * MIB / 4 - 1, 1001 * MIB / 4);

        f->settings.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = 100 * MIB };
        enforce(f, 1000 * MIB, 1000 * MIB, MIB, 0);
        assert_int_equal(f->usage.limit, 100 * MIB);

        f->settings.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = UINT64_MAX };
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
        live_open(f);
        f->settings.keep_free = (struct retention_limit){ .share_e4 = 10000 };
        f->settings.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = 7 * MIB };

        enforce(f, 100 * MIB, 50 * MIB, MIB, 0);
        assert_int_equal(f->n_deleted, 0);
        assert_int_equal(f->usage.n_sealed, 6);
        assert_in_range(f->usage.use, 6 * MIB, 6 * MIB + 6 * 65536);

        enforce(f, 100 * MIB, 50 * MIB, 3 * MIB, 0);
        assert_int_equal(f->n_deleted, 2);
        assert_string_equal(f->deleted, "readings-00000000000000000001-20261123T104901Z.jsonl");
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

/* The oldest is the one with the lowest number, whatever the clock did. What is called otherwise is not ours.
 */
static void test_names(void **state) {
        static const char *const others[] = {
                "sealed/readings-20240101T000000Z-00000000000000000000.jsonl",
                "sealed/readings-00000000000000000000-20240101T000000Z.jsonl.gz",
                "sealed/readings-00000000000000000000-20240101T000000Z-copy.jsonl",
                "sealed/readings-00000000000000000000-20240101T000000Z.suspect.copy.jsonl",
                "sealed/readings-00000000000000000000-mine.jsonl",
                "sealed/readings-00000000000000000000.jsonl",
        };
        struct fixture *f = *state;

        file_make_large(f, "sealed/readings-00000000000000000002-20250101T000000Z.jsonl", MIB);
        file_make_large(f, "sealed/readings-00000000000000000001-20260101T000001Z.suspect.jsonl", MIB);
        file_make_large(f, "sealed/readings-00000000000000000001-20260101T000000Z.jsonl", MIB);
        for (unsigned int i = 0; i < ELEMENTSOF(others); ++i)
                file_make_large(f, others[i], MIB);
        f->settings.keep_free = (struct retention_limit){ .share_e4 = 10000 };

        for (unsigned int i = 3; i > 0; --i) {
                static const char *const left[] = {
                        "sealed/readings-00000000000000000002-20250101T000000Z.jsonl",
                        "sealed/readings-00000000000000000001-20260101T000001Z.suspect.jsonl",
                        "sealed/readings-00000000000000000001-20260101T000000Z.jsonl",
                };

                f->settings.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = (i + 1) * MIB };
                enforce(f, 100 * MIB, 50 * MIB, MIB / 2, 0);
                assert_int_equal(f->usage.n_sealed, i);
                for (unsigned int k = 0; k < ELEMENTSOF(left); ++k)
                        assert_int_equal(file_exists(f, left[k]), k < i);
        }

        for (unsigned int i = 0; i < ELEMENTSOF(others); ++i)
                assert_true(file_exists(f, others[i]));
}

/* What somebody reads is passed over, for its age and for room, until nothing else is left. */
static void test_held(void **state) {
        struct fixture *f = *state;
        _cleanup_(closep) int fd = -1;

        make_sealed(f, 4);
        f->settings.keep_free = (struct retention_limit){ .share_e4 = 10000 };
        f->settings.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = 5 * MIB };
        fd = open(tree_path(f->path, "sealed/readings-00000000000000000000-20261123T104900Z.jsonl"),
                        O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        file_hold(fd);

        enforce(f, 100 * MIB, 50 * MIB, 2 * MIB, 0);
        assert_int_equal(f->n_deleted, 1);
        assert_string_equal(f->deleted, "readings-00000000000000000001-20261123T104901Z.jsonl");
        assert_int_equal(f->usage.n_sealed, 3);

        f->settings.max_retention_ns = 0;
        enforce(f, 100 * MIB, 50 * MIB, 2 * MIB, NSEC_INFINITY - 1);
        assert_int_equal(f->n_deleted, 2);
        assert_int_equal(f->usage.n_sealed, 1);
        f->settings.max_retention_ns = NSEC_INFINITY;

        enforce(f, 100 * MIB, 50 * MIB, 5 * MIB, 0);
        assert_int_equal(f->n_deleted, 1);
        assert_string_equal(f->deleted, "readings-00000000000000000000-20261123T104900Z.jsonl");
        assert_int_equal(f->usage.n_sealed, 0);

        closep(&fd);
        make_sealed(f, 1);
        enforce(f, 100 * MIB, 50 * MIB, 5 * MIB, 0);
        assert_int_equal(f->n_deleted, 1);
}

/* Space that the live file has in advance is use, and still room. */
static void test_preallocated(void **state) {
        struct fixture *f = *state;

        live_open(f);
        assert_int_equal(pwrite(f->live_fd, "line\n", 5, 0), 5);
        assert_int_equal(fallocate(f->live_fd, FALLOC_FL_KEEP_SIZE, 0, 4 * MIB), 0);
        f->settings.keep_free = (struct retention_limit){ .share_e4 = 10000 };
        f->settings.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = 7 * MIB };
        enforce(f, 100 * MIB, 50 * MIB, 0, 0);
        assert_in_range(f->usage.use, 4 * MIB, 4 * MIB + 65536);
        assert_int_equal(f->usage.room, 7 * MIB - 5);
}

static void set_sealed_time(const struct fixture *f, unsigned int i, uint64_t time_ns) {
        struct timespec time = { .tv_sec = (time_t) (time_ns / NSEC_PER_SEC) };
        char name[128];

        sealed_name(name, i);
        assert_int_equal(utimensat(AT_FDCWD, tree_path(f->path, name), (struct timespec[]){ time, time }, 0),
                        0);
}

static void test_age(void **state) {
        const uint64_t sealed_ns = 1000000 * NSEC_PER_SEC, max_ns = NSEC_PER_HOUR;
        struct fixture *f = *state;

        make_sealed(f, 3);
        set_sealed_time(f, 0, sealed_ns);
        f->settings.keep_free = (struct retention_limit){ .share_e4 = 10000 };
        f->settings.max_retention_ns = max_ns;

        enforce(f, 1000 * MIB, 500 * MIB, MIB, sealed_ns + max_ns);
        assert_int_equal(f->n_deleted, 0);
        enforce(f, 1000 * MIB, 500 * MIB, MIB, sealed_ns + max_ns + 1);
        assert_int_equal(f->n_deleted, 1);
        assert_true(f->is_old);
        assert_string_equal(f->deleted, "readings-00000000000000000000-20261123T104900Z.jsonl");
        assert_int_equal(f->usage.n_sealed, 2);
}

/* What a clock that was ahead has sealed hides nothing, and is as old as what was sealed after it. */
static void test_age_ahead(void **state) {
        const uint64_t now_ns = 1000000 * NSEC_PER_SEC, max_ns = NSEC_PER_HOUR;
        struct fixture *f = *state;

        make_sealed(f, 7);
        set_sealed_time(f, 0, now_ns + NSEC_PER_DAY);
        set_sealed_time(f, 1, now_ns + 2 * NSEC_PER_DAY);
        set_sealed_time(f, 2, now_ns - max_ns - NSEC_PER_SEC);
        set_sealed_time(f, 3, now_ns + NSEC_PER_SEC);
        set_sealed_time(f, 4, now_ns - max_ns);
        set_sealed_time(f, 5, now_ns + NSEC_PER_SEC);
        set_sealed_time(f, 6, now_ns + NSEC_PER_DAY);
        f->settings.keep_free = (struct retention_limit){ .share_e4 = 10000 };
        f->settings.max_retention_ns = max_ns;

        enforce(f, 1000 * MIB, 500 * MIB, MIB, now_ns);
        assert_int_equal(f->n_deleted, 3);
        assert_true(f->is_old);
        assert_string_equal(f->deleted, "readings-00000000000000000002-20261123T104902Z.jsonl");
        enforce(f, 1000 * MIB, 500 * MIB, MIB, now_ns + 1);
        assert_int_equal(f->n_deleted, 2);
        assert_string_equal(f->deleted, "readings-00000000000000000004-20261123T104904Z.jsonl");

        /* Nothing is known of the last ones, so they stay. */
        enforce(f, 1000 * MIB, 500 * MIB, MIB, now_ns + 1);
        assert_int_equal(f->n_deleted, 0);
        assert_int_equal(f->usage.n_sealed, 2);
}

static void test_measure(void **state) {
        struct fixture *f = *state;
        struct retention_space space;

        assert_int_equal(retention_measure(f->sealed_fd, &space), 0);
        assert_true(space.total > 0);
        assert_true(space.free <= space.total);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
                cmocka_unit_test_setup_teardown(test_deletion, setup, teardown),
                cmocka_unit_test_setup_teardown(test_names, setup, teardown),
                cmocka_unit_test_setup_teardown(test_held, setup, teardown),
                cmocka_unit_test_setup_teardown(test_preallocated, setup, teardown),
                cmocka_unit_test_setup_teardown(test_age, setup, teardown),
                cmocka_unit_test_setup_teardown(test_age_ahead, setup, teardown),
                cmocka_unit_test_setup_teardown(test_measure, setup, teardown),
        };

        (void) umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
