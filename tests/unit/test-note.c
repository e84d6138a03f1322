/* SPDX-License-Identifier: Apache-2.0 */

#include "i4.h"
#include "model/note.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
        struct notes notes;
        struct complaints complaints;
        char complaint[COMPLAINT_MAX];
};

static void complaint_take(void *userdata, const char *file, unsigned int line, const char *text) {
        (void) snprintf(userdata, COMPLAINT_MAX, "%s:%u: %s", file, line, text);
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->complaints = (struct complaints){ .report = complaint_take, .userdata = f->complaint };
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        notes_deinit(&f->notes);
        free(f);
        return 0;
}

/* Numbers that no double holds, names that JSON has to escape. */
static struct note note_make(uint64_t sequence) {
        struct note note = {
                .sequence = sequence,
                .step = UINT64_C(18014398509481984003),
                .anchor = { UINT64_C(18014398509481984001), UINT64_C(1795430983436377123), { 999999999, NSEC_PER_SEC } },
                .until_ns = UINT64_C(1795430984436377124),
                .origin_ns = UINT64_C(1795430980436377125),
                .n_missed = 3,
                .reason = "clock step",
                .settings = {
                        .seed = UINT64_MAX - 1,
                        .n_sensors = 8000,
                        .anomalies_e4 = 205,
                        .shard = 3,
                        .n_shards = 4,
                        .model = MODEL_UNIFORM,
                        .extras = I4_EXTRA_LABEL | I4_EXTRA_SEQUENCE,
                        .rate = { 90, NSEC_PER_MIN },
                        .catalog = (char *) "/etc/i4/\"my\\own\n\xc3\xb6.json",
                        .catalog_digest = UINT64_C(0xfedcba9876543210),
                        .scenario = (char *) "/x",
                        .scenario_digest = 1,
                },
        };

        assert_int_equal(mix_parse("leak=2,stuck=1", &note.settings.mix), 0);
        assert_int_equal(profile_parse("1000 for 50s, 5..7 for 1h, daily 1/d..2/h for 2d, repeat",
                                         &note.settings.profile),
                        0);
        return note;
}

static int parse(struct fixture *f, const char *text) {
        *f->complaint = 0;
        return notes_parse(&f->notes, "anchors", text, strlen(text), &f->complaints);
}

static void test_there_and_back(void **state) {
        struct fixture *f = *state;
        struct note note = note_make(7);
        _cleanup_(freep) char *line = NULL;
        _cleanup_(freep) char *again = NULL;

        assert_int_equal(note_format(&note, &line), 0);
        assert_int_equal(parse(f, line), 0);
        assert_string_equal(f->complaint, "");
        assert_int_equal(f->notes.n, 1);
        assert_int_equal(note_format(&f->notes.notes[0], &again), 0);
        assert_string_equal(line, again);

        assert_int_equal(f->notes.notes[0].step, note.step);
        assert_int_equal(f->notes.notes[0].anchor.time_ns, note.anchor.time_ns);
        assert_int_equal(f->notes.notes[0].settings.seed, note.settings.seed);
        assert_string_equal(f->notes.notes[0].settings.catalog, note.settings.catalog);
        assert_int_equal(note_settings_get_id(&f->notes.notes[0].settings),
                        note_settings_get_id(&note.settings));
}

/* What is in a file counts, not where it lies. */
static void test_settings_id(void **state) {
        struct note note = note_make(7), other = note_make(8);

        (void) state;
        other.settings.catalog = (char *) "/elsewhere";
        assert_int_equal(note_settings_get_id(&other.settings), note_settings_get_id(&note.settings));
        other.settings.catalog_digest = 2;
        assert_int_not_equal(note_settings_get_id(&other.settings), note_settings_get_id(&note.settings));
        other = note_make(7);
        ++other.settings.seed;
        assert_int_not_equal(note_settings_get_id(&other.settings), note_settings_get_id(&note.settings));
}

static void assert_sequences(const struct fixture *f, const uint64_t *sequences, size_t n) {
        assert_int_equal(f->notes.n, n);
        for (size_t i = 0; i < n; ++i)
                assert_int_equal(f->notes.notes[i].sequence, sequences[i]);
}

/* Noted twice, because a kill came in between; begun anew; torn at the end, because it is being written. */
static void test_order(void **state) {
        static const uint64_t sequences[] = { 5, 9, 9, 12, 10, 11 };
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(sequences); ++i) {
                struct note note = note_make(sequences[i]);
                _cleanup_(freep) char *line = NULL;

                assert_int_equal(note_format(&note, &line), 0);
                assert_int_equal(parse(f, line), 0);
                *strchr(line, '\n') = 0;
                assert_int_equal(parse(f, line), 0);
        }

        assert_sequences(f, (const uint64_t[]){ 5, 9, 10, 11 }, 4);
        assert_int_equal(parse(f, "{\"sequence\":\"1\n\n"), 0);
        assert_string_equal(f->complaint, "anchors:2: This is not JSON, or no object: skipped");
}

/* One value of a good line is replaced by another. */
static void test_mistakes(void **state) {
        static const struct {
                const char *good, *bad, *complaint;
        } cases[] = {
                { "\"7\"", "7.5", "\"sequence\" is not what i4d writes" },
                { "\"7\"", "\"-7\"", "\"sequence\" is not" },
                { "\"7\"", "[7]", "\"sequence\" is not" },
                { "\"sequence\"", "\"number\"", "An anchor lacks its \"sequence\"" },
                { "\"uniform\"", "\"real\"", "\"model\" is not" },
                { "\"3/4\"", "\"4/4\"", "\"shard\" is not" },
                { "\"3/4\"", "\"2/4\"", "These numbers are no anchor's" },
                { "8000", "0", "\"sensors\" is not" },
                { "\"inline\"", "\"outline\"", "\"labels\" is not" },
                { "\"999999999\"", "\"0\"", "These numbers are no anchor's" },
                { "\"999999999\"", "\"9999999999\"", "These numbers are no anchor's" },
                { "984003\"", "983999\"", "These numbers are no anchor's" },
                { "fedcba9876543210", "fedcba987654321", "\"catalog_digest\" is not" },
                { ", repeat", ", again", "\"schedule\" is not" },
                { "2.05%", "205", "\"anomalies\" is not" },
        };
        struct fixture *f = *state;
        struct note note = note_make(7);
        _cleanup_(freep) char *line = NULL;

        assert_int_equal(note_format(&note, &line), 0);
        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                const char *at = strstr(line, cases[i].good);
                char text[4096];

                assert_non_null(at);
                (void) snprintf(text, sizeof(text), "%.*s%s%s", (int) (at - line), line, cases[i].bad,
                                at + strlen(cases[i].good));
                assert_int_equal(parse(f, text), -EINVAL);
                if (!strstr(f->complaint, cases[i].complaint))
                        fail_msg("%s: %s", cases[i].bad, f->complaint);
                assert_int_equal(f->notes.n, 0);
        }
}

static void test_digest(void **state) {
        char path[] = "/tmp/i4-test-note-XXXXXX";
        uint64_t a, b;
        int fd = mkstemp(path);

        (void) state;
        assert_true(fd >= 0);
        assert_int_equal(note_digest_file(path, &a), 0);
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(note_digest_file(path, &b), 0);
        assert_int_not_equal(a, b);
        assert_int_not_equal(a, 0);
        (void) close(fd);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(note_digest_file(path, &a), -ENOENT);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_there_and_back, setup, teardown),
                cmocka_unit_test(test_settings_id),
                cmocka_unit_test_setup_teardown(test_order, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
                cmocka_unit_test(test_digest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
