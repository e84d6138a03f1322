/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/report.h"
#include "util/clock.h"
#include "util/complaint.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FIELDS_MAX 64

/* The last entry, and how many there were of each condition. */
struct sink {
        char fields[FIELDS_MAX][2048];
        size_t n_fields;
        unsigned int n_entries[N_CONDITIONS];
        /* called for each entry */
        void (*check)(void *userdata, const struct sink *sink, enum condition condition);
        void *userdata;
};

static const char *sink_get(const struct sink *sink, const char *name) {
        size_t n = strlen(name);

        for (size_t i = 0; i < sink->n_fields; ++i)
                if (strncmp(sink->fields[i], name, n) == 0 && sink->fields[i][n] == '=')
                        return sink->fields[i] + n + 1;

        return NULL;
}

static enum condition sink_get_condition(const struct sink *sink) {
        const char *id = sink_get(sink, "MESSAGE_ID");

        assert_non_null(id);
        for (enum condition i = 0; i < N_CONDITIONS; ++i)
                if (strcmp(condition_get_id(i), id) == 0)
                        return i;

        fail_msg("no condition has the id %s", id);
        return N_CONDITIONS;
}

static void sink_take(void *userdata, const struct iovec *fields, size_t n_fields) {
        struct sink *sink = userdata;
        enum condition condition;

        assert_in_range(n_fields, 4, FIELDS_MAX);
        for (size_t i = 0; i < n_fields; ++i)
                (void) snprintf(sink->fields[i], sizeof(sink->fields[i]), "%.*s", (int) fields[i].iov_len,
                                (const char *) fields[i].iov_base);
        sink->n_fields = n_fields;

        condition = sink_get_condition(sink);
        ++sink->n_entries[condition];
        if (sink->check)
                sink->check(sink->userdata, sink, condition);
}

struct fixture {
        struct report *report;
        struct sink sink;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        *state = f;
        return f ? report_new(&f->report, sink_take, &f->sink) : -1;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        (void) report_free(f->report);
        free(f);
        return 0;
}

/* Every function once. */
static void report_everything(struct report *report) {
        static const uint8_t instance[16] = { 0x01, 0xff };
        static const struct i4_stats stats = {
                .rate_records = 10000,
                .rate_period_ns = NSEC_PER_SEC,
                .achieved_records = 600000,
        };
        struct rate rate = { 90, NSEC_PER_MIN };

        report_started(report, rate, 8000, 17, 100);
        report_stopping(report, 5, 3);
        report_failed(report, -EADDRINUSE, "Address already in use", "Cannot listen on /run/i4/ring.sock");
        report_hung(report, "generator", 15 * NSEC_PER_SEC);
        report_statistics(report, &stats, &(struct i4_stats){}, NSEC_PER_MIN);

        report_settings_reloaded(report);
        report_settings_mistake(report, "/etc/i4/i4d.conf", 3, "Rate=x: must be a number");
        report_settings_kept(report, 2);
        report_settings_pending(report, "Ring", "Records", true);

        report_anchor(report, 1, 2, 3, rate, "start");
        report_resumed(report, 7);
        report_behind(report, 4, 1500 * NSEC_PER_MSEC);
        report_caught_up(report, 4);
        report_skipped(report, 5, NSEC_PER_MIN);
        report_clock_stepped(report, -(int64_t) NSEC_PER_HOUR);

        report_anchor_not_noted(report, -ENOSPC);
        report_order_not_recorded(report, -EACCES);
        report_events_not_written(report, -EACCES);
        report_injected(report, 17, "leak", "\"event\":17");
        report_ring_new(report, instance, 8, 0);
        report_ring_adopted(report, instance, 9);
        report_ring_retired(report, "it holds 8 records");
        report_ring_not_kept(report, -EOPNOTSUPP);
        report_readers_not_told(report, "/run/i4/ring.sock", -EPERM);

        report_reader_attached(report, "i4 tail", 42, 1000);
        report_reader_left(report, "i4 tail", 42, 7, 1);
        report_reader_refused(report, "i4 tail", 42, "all places are taken");
        report_reader_lost(report, "i4 tail", 42, 8, 9);
        report_reader_silent(report, "i4 tail", 42, 20 * NSEC_PER_SEC);
        report_readers_exhausted(report, -EMFILE);

        report_storage_opened(report, "io_uring", 1, 2);
        report_storage_engine(report, -EPERM);
        report_storage_line_ended(report);
        report_storage_full(report, -ENOSPC);
        report_storage_limited(report, 1 << 30);
        report_storage_failed(report, -EIO, "");
        report_storage_hangs(report, 20 * NSEC_PER_SEC);
        report_storage_recovered(report, NSEC_PER_SEC);
        report_storage_dropped(report, 5, 6);
        report_storage_sealed(report, "sealed/a.jsonl", 7);
        report_storage_deleted(report, "sealed/a.jsonl", 7, true);
        report_storage_replaced(report);
        report_storage_gone(report, -EROFS);
        report_storage_shut_out(report);
        report_storage_cut(report, 4711);
}

/* Every condition has a function, an id of its own, and an entry. */
static void test_fields(void **state) {
        struct fixture *f = *state;

        report_everything(f->report);

        for (size_t i = 0; i < N_CONDITIONS; ++i)
                assert_int_equal(f->sink.n_entries[i], 1);
}

/* The catalog replaces only names of capital letters and underscores. */
static void check_names(void *userdata, const struct sink *sink, enum condition condition) {
        const char *priority = sink_get(sink, "PRIORITY");

        for (size_t i = 0; i < sink->n_fields; ++i) {
                size_t n = strspn(sink->fields[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

                if (sink->fields[i][n] != '=' || sink->fields[i][0] == '_' || sink->fields[i][n + 1] == 0)
                        fail_msg("field %s", sink->fields[i]);
        }

        assert_string_equal(sink_get(sink, "SYSLOG_IDENTIFIER"), "i4d");
        assert_true(strlen(priority) == 1 && *priority >= '0' && *priority <= '7');
        assert_int_equal(strncmp(sink->fields[sink->n_fields - 1], "MESSAGE=", 8), 0);
        assert_int_equal(strlen(condition_get_id(condition)), 32);
}

static void test_names(void **state) {
        struct fixture *f = *state;

        f->sink.check = check_names;
        report_everything(f->report);
}

/* catalog */

static char *read_catalog(void) {
        char path[4096], *text = NULL;
        size_t size;

        assert_non_null(getenv("I4_SOURCE"));
        (void) snprintf(path, sizeof(path), "%s/units/i4.catalog", getenv("I4_SOURCE"));
        assert_int_equal(file_read(path, 1 << 20, &text, &size), 0);
        return text;
}

/* Every @FIELD@ of an entry's text is a field of the entry. */
static void check_text(void *userdata, const struct sink *sink, enum condition condition) {
        const char *catalog = userdata, *text, *end, *p, *q;
        char heading[64], name[64];

        (void) snprintf(heading, sizeof(heading), "\n-- %s\nSubject: ", condition_get_id(condition));
        text = strstr(catalog, heading);
        if (!text) {
                fail_msg("units/i4.catalog has no text for %s, \"%s\"", condition_get_id(condition),
                                sink->fields[sink->n_fields - 1]);
                return;
        }
        assert_null(strstr(text + 1, heading));

        end = strstr(text + 1, "\n-- ");
        end = end ? end : strchr(text, 0);
        for (p = text; (p = memchr(p, '@', (size_t) (end - p))); p = q + 1) {
                q = memchr(p + 1, '@', (size_t) (end - p - 1));
                assert_non_null(q);
                (void) snprintf(name, sizeof(name), "%.*s", (int) (q - p - 1), p + 1);
                if (!sink_get(sink, name))
                        fail_msg("\"%s\" does not send %s", sink->fields[sink->n_fields - 1], name);
        }
}

static void test_catalog(void **state) {
        _cleanup_(freep) char *catalog = read_catalog();
        struct fixture *f = *state;
        unsigned int n = 0;

        f->sink.check = check_text;
        f->sink.userdata = catalog;
        report_everything(f->report);

        for (const char *p = catalog; (p = strstr(p, "\n-- ")); ++p)
                ++n;
        assert_int_equal(n, N_CONDITIONS);
}

/* texts and values */

static void test_messages(void **state) {
        struct fixture *f = *state;

        report_clock_stepped(f->report, -1500000001);
        assert_string_equal(sink_get(&f->sink, "MESSAGE"), "The clock was set back by 1.5s");
        assert_string_equal(sink_get(&f->sink, "SENSOR_CLOCK_STEP"), "1.500000001s");
        assert_string_equal(sink_get(&f->sink, "SENSOR_CLOCK_DIRECTION"), "back");

        report_settings_mistake(f->report, "/etc/i4/i4d.conf", 3, "Rate=x: must be");
        assert_string_equal(sink_get(&f->sink, "MESSAGE"), "/etc/i4/i4d.conf:3: Rate=x: must be");
        report_settings_mistake(f->report, "/etc/i4/i4d.conf", 0, "Cannot be read");
        assert_string_equal(sink_get(&f->sink, "MESSAGE"), "/etc/i4/i4d.conf: Cannot be read");

        report_failed(f->report, -ENOENT, "there is none", "Cannot open it");
        assert_string_equal(sink_get(&f->sink, "MESSAGE"), "Cannot open it: there is none");
        assert_string_equal(sink_get(&f->sink, "ERRNO"), "2");
        assert_string_equal(sink_get(&f->sink, "PRIORITY"), "3");
}

static void test_statistics(void **state) {
        struct fixture *f = *state;
        struct i4_stats before = { .achieved_records = 1000000 };
        struct i4_stats now = {
                .achieved_records = 1600000,
                .rate_records = 10000,
                .rate_period_ns = NSEC_PER_SEC,
                .storage_state = I4_STORAGE_WRITING,
                .storage_is_uring = 1,
                .n_readers = 3,
        };

        report_statistics(f->report, &now, &before, NSEC_PER_MIN);
        assert_string_equal(sink_get(&f->sink, "SENSOR_ACHIEVED_PER_SECOND"), "10000.000");
        assert_string_equal(sink_get(&f->sink, "SENSOR_RATE"), "10000");
        assert_string_equal(sink_get(&f->sink, "RING_READERS"), "3");
        assert_string_equal(sink_get(&f->sink, "STORAGE_STATE"), "writing");
        assert_string_equal(sink_get(&f->sink, "STORAGE_ENGINE"), "io_uring");

        now.storage_state = I4_STORAGE_HANGS;
        report_statistics(f->report, &now, &before, NSEC_PER_MIN);
        assert_string_equal(sink_get(&f->sink, "STORAGE_STATE"), "hangs");

        now.storage_state = I4_STORAGE_OFF;
        report_statistics(f->report, &now, &now, 0);
        assert_string_equal(sink_get(&f->sink, "STORAGE_ENGINE"), "none");
        assert_string_equal(sink_get(&f->sink, "SENSOR_ACHIEVED_PER_SECOND"), "0.000");
}

/* A very long path costs neither the message nor anybody's memory. */
static void test_long(void **state) {
        struct fixture *f = *state;
        char path[20000];

        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = 0;
        report_settings_mistake(f->report, path, 1, "Rate=x");
        assert_int_equal(f->sink.n_entries[CONDITION_SETTINGS_MISTAKE], 1);
        assert_non_null(sink_get(&f->sink, "MESSAGE"));
}

/* What repeats is told a few times and then counted, and that of one kind does not silence another. */
static void test_repetition(void **state) {
        struct fixture *f = *state;
        unsigned int n_told;

        for (unsigned int i = 0; i < 1000; ++i)
                report_reader_lost(f->report, "slow", 1, 1, i);
        n_told = f->sink.n_entries[CONDITION_READER_LOST];
        assert_in_range(n_told, 1, 100);

        report_reader_refused(f->report, "late", 2, "all places are taken");
        assert_int_equal(f->sink.n_entries[CONDITION_READER_REFUSED], 1);
        assert_null(sink_get(&f->sink, "REPORT_HELD_BACK"));

        report_statistics(f->report, &(struct i4_stats){}, &(struct i4_stats){}, NSEC_PER_MIN);
        assert_int_equal(strtoul(sink_get(&f->sink, "STATS_HELD_BACK"), NULL, 10), 1000 - n_told);
        report_statistics(f->report, &(struct i4_stats){}, &(struct i4_stats){}, NSEC_PER_MIN);
        assert_string_equal(sink_get(&f->sink, "STATS_HELD_BACK"), "0");
}

/* Complaints come in as they are. */
static void test_complaints(void **state) {
        struct fixture *f = *state;
        struct complaints complaints = { .report = report_settings_mistake, .userdata = f->report };

        complain(&complaints, "f", 7, "%s=%d", "a\tb", 5);
        assert_int_equal(complaints.n, 1);
        assert_string_equal(sink_get(&f->sink, "CONFIG_FILE"), "f");
        assert_string_equal(sink_get(&f->sink, "CONFIG_LINE"), "7");
        assert_string_equal(sink_get(&f->sink, "CONFIG_MISTAKE"), "a?b=5");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(test_fields),
                TEST(test_names),
                TEST(test_catalog),
                TEST(test_messages),
                TEST(test_statistics),
                TEST(test_long),
                TEST(test_repetition),
                TEST(test_complaints),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
