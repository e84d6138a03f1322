/* SPDX-License-Identifier: Apache-2.0 */

#include "stage.h"

#include "util/clock.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define N_RECORDS 1024u

#define STORE(field, value) atomic_store(&(field), value)

/* What a daemon would say that has made 5000 records and whose disk is full. */
static void fill_statistics(struct ring_statistics *statistics) {
        STORE(statistics->rate_records, 10000);
        STORE(statistics->rate_period_ns, NSEC_PER_SEC);
        STORE(statistics->target, 5100);
        STORE(statistics->achieved, 5000);
        STORE(statistics->behind, 100);
        STORE(statistics->behind_max, 300);
        STORE(statistics->skipped, 7);
        STORE(statistics->start_time_ns, clock_now_ns(CLOCK_REALTIME) - 100 * NSEC_PER_SEC);
        STORE(statistics->storage_state, I4_STORAGE_FULL);
        STORE(statistics->storage_errno, ENOSPC);
        STORE(statistics->storage_is_uring, 1);
        STORE(statistics->storage_next, 4000);
        STORE(statistics->storage_records, 3990);
        STORE(statistics->storage_bytes, 3 << 20);
        STORE(statistics->storage_dropped, 10);
        STORE(statistics->storage_errors, 2);
        STORE(statistics->storage_segments, 3);
        STORE(statistics->storage_use_bytes, UINT64_C(3) << 30);
        STORE(statistics->storage_limit_bytes, UINT64_C(4) << 30);
        STORE(statistics->n_readers, 2);
        STORE(statistics->readers_refused, 1);
        STORE(statistics->readers_lost, 12);
}

static void fill_consumer(struct ring_consumer *consumer, uint32_t pid, const char *name, uint64_t lag) {
        uint64_t words[ELEMENTSOF(consumer->name)] = {};

        memcpy(words, name, strlen(name));
        for (size_t i = 0; i < ELEMENTSOF(words); ++i)
                STORE(consumer->name[i], words[i]);
        STORE(consumer->pid, pid);
        STORE(consumer->uid, 1000);
        STORE(consumer->since_ns, clock_now_ns(CLOCK_REALTIME) - 20 * NSEC_PER_SEC);
        STORE(consumer->last_report_ns, clock_now_ns(CLOCK_BOOTTIME));
        STORE(consumer->cursor, 5000 - lag);
        STORE(consumer->lag, lag);
        STORE(consumer->lost, 12);
        STORE(consumer->is_used, 1);
}

static int setup(void **state) {
        struct stage *stage = calloc(1, sizeof(*stage));

        assert_non_null(stage);
        stage_init(stage, N_RECORDS);
        stage_publish(stage, 5000);
        ring_beat(stage->ring);
        fill_statistics(stage->ring->statistics);
        fill_consumer(&stage->ring->consumers[1], 101, "quick", 10);
        fill_consumer(&stage->ring->consumers[3], 102, "slow", 500);
        stage_start_daemon(stage);
        *state = stage;
        return 0;
}

static int teardown(void **state) {
        stage_deinit(*state);
        free(*state);
        return 0;
}

static void test_text(void **state) {
        struct stage *stage = *state;
        struct play play;

        play_run(stage, &play, "stat");
        assert_int_equal(play.status, 0);
        assert_string_equal(play.err, "");
        stage_wait_hellos(stage, 1);
        assert_true(stage->last_is_observer);

        assert_non_null(strstr(play.out, "running for 1min 40s; "));
        assert_non_null(strstr(play.out, "set to 10000.0/s\n"));
        assert_non_null(strstr(play.out, "5,000 made, 5,100 due; 100 behind (300 at most), 7 skipped\n"));
        assert_non_null(strstr(play.out, "1,024 of 1,024 records, 0.10 s; sequence 3976 to 4999\n"));
        assert_non_null(strstr(play.out,
                        "full through io_uring (No space left on device); 1,000 records behind (0.10 s)\n"));
        assert_non_null(strstr(play.out, "3.0 GiB used of 4.0 GiB, 3 sealed files\n"));
        assert_non_null(strstr(play.out, "2 attached, 1 refused; 12 records lost\n"));
        /* The one that is further behind comes first. */
        assert_true(strstr(play.out, "     102  slow  ") < strstr(play.out, "     101  quick  "));
        assert_null(strchr(play.out, '\033'));
        play_deinit(&play);
}

static double get_number(const cJSON *object, const char *section, const char *key) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(
                        cJSON_GetObjectItemCaseSensitive(object, section), key);

        assert_true(cJSON_IsNumber(item));
        return item->valuedouble;
}

static void assert_text(const cJSON *object, const char *section, const char *key, const char *text) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(
                        cJSON_GetObjectItemCaseSensitive(object, section), key);

        assert_true(cJSON_IsString(item));
        assert_string_equal(item->valuestring, text);
}

/* The keys are an interface. */
static void test_json(void **state) {
        struct stage *stage = *state;
        const cJSON *list, *peer;
        struct play play;
        cJSON *json;

        play_run(stage, &play, "stat", "--json");
        assert_int_equal(play.status, 0);
        json = cJSON_ParseWithOpts(play.out, NULL, true);
        assert_non_null(json);

        assert_text(json, "daemon", "state", "running");
        assert_true(get_number(json, "daemon", "uptime_seconds") >= 100);
        assert_true(get_number(json, "generator", "set_records_per_second") == 10000);
        assert_true(get_number(json, "generator", "achieved_records") == 5000);
        assert_true(get_number(json, "generator", "behind_records") == 100);
        assert_true(get_number(json, "ring", "capacity_records") == 1024);
        assert_true(get_number(json, "ring", "next_sequence") == 5000);
        assert_true(get_number(json, "ring", "held_seconds") == 0.1023);
        assert_text(json, "storage", "state", "full");
        assert_text(json, "storage", "engine", "io_uring");
        assert_text(json, "storage", "error", strerror(ENOSPC));
        assert_true(get_number(json, "storage", "lag_records") == 1000);
        assert_true(get_number(json, "storage", "lag_seconds") == 0.1);
        assert_true(get_number(json, "storage", "dropped_records") == 10);
        assert_true(get_number(json, "readers", "attached") == 2);

        list = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "readers"), "list");
        assert_int_equal(cJSON_GetArraySize(list), 2);
        peer = cJSON_GetArrayItem(list, 0);
        assert_string_equal(cJSON_GetObjectItemCaseSensitive(peer, "name")->valuestring, "slow");
        assert_true(cJSON_GetObjectItemCaseSensitive(peer, "pid")->valuedouble == 102);
        assert_true(cJSON_GetObjectItemCaseSensitive(peer, "lag_records")->valuedouble == 500);
        assert_true(cJSON_GetObjectItemCaseSensitive(peer, "lag_seconds")->valuedouble == 0.05);
        assert_true(cJSON_GetObjectItemCaseSensitive(peer, "lost_records")->valuedouble == 12);

        cJSON_Delete(json);
        play_deinit(&play);
}

static void make_status(
                const struct stage *stage, const char *name, const char *text, char *path, size_t size) {
        FILE *file;

        (void) snprintf(path, size, "%s/%s/status.json", stage->directory, name);
        for (char *p = path + strlen(stage->directory) + 1; (p = strchr(p, '/')); *p++ = '/') {
                *p = 0;
                assert_int_equal(mkdir(path, 0755), 0);
        }

        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

/* With the two directories that were made for it. */
static void remove_status(char *path) {
        for (unsigned int i = 0; i < 3; ++i) {
                assert_int_equal(remove(path), 0);
                *strrchr(path, '/') = 0;
        }
}

/* One object a line, until a signal ends it; no control sequences where there is no screen. */
static void test_watch(void **state) {
        struct stage *stage = *state;
        struct play play;
        cJSON *json;

        play_start(stage, &play, "stat", "--json", "--watch", NULL);
        while (!play.out || count_lines(play.out) < 2) {
                size_t n = play.n_out;

                play_wait_more(&play);
                assert_true(play.n_out > n);
        }
        play_signal(&play, SIGINT);
        play_finish(&play);
        assert_int_equal(play.status, 0);

        *strchr(play.out, '\n') = 0;
        json = cJSON_ParseWithOpts(play.out, NULL, true);
        assert_non_null(json);
        cJSON_Delete(json);
        play_deinit(&play);
}

/* Services that carry readings elsewhere are listed with what they tell; what makes no sense is not. */
static void test_outlets(void **state) {
        static const char good[] =
                        "{\"records\":7000,\"lost_records\":3,\"waiting_batches\":2,\"target\":\"bucket\","
                        "\"error\":\"no \\u001bway\"}";
        struct stage *stage = *state;
        const cJSON *outlets, *outlet;
        char good_path[128], bad_path[128];
        struct play play;
        cJSON *json;

        make_status(stage, "i4-batch/s3", good, good_path, sizeof(good_path));
        make_status(stage, "i4-other/x", "[", bad_path, sizeof(bad_path));
        play_run(stage, &play, "stat");
        assert_int_equal(play.status, 0);
        assert_non_null(strstr(play.out,
                        "outlets    i4-batch@s3: 7000 records, 3 lost, 2 batches waiting; to bucket; "
                        "no ?way\n"));
        assert_null(strstr(play.out, "i4-other"));
        play_deinit(&play);

        play_run(stage, &play, "stat", "--json");
        json = cJSON_Parse(play.out);
        outlets = cJSON_GetObjectItemCaseSensitive(json, "outlets");
        assert_int_equal(cJSON_GetArraySize(outlets), 1);
        outlet = outlets->child;
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(outlet, "unit")), "i4-batch@s3");
        assert_true(get_number(outlet, "status", "waiting_batches") == 2);
        cJSON_Delete(json);
        play_deinit(&play);

        remove_status(good_path);
        remove_status(bad_path);
}

/* A daemon that says it runs and gives no sign of life is told as such. */
static void test_silent(void **state) {
        struct stage *stage = *state;
        struct play play;

        STORE(stage->ring->header->identity.heartbeat_ns, clock_now_ns(CLOCK_BOOTTIME) - 90 * NSEC_PER_SEC);
        play_run(stage, &play, "stat");
        assert_int_equal(play.status, 0);
        assert_non_null(strstr(play.out, "silent, last sign of life 1min 30s ago"));
        play_deinit(&play);
}

static void test_no_daemon(void **state) {
        struct stage *stage = *state;
        struct play play;

        stage_stop_daemon(stage);
        play_run(stage, &play, "stat");
        assert_int_equal(play.status, 1);
        assert_string_equal(play.out, "");
        assert_non_null(strstr(play.err, "i4 stat: no i4d at "));
        play_deinit(&play);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_text, setup, teardown),
                cmocka_unit_test_setup_teardown(test_json, setup, teardown),
                cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
                cmocka_unit_test_setup_teardown(test_outlets, setup, teardown),
                cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_daemon, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
