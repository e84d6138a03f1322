/* SPDX-License-Identifier: Apache-2.0 */

#include "../unit/tree.h"
#include "stage.h"
#include "util/macros.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define N_RECORDS   1024u
#define BATCHES_MAX 256u

struct fixture {
        struct stage stage;
        char directory[32];
        char out[64];
        char in[64];
        char rejected[96];
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        stage_init(&f->stage, N_RECORDS);
        stage_start_daemon(&f->stage);
        (void) strcpy(f->directory, "/tmp/i4-test-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        (void) snprintf(f->out, sizeof(f->out), "%s/out", f->directory);
        (void) snprintf(f->in, sizeof(f->in), "%s/in.jsonl", f->directory);
        (void) snprintf(f->rejected, sizeof(f->rejected), "%s/rejected.jsonl", f->out);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        stage_deinit(&f->stage);
        tree_remove(f->directory);
        free(f);
        return 0;
}

/* what was delivered */

struct delivery {
        char *names[BATCHES_MAX];
        cJSON *batches[BATCHES_MAX];
        size_t n;
};

static char *read_file(const char *path) {
        FILE *file = fopen(path, "re");
        char *text = NULL;
        size_t size = 0;

        assert_non_null(file);
        if (getdelim(&text, &size, 0, file) < 0)
                *text = 0;
        (void) fclose(file);
        return text;
}

static int is_batch(const struct dirent *entry) {
        return strncmp(entry->d_name, "batch_", strlen("batch_")) == 0;
}

static void delivery_read(struct delivery *delivery, const struct fixture *f) {
        struct dirent **entries;
        int n = scandir(f->out, &entries, is_batch, alphasort);

        *delivery = (struct delivery){};
        for (int i = 0; i < n; ++i) {
                char path[512], *text;

                assert_true(delivery->n < BATCHES_MAX);
                (void) snprintf(path, sizeof(path), "%s/%s", f->out, entries[i]->d_name);
                text = read_file(path);
                delivery->batches[delivery->n] = cJSON_Parse(text);
                assert_non_null(delivery->batches[delivery->n]);
                delivery->names[delivery->n++] = strdup(entries[i]->d_name);
                free(text);
                free(entries[i]);
        }
        if (n >= 0)
                free(entries);
}

static void delivery_deinit(struct delivery *delivery) {
        for (size_t i = 0; i < delivery->n; ++i) {
                cJSON_Delete(delivery->batches[i]);
                free(delivery->names[i]);
        }
}

static double get_meta(const struct delivery *delivery, size_t i, const char *key) {
        const cJSON *meta = cJSON_GetObjectItem(delivery->batches[i], "batch_meta");

        assert_non_null(cJSON_GetObjectItem(meta, key));
        return cJSON_GetObjectItem(meta, key)->valuedouble;
}

/* The ranges follow one another from @first to before @next; what was not lost is there. */
static double require_ranges(const struct delivery *delivery, double first, double next) {
        double n_lost = 0;

        for (size_t i = 0; i < delivery->n; ++i) {
                double last = get_meta(delivery, i, "last_sequence");

                assert_true(get_meta(delivery, i, "first_sequence") == first);
                assert_true(get_meta(delivery, i, "record_count") + get_meta(delivery, i, "lost_records") ==
                                last + 1 - first);
                assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(delivery->batches[i], "records")) ==
                                (int) get_meta(delivery, i, "record_count"));
                n_lost += get_meta(delivery, i, "lost_records");
                first = last + 1;
        }
        assert_true(first == next);
        return n_lost;
}

static size_t count_batches(const struct fixture *f) {
        struct dirent **entries;
        int n = scandir(f->out, &entries, is_batch, NULL);

        for (int i = 0; i < n; ++i)
                free(entries[i]);
        if (n >= 0)
                free(entries);
        return (size_t) MAX(n, 0);
}

static void wait_batches(const struct fixture *f, size_t n) {
        const struct timespec pause = { .tv_nsec = 5000000 };

        for (unsigned int i = 0; count_batches(f) < n; ++i) {
                assert_true(i < 4000);
                (void) nanosleep(&pause, NULL);
        }
}

/* ring */

/* Arrays of so many records, as i4 tail prints them, and what is left at the end. */
static void test_plain(void **state) {
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;

        stage_publish(&f->stage, 250);
        play_run(&f->stage, &play, "batch", "--output-dir", f->out, "--batch-size", "100", "-n", "250");
        assert_int_equal(play.status, 0);
        assert_string_equal(play.err, "");
        stage_wait_hellos(&f->stage, 1);
        assert_string_equal(f->stage.last_name, "i4 batch");
        play_deinit(&play);

        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 3);
        assert_int_equal(cJSON_GetArraySize(delivery.batches[0]), 100);
        assert_int_equal(cJSON_GetArraySize(delivery.batches[2]), 50);
        assert_string_equal(
                        cJSON_GetStringValue(cJSON_GetObjectItem(delivery.batches[0]->child, "timestamp")),
                        "2026-01-01T00:00:00.000000Z");
        delivery_deinit(&delivery);
}

/* A batch that is not full is delivered when its time has come, and at the end. */
static void test_period(void **state) {
        struct fixture *f = *state;
        struct play play;

        play_start(&f->stage, &play, "batch", "--output-dir", f->out, "--batch-period", "20ms", NULL);
        stage_wait_reports(&f->stage, 1);
        stage_publish(&f->stage, 3);
        wait_batches(f, 1);
        play_signal(&play, SIGTERM);
        play_finish(&play);
        assert_int_equal(play.status, 0);
        assert_int_equal(count_batches(f), 1);
        play_deinit(&play);

        play_start(&f->stage, &play, "batch", "--output-dir", f->out, "--batch-period", "infinity", NULL);
        stage_publish(&f->stage, 3);
        stage_wait_reports(&f->stage, 4);
        play_signal(&play, SIGINT);
        play_finish(&play);
        assert_int_equal(play.status, 0);
        assert_int_equal(count_batches(f), 2);
        play_deinit(&play);
}

/* Killed again and again, it delivers each record once. */
static void test_kill(void **state) {
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;

        for (unsigned int i = 1; i <= 5; ++i) {
                play_start(&f->stage, &play, "batch", "--enrich", "--output-dir", f->out, "--batch-size",
                                "10", NULL);
                stage_publish(&f->stage, 105);
                wait_batches(f, (size_t) i * 10);
                play_signal(&play, SIGKILL);
                play_finish(&play);
                play_deinit(&play);
        }
        play_run(&f->stage, &play, "batch", "--enrich", "--output-dir", f->out, "--batch-size", "10", "-n",
                        "5");
        play_deinit(&play);

        delivery_read(&delivery, f);
        assert_true(require_ranges(&delivery, 0, get_meta(&delivery, delivery.n - 1, "last_sequence") + 1) ==
                        0);
        delivery_deinit(&delivery);
}

/* What the ring has overwritten is counted, to the record, in the batch that goes over it. */
static void test_loss(void **state) {
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;

        stage_publish(&f->stage, 10);
        play_run(&f->stage, &play, "batch", "--enrich", "--output-dir", f->out, "-n", "10");
        assert_int_equal(play.status, 0);
        play_deinit(&play);

        stage_publish(&f->stage, 3000);
        play_run(&f->stage, &play, "batch", "--enrich", "--output-dir", f->out, "--batch-size", "100", "-n",
                        "500");
        assert_int_equal(play.status, 3);
        assert_non_null(strstr(play.err, "i4 batch: lost "));
        play_deinit(&play);

        delivery_read(&delivery, f);
        assert_true(require_ranges(&delivery, 0, get_meta(&delivery, delivery.n - 1, "last_sequence") + 1) >
                        0);
        delivery_deinit(&delivery);
}

/* Another ring counts from where it likes, and batches say which they are of. */
static void test_new_ring(void **state) {
        const char *first, *second;
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;

        stage_publish(&f->stage, 100);
        play_run(&f->stage, &play, "batch", "--enrich", "--output-dir", f->out, "-n", "100");
        play_deinit(&play);
        stage_exchange_ring(&f->stage, N_RECORDS, 0);
        stage_publish(&f->stage, 200);
        play_run(&f->stage, &play, "batch", "--enrich", "--output-dir", f->out, "-n", "200");
        play_deinit(&play);

        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 2);
        assert_true(get_meta(&delivery, 1, "first_sequence") == 0);
        assert_true(get_meta(&delivery, 1, "last_sequence") == 199);
        first = cJSON_GetStringValue(cJSON_GetObjectItem(delivery.batches[0]->child, "source"));
        second = cJSON_GetStringValue(cJSON_GetObjectItem(delivery.batches[1]->child, "source"));
        assert_string_not_equal(first, second);
        delivery_deinit(&delivery);

        /* One that goes on counting is read on: what lies between is lost, and known to be. */
        stage_exchange_ring(&f->stage, N_RECORDS, 250);
        stage_publish(&f->stage, 10);
        play_run(&f->stage, &play, "batch", "--enrich", "--output-dir", f->out, "-n", "10");
        play_deinit(&play);

        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 3);
        assert_true(get_meta(&delivery, 2, "first_sequence") == 200);
        assert_true(get_meta(&delivery, 2, "lost_records") == 50);
        delivery_deinit(&delivery);
}

/* The rules are measured against what the records are known to be. */
static void test_score(void **state) {
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;
        const cJSON *score;

        stage_publish(&f->stage, 100);
        play_run(&f->stage, &play, "batch", "--enrich", "--score", "--rules", "all", "--output-dir", f->out,
                        "-n", "100");
        assert_int_equal(play.status, 0);
        play_deinit(&play);

        delivery_read(&delivery, f);
        score = cJSON_GetObjectItem(delivery.batches[0]->child, "score");
        assert_true(cJSON_GetObjectItem(score, "faulty_count")->valuedouble == 10);
        assert_true(cJSON_GetObjectItem(score, "true_positives")->valuedouble +
                                        cJSON_GetObjectItem(score, "false_negatives")->valuedouble ==
                        10);
        assert_true(cJSON_GetObjectItem(score, "true_positives")->valuedouble +
                                        cJSON_GetObjectItem(score, "false_positives")->valuedouble ==
                        get_meta(&delivery, 0, "anomaly_count"));
        delivery_deinit(&delivery);
}

/* Full, it says so once, waits, and goes on when there is room. */
static void test_full(void **state) {
        struct fixture *f = *state;
        struct delivery delivery;
        char path[512];
        struct play play;

        stage_publish(&f->stage, 200);
        play_start(&f->stage, &play, "batch", "--enrich", "--output-dir", f->out, "--batch-size", "100",
                        "--max-use", "80K", "-n", "200", NULL);
        play_wait_err(&play, "its limit is reached");
        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 1);
        (void) snprintf(path, sizeof(path), "%s/%s", f->out, delivery.names[0]);
        assert_int_equal(unlink(path), 0);
        delivery_deinit(&delivery);

        play_finish(&play);
        assert_int_equal(play.status, 0);
        assert_int_equal(count_lines(play.err), 2);
        assert_non_null(strstr(play.err, "has room again"));
        play_deinit(&play);

        delivery_read(&delivery, f);
        (void) require_ranges(&delivery, 100, 200);
        delivery_deinit(&delivery);
}

/* lines */

#define LINE(n)                                                                                              \
        "{\"sensor_id\":\"a" #n "\",\"timestamp\":\"2026-11-23T10:49:43Z\",\"type\":\"x\",\"value\":" #n "}\n"

static void write_input(const struct fixture *f, const char *text, const char *mode) {
        FILE *file = fopen(f->in, mode);

        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

/* What is no record goes aside, with the reason, and the rest goes its way. */
static void test_lines(void **state) {
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;
        char *rejected;

        write_input(f, LINE(1) "nonsense\n\n" LINE(2) "{\"sensor_id\":\"cut off", "we");
        play_run(&f->stage, &play, "batch", "--enrich", "--input-file", f->in, "--output-dir", f->out);
        assert_int_equal(play.status, 0);
        assert_non_null(strstr(play.err, "line 2 is no record"));
        assert_non_null(strstr(play.err, "2 lines were no records"));
        play_deinit(&play);

        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 1);
        assert_true(get_meta(&delivery, 0, "record_count") == 2);
        assert_true(get_meta(&delivery, 0, "rejected_count") == 2);
        assert_true(get_meta(&delivery, 0, "first_sequence") == 1);
        assert_true(get_meta(&delivery, 0, "last_sequence") == 5);
        delivery_deinit(&delivery);

        rejected = read_file(f->rejected);
        assert_int_equal(count_lines(rejected), 2);
        assert_non_null(strstr(rejected, "{\"line\":2,\"offset\":75,\"reason\":"));
        assert_non_null(strstr(rejected, "\"text\":\"{\\\"sensor_id\\\":\\\"cut off\"}"));
        free(rejected);
}

/* However long a line is, it is one line. */
static void test_long_line(void **state) {
        static const size_t lengths[] = { 65536, 65537, 300000, 327680, 327681, 1000000 };
        const double n_lines = (int) ELEMENTSOF(lengths);
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;
        char *rejected;
        FILE *file;

        file = fopen(f->in, "we");
        assert_non_null(file);
        for (size_t i = 0; i < ELEMENTSOF(lengths); ++i)
                fprintf(file, "%*s\n%s", (int) lengths[i], "x", LINE(1));
        assert_int_equal(fclose(file), 0);

        play_run(&f->stage, &play, "batch", "--enrich", "--input-file", f->in, "--output-dir", f->out);
        assert_int_equal(play.status, 0);
        play_deinit(&play);

        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 1);
        assert_true(get_meta(&delivery, 0, "record_count") == n_lines);
        assert_true(get_meta(&delivery, 0, "rejected_count") == n_lines);
        assert_true(get_meta(&delivery, 0, "last_sequence") == 2 * n_lines);
        delivery_deinit(&delivery);

        rejected = read_file(f->rejected);
        assert_int_equal(count_lines(rejected), ELEMENTSOF(lengths));
        assert_non_null(strstr(
                        rejected, "{\"line\":11,\"offset\":1086814,\"reason\":\"longer than 65536 bytes"));
        free(rejected);
}

/* A file that was read in part is read on, if it is the same; one that was read to its end is read anew. */
static void test_resume(void **state) {
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;

        write_input(f, LINE(1) LINE(2) LINE(3), "we");
        play_run(&f->stage, &play, "batch", "--enrich", "--input-file", f->in, "--output-dir", f->out, "-n",
                        "2");
        play_deinit(&play);
        write_input(f, LINE(4), "ae");
        play_run(&f->stage, &play, "batch", "--enrich", "--input-file", f->in, "--output-dir", f->out);
        assert_non_null(strstr(play.err, "going on at line 3"));
        play_deinit(&play);
        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 2);
        (void) require_ranges(&delivery, 1, 5);
        delivery_deinit(&delivery);

        play_run(&f->stage, &play, "batch", "--enrich", "--input-file", f->in, "--output-dir", f->out, "-n",
                        "3");
        assert_string_equal(play.err, "");
        play_deinit(&play);

        /* Other bytes in the same place. */
        write_input(f, LINE(5) LINE(6) LINE(7) LINE(8), "we");
        play_run(&f->stage, &play, "batch", "--enrich", "--input-file", f->in, "--output-dir", f->out);
        assert_string_equal(play.err, "");
        play_deinit(&play);

        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 4);
        assert_true(get_meta(&delivery, 2, "record_count") == 3);
        assert_true(get_meta(&delivery, 3, "record_count") == 4);
        delivery_deinit(&delivery);
}

/* settings */

static void test_environment(void **state) {
        struct fixture *f = *state;
        struct delivery delivery;
        struct play play;

        write_input(f, LINE(1) LINE(2) LINE(3), "we");
        assert_int_equal(setenv("INPUT_FILE", f->in, true), 0);
        assert_int_equal(setenv("OUTPUT_DIR", f->out, true), 0);
        assert_int_equal(setenv("BATCH_SIZE", "7", true), 0);
        assert_int_equal(setenv("BATCH_PERIOD", "", true), 0);
        assert_int_equal(setenv("EDGE_NODE_ID", "edge-west-01", true), 0);
        assert_int_equal(setenv("ENRICH", "yes", true), 0);
        play_run(&f->stage, &play, "batch", "--batch-size", "2");
        assert_int_equal(play.status, 0);
        play_deinit(&play);

        assert_int_equal(setenv("BATCH_SIZE", "0", true), 0);
        play_run(&f->stage, &play, "batch");
        assert_int_equal(play.status, 2);
        assert_string_equal(
                        play.err, "i4 batch: BATCH_SIZE '0' is not a number of records from 1 to 1000000\n");
        play_deinit(&play);
        (void) unsetenv("INPUT_FILE");
        (void) unsetenv("OUTPUT_DIR");
        (void) unsetenv("BATCH_SIZE");
        (void) unsetenv("BATCH_PERIOD");
        (void) unsetenv("EDGE_NODE_ID");
        (void) unsetenv("ENRICH");

        delivery_read(&delivery, f);
        assert_int_equal(delivery.n, 2);
        assert_string_equal(
                        cJSON_GetStringValue(cJSON_GetObjectItem(delivery.batches[0]->child, "edge_node")),
                        "edge-west-01");
        delivery_deinit(&delivery);
}

static void require_usage(struct stage *stage, const char *flag, const char *argument, const char *message) {
        struct play play;

        play_start(stage, &play, "batch", flag, argument, NULL);
        play_finish(&play);
        assert_int_equal(play.status, 2);
        assert_string_equal(play.err, message);
        play_deinit(&play);
}

static void test_usage(void **state) {
        struct fixture *f = *state;

        require_usage(&f->stage, "--batch-size", "1000001",
                        "i4 batch: --batch-size '1000001' is not a number of records from 1 to 1000000\n");
        require_usage(&f->stage, "--batch-period", "1ms",
                        "i4 batch: --batch-period '1ms' is not a span from 10ms on, such as 10s or 1min\n");
        require_usage(&f->stage, "--rules", "some",
                        "i4 batch: --rules 'some' is not one of reference, all\n");
        require_usage(&f->stage, "--from", "7", "i4 batch: --from '7' is not one of oldest, newest\n");
        require_usage(&f->stage, "--max-use", "much",
                        "i4 batch: --max-use 'much' is not a size such as 500M, 4G or infinity\n");
        require_usage(&f->stage, "--edge-node-id", "",
                        "i4 batch: --edge-node-id '' is not a name of 1 to 255 bytes\n");
        require_usage(&f->stage, "--output-dir", "",
                        "i4 batch: --output-dir '' is not the name of a directory\n");
        require_usage(&f->stage, "--score", NULL,
                        "i4 batch: --score goes into batch_meta, which needs --enrich\n");
}

static void test_failure(void **state) {
        struct fixture *f = *state;
        struct play play, other;

        play_run(&f->stage, &play, "batch", "--input-file", f->in, "--output-dir", f->out);
        assert_int_equal(play.status, 1);
        assert_non_null(strstr(play.err, "No such file or directory"));
        assert_int_equal(count_lines(play.err), 1);
        play_deinit(&play);

        play_run(&f->stage, &play, "batch", "--output-dir", "/proc/nothing");
        assert_int_equal(play.status, 1);
        assert_non_null(strstr(play.err, "cannot use /proc/nothing as output directory"));
        play_deinit(&play);

        play_start(&f->stage, &play, "batch", "--output-dir", f->out, NULL);
        stage_wait_reports(&f->stage, 1);
        play_run(&f->stage, &other, "batch", "--output-dir", f->out);
        assert_int_equal(other.status, 1);
        assert_non_null(strstr(other.err, "another i4 batch delivers into"));
        play_deinit(&other);
        play_signal(&play, SIGTERM);
        play_finish(&play);
        play_deinit(&play);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
                cmocka_unit_test_setup_teardown(test_period, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
                cmocka_unit_test_setup_teardown(test_loss, setup, teardown),
                cmocka_unit_test_setup_teardown(test_new_ring, setup, teardown),
                cmocka_unit_test_setup_teardown(test_score, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full, setup, teardown),
                cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
                cmocka_unit_test_setup_teardown(test_long_line, setup, teardown),
                cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
                cmocka_unit_test_setup_teardown(test_environment, setup, teardown),
                cmocka_unit_test_setup_teardown(test_usage, setup, teardown),
                cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
