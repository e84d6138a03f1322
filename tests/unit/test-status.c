/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/status.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct i4_stats usual = {
        .rate_records = 10000,
        .rate_period_ns = NSEC_PER_SEC,
        .ring_records = 262144,
        .ring_next = 1000000,
        .achieved_records = 1000000,
        .storage_state = I4_STORAGE_WRITING,
        .storage_next = 998000,
        .storage_use_bytes = UINT64_C(1288490189),
        .n_readers = 3,
};

static void assert_status(struct i4_stats now, struct i4_stats before, uint64_t lag, const char *expected) {
        char buffer[STATUS_MAX];

        assert_string_equal(status_format(&now, &before, 5 * NSEC_PER_SEC, lag, buffer), expected);
}

static void test_usual(void **state) {
        struct i4_stats now = usual;

        assert_status(now, usual, 0, "10,000 readings/s, 3 readers, 1.2G kept");

        now.n_readers = 1;
        assert_status(now, usual, 0, "10,000 readings/s, 1 reader, 1.2G kept");
        now.n_readers = 0;
        now.storage_use_bytes = 12345678;
        assert_status(now, usual, 99999999, "10,000 readings/s, no readers, 12M kept");
        now.storage_use_bytes = 0;
        assert_status(now, usual, 0, "10,000 readings/s, no readers, 0.0K kept");
        now.storage_state = I4_STORAGE_OFF;
        assert_status(now, usual, 0, "10,000 readings/s, no readers, nothing is stored");
}

static void test_rates(void **state) {
        struct i4_stats now = usual;

        now.rate_records = 90;
        now.rate_period_ns = NSEC_PER_MIN;
        now.storage_next = now.ring_next - 1;
        assert_status(now, usual, 1, "90/min readings, 3 readers, 1.2G kept");
        now.rate_records = 1234567;
        now.rate_period_ns = NSEC_PER_SEC;
        assert_status(now, usual, 0, "1,234,567 readings/s, 3 readers, 1.2G kept");

        now.rate_period_ns = 0;
        now.achieved_records += 60000000;
        assert_status(now, usual, 0, "12 million readings/s, 3 readers, 1.2G kept");
}

static void test_late(void **state) {
        struct i4_stats now = usual;

        now.behind_records = 12000;
        assert_status(now, usual, 0, "10,000 readings/s, 1.2 s behind, 3 readers, 1.2G kept");
        now.behind_records = 0;
        now.skipped_records = 1;
        assert_status(now, usual, 0, "10,000 readings/s, too slow: some were skipped, 3 readers, 1.2G kept");
        assert_status(now, now, 50000, "10,000 readings/s, 3 readers (the slowest 5.0 s behind), 1.2G kept");
        now.n_readers = 1;
        now.storage_next -= 100000;
        assert_status(now, now, 50000,
                        "10,000 readings/s, 1 reader (5.0 s behind), 1.2G kept, storage 10 s behind");
}

static void test_storage(void **state) {
        struct i4_stats now = usual;

        now.storage_state = I4_STORAGE_FULL;
        now.storage_errno = ENOSPC;
        assert_status(now, usual, 0,
                        "10,000 readings/s, 3 readers, storage is full: No space left on device");
        now.storage_dropped_records = 5;
        assert_status(now, usual, 0,
                        "10,000 readings/s, 3 readers, storage is full: No space left on device, dropping readings");
        now.storage_errno = 0;
        assert_status(now, now, 0,
                        "10,000 readings/s, 3 readers, storage is full: see MaxUse= and KeepFree=");
        now.storage_state = I4_STORAGE_FAILED;
        now.storage_errno = EIO;
        assert_status(now, now, 0, "10,000 readings/s, 3 readers, storage fails: Input/output error");
        now.storage_state = I4_STORAGE_HANGS;
        now.storage_errno = 0;
        assert_status(now, now, 0, "10,000 readings/s, 3 readers, storage waits: the disk does not answer");
}

/* Whatever the numbers, it is one line that fits. */
static void test_extremes(void **state) {
        struct i4_stats now;
        char buffer[STATUS_MAX];

        memset(&now, 0xff, sizeof(now));
        now.storage_state = I4_STORAGE_WRITING;
        (void) status_format(&now, &usual, 1, UINT64_MAX, buffer);
        assert_true(strlen(buffer) > 0 && strlen(buffer) < STATUS_MAX);
        assert_null(strchr(buffer, '\n'));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_usual),
                cmocka_unit_test(test_rates),
                cmocka_unit_test(test_late),
                cmocka_unit_test(test_storage),
                cmocka_unit_test(test_extremes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
