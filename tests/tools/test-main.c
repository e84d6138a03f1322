/* SPDX-License-Identifier: Apache-2.0 */

#include "stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state) {
        struct stage *stage = calloc(1, sizeof(*stage));

        assert_non_null(stage);
        stage_init(stage, 8);
        *state = stage;
        return 0;
}

static int teardown(void **state) {
        stage_deinit(*state);
        free(*state);
        return 0;
}

/* Help is on stdout, names every verb, and is no failure. */
static void test_help(void **state) {
        struct play play;

        play_run(*state, &play, "--help");
        assert_int_equal(play.status, 0);
        assert_string_equal(play.err, "");
        assert_non_null(strstr(play.out, "\n  tail "));
        assert_non_null(strstr(play.out, "\n  stat "));
        play_deinit(&play);
}

/* However it is asked for, what i4 can do is one text. */
static void test_help_words(void **state) {
        static const char *const words[][2] = { { "-h" }, { "help" }, { "help", "--help" },
                { "help", "-h" } };
        struct play play, same;

        play_run(*state, &play, "--help");
        for (size_t i = 0; i < ELEMENTSOF(words); ++i) {
                play_run(*state, &same, words[i][0], words[i][1]);
                assert_int_equal(same.status, 0);
                assert_string_equal(same.err, "");
                assert_string_equal(same.out, play.out);
                play_deinit(&same);
        }
        play_deinit(&play);
}

/* 'i4 help tail' and 'i4 tail --help' are one text, and it has examples. */
static void test_verb_help(void **state) {
        static const char *const verbs[] = { "tail", "stat" };
        struct play play, same;

        for (size_t i = 0; i < ELEMENTSOF(verbs); ++i) {
                play_run(*state, &play, "help", verbs[i]);
                play_run(*state, &same, verbs[i], "--help");
                assert_int_equal(play.status, 0);
                assert_int_equal(same.status, 0);
                assert_string_equal(play.out, same.out);
                assert_non_null(strstr(play.out, "Examples:\n"));
                assert_non_null(strstr(play.out, "Exit status:"));
                play_deinit(&play);
                play_deinit(&same);
        }
}

static void test_version(void **state) {
        struct play play;

        play_run(*state, &play, "--version");
        assert_int_equal(play.status, 0);
        assert_string_equal(play.out, "i4 " I4_VERSION "\n");
        play_deinit(&play);
}

static void assert_usage(struct stage *stage, const char *word, const char *message) {
        struct play play;

        play_start(stage, &play, word, NULL);
        play_finish(&play);
        assert_int_equal(play.status, 2);
        assert_string_equal(play.out, "");
        assert_string_equal(play.err, message);
        play_deinit(&play);
}

static void test_wrong_usage(void **state) {
        assert_usage(*state, "tial", "i4: unknown verb 'tial', did you mean 'tail'?\n");
        assert_usage(*state, "sta", "i4: unknown verb 'sta', did you mean 'stat'?\n");
        assert_usage(*state, "frobnicate", "i4: unknown verb 'frobnicate', see 'i4 --help'\n");
        assert_usage(*state, "--verison", "i4: unknown flag '--verison', did you mean '--version'?\n");
        assert_usage(*state, NULL,
                        "i4: what to do? 'i4 tail' prints readings, 'i4 stat' looks at the daemon, 'i4 --help' "
                        "tells more\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_help, setup, teardown),
                cmocka_unit_test_setup_teardown(test_help_words, setup, teardown),
                cmocka_unit_test_setup_teardown(test_verb_help, setup, teardown),
                cmocka_unit_test_setup_teardown(test_version, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wrong_usage, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
