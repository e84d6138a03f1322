/* SPDX-License-Identifier: Apache-2.0 */

#include "batch/outbox.h"
#include "tree.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
        char directory[32];
        char path[64];
        struct outbox *outbox;
};

static const struct batch_range range = { 10, 12 };

static struct outbox_position position_at(uint64_t sequence) {
        return (struct outbox_position){
                .source = "ring/\"00\"", .sequence = sequence, .offset = UINT64_MAX
        };
}

static void fixture_open(struct fixture *f, uint64_t max_use) {
        bool is_damaged = true;

        assert_int_equal(outbox_open(&f->outbox, f->path, max_use, &is_damaged), 0);
        assert_false(is_damaged);
}

static void fixture_reopen(struct fixture *f) {
        f->outbox = outbox_close(f->outbox);
        fixture_open(f, UINT64_MAX);
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) strcpy(f->directory, "/tmp/i4-test-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        (void) snprintf(f->path, sizeof(f->path), "%s/a/b", f->directory);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        outbox_close(f->outbox);
        tree_remove(f->directory);
        free(f);
        return 0;
}

static int deliver(struct fixture *f, const char *text, uint64_t next) {
        struct outbox_position position = position_at(next);

        return outbox_deliver(f->outbox, (struct json_span){ text, strlen(text) }, range, &position);
}

static uint64_t count_files(struct fixture *f) {
        uint64_t n_files, n_bytes;

        assert_int_equal(outbox_count(f->outbox, &n_files, &n_bytes), 0);
        return n_files;
}

static void require_content(struct fixture *f, const char *name, const char *expected) {
        char text[256] = "";
        int fd = openat(outbox_get_fd(f->outbox), name, O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_true(read(fd, text, sizeof(text) - 1) >= 0);
        (void) close(fd);
        assert_string_equal(text, expected);
}

static void put_file(struct fixture *f, const char *name, const char *text) {
        int fd = openat(outbox_get_fd(f->outbox), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        (void) close(fd);
}

static bool has_file(struct fixture *f, const char *name) {
        return faccessat(outbox_get_fd(f->outbox), name, F_OK, 0) == 0;
}

/* What is delivered is there, and so is the place to go on at. */
static void test_deliver(void **state) {
        struct outbox_position position = {};
        struct fixture *f = *state;
        char first[OUTBOX_NAME_MAX];
        uint64_t ns, next_ns;

        fixture_open(f, UINT64_MAX);
        assert_false(outbox_get_position(f->outbox, &position));
        assert_int_equal(deliver(f, "[1]\n", 11), 0);
        (void) strcpy(first, outbox_get_name(f->outbox));
        require_content(f, first, "[1]\n");
        assert_true(outbox_name_is_batch(first, &ns));

        assert_int_equal(deliver(f, "[2]\n", 12), 0);
        assert_true(outbox_name_is_batch(outbox_get_name(f->outbox), &next_ns));
        assert_true(next_ns > ns);
        assert_int_equal(count_files(f), 2);

        fixture_reopen(f);
        assert_true(outbox_get_position(f->outbox, &position));
        assert_string_equal(position.source, "ring/\"00\"");
        assert_int_equal(position.sequence, 12);
        assert_true(position.offset == UINT64_MAX);
        assert_int_equal(count_files(f), 2);
}

/* Cut off between the state and the name: the batch gets its name late. Before the state: it never was. */
static void test_recovery(void **state) {
        struct fixture *f = *state;
        char name[OUTBOX_NAME_MAX], hidden[OUTBOX_NAME_MAX + 8];
        int fd;

        fixture_open(f, UINT64_MAX);
        assert_int_equal(deliver(f, "[1]\n", 11), 0);
        (void) strcpy(name, outbox_get_name(f->outbox));
        (void) snprintf(hidden, sizeof(hidden), ".%s.tmp", name);
        fd = outbox_get_fd(f->outbox);
        assert_int_equal(renameat(fd, name, fd, hidden), 0);
        put_file(f, ".batch_17.json.tmp", "[");

        fixture_reopen(f);
        require_content(f, name, "[1]\n");
        assert_false(has_file(f, hidden));
        assert_false(has_file(f, ".batch_17.json.tmp"));
        assert_int_equal(count_files(f), 1);

        /* What a consumer has taken does not come back. */
        assert_int_equal(unlinkat(outbox_get_fd(f->outbox), name, 0), 0);
        fixture_reopen(f);
        assert_int_equal(count_files(f), 0);
}

/* Names grow, also when the clock does not. */
static void test_clock(void **state) {
        struct fixture *f = *state;
        uint64_t ns;

        fixture_open(f, UINT64_MAX);
        put_file(f, "batch_9000000000000000000.json", "[]");
        fixture_reopen(f);
        assert_int_equal(deliver(f, "[1]\n", 11), 0);
        assert_true(outbox_name_is_batch(outbox_get_name(f->outbox), &ns));
        assert_int_equal(ns, UINT64_C(9000000000000000001));
}

static void test_lock(void **state) {
        struct fixture *f = *state;
        struct outbox *other = NULL;
        bool is_damaged;

        fixture_open(f, UINT64_MAX);
        assert_int_equal(outbox_open(&other, f->path, UINT64_MAX, &is_damaged), -EBUSY);
        assert_null(other);
}

/* Full is full until somebody takes something away; a failure leaves nothing behind. */
static void test_limit(void **state) {
        struct fixture *f = *state;
        struct outbox_position position;
        char first[OUTBOX_NAME_MAX];

        fixture_open(f, 10);
        assert_int_equal(deliver(f, "[1]\n", 11), 0);
        (void) strcpy(first, outbox_get_name(f->outbox));
        assert_int_equal(outbox_reject(f->outbox, (struct json_span){ "xy\n", 3 }), 0);
        require_content(f, "rejected.jsonl", "xy\n");

        assert_int_equal(deliver(f, "[2]\n", 12), -EDQUOT);
        assert_int_equal(outbox_reject(f->outbox, (struct json_span){ "abcd", 4 }), -EDQUOT);
        assert_int_equal(count_files(f), 1);
        assert_true(outbox_get_position(f->outbox, &position));
        assert_int_equal(position.sequence, 11);

        assert_int_equal(unlinkat(outbox_get_fd(f->outbox), first, 0), 0);
        assert_int_equal(deliver(f, "[2]\n", 12), 0);
        assert_int_equal(deliver(f, "[12345678]\n", 13), -EDQUOT);
}

/* Whatever stands in the state file, it leads nowhere else, and is told. */
static void test_damage(void **state) {
        static const char *const texts[] = { "", "{", "[]", "{\"last_batch\":7}",
                ("{\"last_batch\":\"../x\",\"last_batch_ns\":\"1\",\"source\":\"\",\"next_sequence\":\"1\","
                 "\"offset\":\"0\",\"device\":\"0\",\"inode\":\"0\",\"fingerprint\":\"0\",\"done\":false}") };
        struct fixture *f = *state;
        struct outbox_position position;
        bool is_damaged;

        fixture_open(f, UINT64_MAX);
        for (size_t i = 0; i < ELEMENTSOF(texts); ++i) {
                put_file(f, ".i4-batch.json", texts[i]);
                f->outbox = outbox_close(f->outbox);

                is_damaged = false;
                assert_int_equal(outbox_open(&f->outbox, f->path, UINT64_MAX, &is_damaged), 0);
                assert_true(is_damaged);
                assert_false(outbox_get_position(f->outbox, &position));
        }

        assert_int_equal(deliver(f, "[1]\n", 11), 0);
        fixture_reopen(f);
        assert_true(outbox_get_position(f->outbox, &position));
}

static void test_names(void **state) {
        static const char *const others[] = { "", "batch_", "batch_.json", "batch_1", "batch_1.json.tmp",
                ".batch_1.json", "batch_-1.json", "batch_ 1.json", "batch_99999999999999999999.json",
                "batch_1x.json" };
        uint64_t ns;

        assert_true(outbox_name_is_batch("batch_1705234567890123456.json", &ns));
        assert_int_equal(ns, UINT64_C(1705234567890123456));
        for (size_t i = 0; i < ELEMENTSOF(others); ++i)
                assert_false(outbox_name_is_batch(others[i], &ns));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_deliver, setup, teardown),
                cmocka_unit_test_setup_teardown(test_recovery, setup, teardown),
                cmocka_unit_test_setup_teardown(test_clock, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
