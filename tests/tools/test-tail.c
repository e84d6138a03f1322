/* SPDX-License-Identifier: Apache-2.0 */

#include "stage.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define N_RECORDS 1024u

static int setup(void **state) {
        struct stage *stage = calloc(1, sizeof(*stage));

        assert_non_null(stage);
        stage_init(stage, N_RECORDS);
        stage_start_daemon(stage);
        *state = stage;
        return 0;
}

static int teardown(void **state) {
        stage_deinit(*state);
        free(*state);
        return 0;
}

/* The JSON of @n records from @first on. */
static char *expect_json(uint64_t first, size_t n) {
        size_t size = (n + 1) * I4_LINE_MAX, used = 0, n_encoded;
        char *text = malloc(size);
        i4_encoder *encoder;

        assert_non_null(text);
        assert_int_equal(i4_encoder_new(&encoder, i4_catalog_get_default()), 0);
        for (size_t i = 0; i < n; ++i) {
                struct i4_record record = stage_get_record(first + i);

                used += i4_encoder_encode(encoder, &record, 1, text + used, size - used, &n_encoded);
                assert_int_equal(n_encoded, 1);
        }
        i4_encoder_free(encoder);
        text[used] = 0;
        return text;
}

/* What the ring still holds is printed as the encoder has it, and -n ends the program. */
static void test_oldest(void **state) {
        struct stage *stage = *state;
        char *expected = expect_json(0, 700);
        struct play play;

        stage_publish(stage, 900);
        play_run(stage, &play, "tail", "--from", "oldest", "-n", "700");

        assert_int_equal(play.status, 0);
        assert_string_equal(play.out, expected);
        assert_string_equal(play.err, "");
        stage_wait_hellos(stage, 1);
        assert_string_equal(stage->last_name, "i4 tail");
        assert_false(stage->last_is_observer);

        play_deinit(&play);
        free(expected);
}

/* By default nothing old is printed, and what is new arrives at once. */
static void test_newest(void **state) {
        struct stage *stage = *state;
        char *expected = expect_json(500, 3);
        struct play play;

        stage_publish(stage, 500);
        play_start(stage, &play, "tail", "-n", "3", NULL);
        stage_wait_reports(stage, 1);

        stage_publish(stage, 1);
        play_wait_out(&play, "\n");
        stage_publish(stage, 2);
        play_finish(&play);

        assert_int_equal(play.status, 0);
        assert_string_equal(play.out, expected);

        play_deinit(&play);
        free(expected);
}

static void test_sequence(void **state) {
        struct stage *stage = *state;
        char *expected = expect_json(250, 1);
        struct play play;

        stage_publish(stage, 500);
        play_run(stage, &play, "tail", "--from=250", "-n1");
        assert_int_equal(play.status, 0);
        assert_string_equal(play.out, expected);
        play_deinit(&play);
        free(expected);

        /* What does not exist yet is not waited for. */
        play_run(stage, &play, "tail", "--from=501", "-n1");
        assert_int_equal(play.status, 1);
        assert_string_equal(play.err, "i4 tail: --from 501 is not published yet: the next one is 500\n");
        play_deinit(&play);
}

static void test_csv(void **state) {
        struct stage *stage = *state;
        struct play play;

        stage_publish(stage, 10);
        play_run(stage, &play, "tail", "--format=csv", "--from=1", "-n2");
        assert_int_equal(play.status, 0);
        assert_string_equal(play.out,
                        "sequence,sensor_id,timestamp,type,value,unit,lat,lon,mile_post,pipeline_id,status,"
                        "quality_score,alert_level\n"
                        "1,SNS-tem-0001,2026-01-01T00:00:00.000100Z,temperature,-49.63,fahrenheit,25.000001,"
                        "-104.999999,0.01,PIPE-TX-001,warning,0.8501,low\n"
                        "2,SNS-flo-0002,2026-01-01T00:00:00.000200Z,flow_rate,-49.26,bbl/hr,25.000002,"
                        "-104.999998,0.02,PIPE-TX-001,maintenance,0.8502,medium\n");
        play_deinit(&play);
}

/* Columns stand one below the other, and a pipe gets no colours. */
static void test_pretty(void **state) {
        struct stage *stage = *state;
        const char *header, *line;
        struct play play;

        stage_publish(stage, 100);
        play_run(stage, &play, "tail", "--format=pretty", "--from=oldest", "-n100");
        assert_int_equal(play.status, 0);
        assert_null(strchr(play.out, '\033'));
        assert_int_equal(count_lines(play.out), 101);

        header = strstr(play.out, "STATUS");
        line = strchr(play.out, '\n') + 1;
        assert_non_null(header);
        assert_memory_equal(line + (header - play.out), "normal", strlen("normal"));
        play_deinit(&play);
}

/* All of 1000 records for which @is_wanted is true come through, and no other. */
static void assert_filtered(struct stage *stage, bool (*is_wanted)(const struct i4_record *record), ...) {
        const char *flags[6] = {};
        struct play play;
        char count[16];
        const char *line;
        size_t n = 0;
        va_list arguments;

        va_start(arguments, is_wanted);
        for (size_t i = 0; i < ELEMENTSOF(flags) && (flags[i] = va_arg(arguments, const char *)); ++i)
                ;
        va_end(arguments);

        for (uint64_t i = 0; i < 1000; ++i) {
                struct i4_record record = stage_get_record(i);

                n += is_wanted(&record);
        }
        assert_true(n > 0);
        (void) snprintf(count, sizeof(count), "%zu", n);

        play_run(stage, &play, "tail", "--format=csv", "--from=oldest", "-n", count, flags[0], flags[1],
                        flags[2], flags[3], flags[4]);
        assert_int_equal(play.status, 0);
        assert_int_equal(count_lines(play.out), n + 1);

        line = strchr(play.out, '\n') + 1;
        for (uint64_t i = 0; i < 1000; ++i) {
                struct i4_record record = stage_get_record(i);

                if (!is_wanted(&record))
                        continue;
                assert_int_equal(strtoull(line, NULL, 10), i);
                line = strchr(line, '\n') + 1;
        }
        play_deinit(&play);
}

static bool is_pressure(const struct i4_record *record) {
        return record->type == 0;
}

static bool is_pressure_or_humidity(const struct i4_record *record) {
        return record->type == 0 || record->type == 5;
}

static bool is_in_oklahoma(const struct i4_record *record) {
        return record->pipeline == 2;
}

static bool is_one_of_two(const struct i4_record *record) {
        return record->sensor == 2 || record->sensor == 999;
}

static bool is_warning(const struct i4_record *record) {
        return record->status == I4_STATUS_WARNING;
}

static bool is_alerting(const struct i4_record *record) {
        return record->alert == I4_ALERT_LOW || record->alert == I4_ALERT_HIGH;
}

static bool is_anomaly(const struct i4_record *record) {
        return record->fault != I4_FAULT_NONE;
}

static bool is_anomalous_warning_of_corrosion(const struct i4_record *record) {
        return is_anomaly(record) && is_warning(record) && record->type == 7;
}

static void test_filters(void **state) {
        struct stage *stage = *state;

        stage_publish(stage, 1000);
        assert_filtered(stage, is_pressure, "--type=pressure", NULL);
        assert_filtered(stage, is_pressure_or_humidity, "--type=humidity,pressure", NULL);
        assert_filtered(stage, is_pressure_or_humidity, "--type=humidity", "--type=pressure", NULL);
        assert_filtered(stage, is_in_oklahoma, "--pipeline=PIPE-OK-001", NULL);
        assert_filtered(stage, is_one_of_two, "--sensor=SNS-val-0999,SNS-flo-0002", NULL);
        /* The number exists, but its sensor is of another type. */
        assert_filtered(stage, is_one_of_two, "--sensor=SNS-val-0999,SNS-flo-0002,SNS-pre-0003", NULL);
        assert_filtered(stage, is_warning, "--status=warning", NULL);
        assert_filtered(stage, is_alerting, "--alert=high,low", NULL);
        assert_filtered(stage, is_anomaly, "--anomaly", NULL);
        assert_filtered(stage, is_anomalous_warning_of_corrosion, "--anomaly", "--status=warning",
                        "--type=valve_position", NULL);
}

static void assert_usage(struct stage *stage, const char *flag, const char *message) {
        struct play play;

        play_run(stage, &play, "tail", flag);
        assert_int_equal(play.status, 2);
        assert_string_equal(play.out, "");
        assert_string_equal(play.err, message);
        play_deinit(&play);
}

/* A wrong word is answered with the right ones, in one line. */
static void test_wrong_usage(void **state) {
        struct stage *stage = *state;

        assert_usage(stage, "--type=presure",
                        "i4 tail: there is no type 'presure', did you mean 'pressure'? (pressure, temperature, "
                        "flow_rate, vibration, corrosion, humidity, gas_detector, valve_position)\n");
        assert_usage(stage, "--pipeline=PIPE-ZZ-009",
                        "i4 tail: there is no pipeline 'PIPE-ZZ-009', did you mean 'PIPE-TX-001'? (PIPE-TX-001, "
                        "PIPE-TX-002, PIPE-OK-001, PIPE-LA-001, PIPE-NM-001, PIPE-CO-001, PIPE-WY-001, "
                        "PIPE-ND-001)\n");
        assert_usage(stage, "--sensor=2977",
                        "i4 tail: there is no sensor '2977' (ids look like SNS-pre-0000, with the first letters "
                        "of the type, and go up to SNS-pre-7999)\n");
        assert_usage(stage, "--status=broken",
                        "i4 tail: there is no status 'broken' (normal, warning, maintenance)\n");
        assert_usage(stage, "--alert=hihg",
                        "i4 tail: there is no alert 'hihg', did you mean 'high'? (none, low, medium, high)\n");
        assert_usage(stage, "--alert=low,",
                        "i4 tail: --alert needs names with commas between them, and one is empty\n");
        assert_usage(stage, "--format=xml", "i4 tail: --format 'xml' is none of json, pretty, csv\n");
        assert_usage(stage, "--from=now",
                        "i4 tail: --from 'now' is none of oldest, newest, or a sequence number such as 125000\n");
        assert_usage(stage, "-n-1", "i4 tail: -n '-1' is no number of readings such as 100\n");
        assert_usage(stage, "-n", "i4 tail: flag '-n' needs an argument: N\n");
        assert_usage(stage, "--anomalies",
                        "i4 tail: unknown flag '--anomalies', did you mean '--anomaly'?\n");
        assert_usage(stage, "--dirty=late=2", "i4 tail: --dirty: late=2 is not a share such as 0.5%\n");
        assert_usage(stage, "--dirty-log=x", "i4 tail: --dirty-log has nothing to tell without --dirty\n");
        assert_usage(stage, "--wait=5", "i4 tail: flag '--wait' takes no argument\n");
        assert_usage(stage, "x", "i4 tail: 'x' is one argument too many, see 'i4 tail --help'\n");
}

/* Spoilt on the way out, equally every time, and counted; the ring is as it was. */
static void test_dirty(void **state) {
        struct stage *stage = *state;
        char *expected = expect_json(0, 700);
        struct play dirty, again, clean;
        unsigned int n_missing, n_truncated;

        stage_publish(stage, 900);
        play_run(stage, &dirty, "tail", "--from=oldest", "-n700", "--dirty=missing=10%,truncated=10%");
        play_run(stage, &again, "tail", "--from=oldest", "-n700", "--dirty=missing=10%,truncated=10%");
        play_run(stage, &clean, "tail", "--from=oldest", "-n700", "--dirty=0%");

        assert_int_equal(dirty.status, 0);
        assert_int_equal(sscanf(dirty.err, "i4 tail: dirty lines: missing %u, truncated %u\n", &n_missing,
                                         &n_truncated),
                        2);
        /* six standard deviations */
        assert_in_range(n_missing, 70 - 48, 70 + 48);
        assert_in_range(n_truncated, 70 - 48, 70 + 48);
        assert_true(dirty.n_out < strlen(expected));
        assert_string_equal(dirty.out, again.out);
        assert_string_equal(clean.out, expected);
        assert_string_equal(clean.err, "i4 tail: dirty lines: none\n");

        free(expected);
        play_deinit(&dirty);
        play_deinit(&again);
        play_deinit(&clean);
}

/* Loss is told with both ends of the gap, what is left is printed, and the exit status remembers. */
static void test_loss(void **state) {
        struct stage *stage = *state;
        char *expected = expect_json(3976, 1024);
        struct play play;

        stage_publish(stage, 5000);
        play_run(stage, &play, "tail", "--from=100", "-n1024");
        assert_int_equal(play.status, 3);
        assert_string_equal(play.err, "i4 tail: lost 3876 records (sequence 100 to 3975)\n");
        assert_string_equal(play.out, expected);
        play_deinit(&play);
        free(expected);
}

/* The reader is closed by its consumer: a good end, whether something is to be written or not. */
static void test_closed_pipe(void **state) {
        struct stage *stage = *state;
        struct play play;

        stage_publish(stage, 10);
        play_start(stage, &play, "tail", "--from=oldest", NULL);
        play_wait_out(&play, "\n");
        play_close_out(&play);
        stage_publish(stage, 10);
        play_finish(&play);
        assert_int_equal(play.status, 0);
        assert_string_equal(play.err, "");
        play_deinit(&play);

        play_start(stage, &play, "tail", NULL);
        play_close_out(&play);
        play_finish(&play);
        assert_int_equal(play.status, 0);
        assert_string_equal(play.err, "");
        play_deinit(&play);
}

static void check_signal(struct stage *stage, int number) {
        struct play play;

        play_start(stage, &play, "tail", NULL);
        stage_wait_reports(stage, 1);
        play_signal(&play, number);
        play_finish(&play);
        assert_int_equal(play.status, 0);
        play_deinit(&play);
}

static void test_interrupted(void **state) {
        check_signal(*state, SIGINT);
}

static void test_terminated(void **state) {
        check_signal(*state, SIGTERM);
}

/* A signal ends it also while nobody takes what it prints. */
static void test_signal_while_blocked(void **state) {
        struct stage *stage = *state;
        struct play play;

        play_start(stage, &play, "tail", NULL);
        stage_wait_reports(stage, 1);

        while (!play_is_blocked(&play))
                stage_publish(stage, 100);
        play_signal(&play, SIGTERM);
        play_reap(&play);
        play_finish(&play);
        assert_true(play.status == 0 || play.status == 3);
        play_deinit(&play);
}

static void test_full_disk(void **state) {
        struct stage *stage = *state;
        struct play play;

        stage_publish(stage, 10);
        play_start_to(stage, &play, "/dev/full", "tail", "--from=oldest", "-n5", NULL);
        play_finish(&play);
        assert_int_equal(play.status, 1);
        assert_string_equal(play.err, "i4 tail: cannot write: No space left on device\n");
        play_deinit(&play);
}

/* A new ring that goes on with the numbers is followed, and what nobody could read is told. */
static void test_new_ring(void **state) {
        struct stage *stage = *state;
        char *expected = expect_json(100, 5), *expected_rest = expect_json(110, 5);
        struct play play;

        stage_publish(stage, 100);
        play_start(stage, &play, "tail", "-v", "-n10", NULL);
        stage_wait_reports(stage, 1);
        stage_publish(stage, 5);
        play_wait_out(&play, expected);

        stage_exchange_ring(stage, N_RECORDS, 110);
        stage_publish(stage, 5);
        play_finish(&play);

        assert_int_equal(play.status, 3);
        assert_string_equal(play.err, "i4 tail: i4d has a new ring; going on at sequence 105\n"
                                      "i4 tail: lost 5 records (sequence 105 to 109)\n");
        assert_memory_equal(play.out, expected, strlen(expected));
        assert_string_equal(play.out + strlen(expected), expected_rest);
        play_deinit(&play);
        free(expected);
        free(expected_rest);
}

/* Without a daemon it says how to start one. */
static void test_no_daemon(void **state) {
        struct stage *stage = *state;
        char message[256];
        struct play play;

        stage_stop_daemon(stage);
        play_run(stage, &play, "tail");
        (void) snprintf(message, sizeof(message),
                        "i4 tail: no i4d at %s: there is no such socket; is it the path given to 'i4d --socket'?\n",
                        stage->socket_path);
        assert_int_equal(play.status, 1);
        assert_string_equal(play.err, message);
        play_deinit(&play);
}

/* With --wait one that comes later is found. */
static void test_wait(void **state) {
        struct stage *stage = *state;
        char *expected = expect_json(0, 7);
        struct play play;

        stage_stop_daemon(stage);
        stage_publish(stage, 7);
        play_start(stage, &play, "tail", "--wait", "--from=oldest", "-n7", NULL);
        play_wait_err(&play, "waiting for i4d at ");

        stage_start_daemon(stage);
        play_finish(&play);
        assert_int_equal(play.status, 0);
        assert_string_equal(play.out, expected);
        play_deinit(&play);
        free(expected);
}

static void test_refused(void **state) {
        struct stage *stage = *state;
        char message[256];
        struct play play;

        stage_set_refusal(stage, EUSERS);
        play_run(stage, &play, "tail");
        (void) snprintf(message, sizeof(message),
                        "i4 tail: i4d at %s has no place for another reader; raise MaxReaders= in i4d.conf(5)\n",
                        stage->socket_path);
        assert_int_equal(play.status, 1);
        assert_string_equal(play.err, message);
        play_deinit(&play);
}

/* Who may not connect is told which group to join, and how. */
static void test_not_allowed(void **state) {
        struct stage *stage = *state;
        struct play play;

        if (geteuid() != 0)
                skip();

        assert_int_equal(chmod(stage->socket_path, 0660), 0);
        play_start_as_nobody(stage, &play, "tail", NULL);
        play_finish(&play);
        if (play.status >= 126)
                skip(); /* the program lies where nobody may look */
        assert_int_equal(play.status, 1);
        assert_non_null(strstr(play.err,
                        "this is for group root; run 'sudo usermod -aG root nobody' and log in again"));
        play_deinit(&play);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_oldest, setup, teardown),
                cmocka_unit_test_setup_teardown(test_newest, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sequence, setup, teardown),
                cmocka_unit_test_setup_teardown(test_csv, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pretty, setup, teardown),
                cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wrong_usage, setup, teardown),
                cmocka_unit_test_setup_teardown(test_dirty, setup, teardown),
                cmocka_unit_test_setup_teardown(test_loss, setup, teardown),
                cmocka_unit_test_setup_teardown(test_closed_pipe, setup, teardown),
                cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_terminated, setup, teardown),
                cmocka_unit_test_setup_teardown(test_signal_while_blocked, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
                cmocka_unit_test_setup_teardown(test_new_ring, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_daemon, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wait, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_allowed, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
