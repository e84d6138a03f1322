/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/anchors.h"
#include "tree.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define REAL_NS (UINT64_C(1700000000) * NSEC_PER_SEC)

struct fixture {
        char directory[64], path[128], old_path[128];
        struct pacer_state state;
        struct pacer_settings pacing;
        struct pacer pacer;
        struct note_settings settings;
        struct spool_memory *memory;
        struct spool *spool;
        struct anchors *anchors;
        struct notes notes;
};

static struct clocks after(uint64_t ns) {
        return (struct clocks){ .boot_ns = ns, .real_ns = REAL_NS + ns, .mono_ns = ns };
}

/* A daemon begins, with the state of the one before. */
static void begin(struct fixture *f, uint64_t head, uint64_t ns) {
        struct pacer_event event;

        pacer_init(&f->pacer, &f->pacing, &f->state, head, after(ns), &event);
        f->anchors = anchors_free(f->anchors);
        f->spool = spool_free(f->spool);
        assert_int_equal(spool_new(&f->spool,
                                         &(struct spool_settings){ f->directory, NOTES_NAME, NOTES_OLD_NAME,
                                                         ANCHORS_SIZE_MAX },
                                         f->memory),
                        0);
        assert_int_equal(anchors_new(&f->anchors, f->spool, &f->state), 0);
        assert_int_equal(anchors_set_settings(f->anchors, &f->settings), 0);
        assert_int_equal(anchors_begin(f->anchors, head), 0);
        spool_write(f->spool);
}

/* The main loop and the recorder, until neither has anything to tell the other. */
static void note(struct fixture *f) {
        for (unsigned int i = 0; i < 2; ++i) {
                assert_int_equal(anchors_note(f->anchors), 0);
                spool_write(f->spool);
        }
}

static void change_rate(struct fixture *f, uint64_t head, uint64_t ns, uint64_t n_records) {
        struct pacer_event event;

        f->pacer.settings.rate.n_records = n_records;
        assert_int_equal(pacer_look(&f->pacer, head, after(ns), &event), 1);
}

static void complaint_refuse(void *userdata, const char *file, unsigned int line, const char *text) {
        fail_msg("%s:%u: %s", file, line, text);
}

/* Reads what is noted, which has to be so much. */
static const struct note *load(struct fixture *f, size_t n) {
        struct complaints complaints = { .report = complaint_refuse };

        notes_deinit(&f->notes);
        assert_int_equal(notes_load(&f->notes, f->directory, &complaints), 0);
        assert_int_equal(f->notes.n, n);
        return f->notes.notes;
}

static unsigned int count_lines(const char *path) {
        FILE *file = fopen(path, "re");
        unsigned int n = 0;

        assert_non_null(file);
        for (int c; (c = fgetc(file)) != EOF;)
                n += c == '\n';
        (void) fclose(file);
        return n;
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) snprintf(f->directory, sizeof(f->directory), "/tmp/i4-test-anchors-XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        (void) snprintf(f->path, sizeof(f->path), "%s/" NOTES_NAME, f->directory);
        (void) snprintf(f->old_path, sizeof(f->old_path), "%s/" NOTES_OLD_NAME, f->directory);
        f->pacing = (struct pacer_settings){
                .rate = { 1000, NSEC_PER_SEC },
                .batch_ns = 10 * NSEC_PER_MSEC,
                .catch_up_ns = NSEC_INFINITY,
                .n_shards = 1,
        };
        f->memory = calloc(1, sizeof(*f->memory));
        assert_non_null(f->memory);
        f->settings = (struct note_settings){
                .seed = 7,
                .n_sensors = 8,
                .n_shards = 1,
                .rate = f->pacing.rate,
        };
        begin(f, 500, 0);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        notes_deinit(&f->notes);
        (void) anchors_free(f->anchors);
        (void) spool_free(f->spool);
        free(f->memory);
        tree_remove(f->directory);
        free(f);
        return 0;
}

static void test_start(void **state) {
        struct fixture *f = *state;
        const struct note *notes = load(f, 1);

        assert_int_equal(notes->sequence, 500);
        assert_int_equal(notes->step, 500);
        assert_int_equal(notes->anchor.time_ns, REAL_NS);
        assert_string_equal(notes->reason, "start");
        assert_int_equal(notes->settings.seed, 7);

        note(f);
        change_rate(f, 600, NSEC_PER_SEC, 50);
        note(f);
        notes = load(f, 2);
        assert_int_equal(notes[1].sequence, 600);
        assert_int_equal(notes[1].anchor.rate.n_records, 50);
        assert_string_equal(notes[1].reason, "rate change");
}

/* What a daemon that was killed had no time for; other settings; nothing otherwise. */
static void test_successor(void **state) {
        struct fixture *f = *state;
        const struct note *notes;

        begin(f, 600, NSEC_PER_SEC);
        (void) load(f, 1);

        f->pacing.rate.n_records = 50;
        change_rate(f, 700, NSEC_PER_SEC, 50);
        begin(f, 710, NSEC_PER_SEC);
        notes = load(f, 2);
        assert_int_equal(notes[1].sequence, 700);

        f->settings.seed = 8;
        begin(f, 720, NSEC_PER_SEC);
        notes = load(f, 3);
        assert_int_equal(notes[2].sequence, 720);
        assert_int_equal(notes[2].step, 720);
        assert_int_equal(notes[2].anchor.step, notes[1].anchor.step);
        assert_int_equal(notes[2].settings.seed, 8);
        begin(f, 730, NSEC_PER_SEC);
        (void) load(f, 3);
}

/* A file that is large, or that somebody removed: the next one says by itself what holds. */
static void test_new_file(void **state) {
        struct fixture *f = *state;
        struct stat st;

        assert_int_equal(unlink(f->path), 0);
        note(f);
        assert_int_equal(load(f, 1)->sequence, 500);

        assert_int_equal(truncate(f->path, 1024 * 1024), 0);
        note(f);
        assert_int_equal(stat(f->old_path, &st), 0);
        assert_int_equal(st.st_size, 1024 * 1024);
        assert_int_equal(count_lines(f->path), 1);
        assert_int_equal(unlink(f->old_path), 0);
        assert_string_equal(load(f, 1)->reason, "new file");
}

/* More than the state keeps, with nobody to note them: that it is so is noted. */
static void test_missed(void **state) {
        struct fixture *f = *state;
        const struct note *notes;

        for (unsigned int i = 0; i < PACER_N_ANCHORS + 8; ++i)
                change_rate(f, 600 + i, NSEC_PER_SEC, 50 + i);
        note(f);

        notes = load(f, 1 + PACER_N_ANCHORS - 1);
        assert_int_equal(notes[1].n_missed, 9);
        assert_int_equal(notes[1].anchor.rate.n_records, 50 + 9);
        assert_int_equal(notes[2].n_missed, 0);

        /* The one that began a profile is among them: what holds now takes its place. */
        assert_int_equal(profile_parse("10..100 for 100s", &f->pacer.settings.profile), 0);
        for (unsigned int s = 2; s < 60; ++s) {
                struct pacer_event event;

                while (pacer_look(&f->pacer, 1000 + 100 * s, after(s * NSEC_PER_SEC), &event) > 0)
                        ;
        }
        note(f);
        notes = load(f, 1 + PACER_N_ANCHORS - 1 + 1);
        assert_true(notes[PACER_N_ANCHORS].n_missed > 0);
        assert_true(notes[PACER_N_ANCHORS].until_ns > 0);
}

/* Of a profile the beginning is noted and the end, however many stretches there are between. */
static void test_profile(void **state) {
        struct fixture *f = *state;
        struct pacer_event event;
        const struct note *notes;
        uint64_t head = 500;

        assert_int_equal(profile_parse("10..100 for 100s", &f->pacer.settings.profile), 0);
        f->settings.profile = f->pacer.settings.profile;
        assert_int_equal(anchors_set_settings(f->anchors, &f->settings), 0);
        for (unsigned int s = 0; s < 110; ++s) {
                while (pacer_look(&f->pacer, head, after(s * NSEC_PER_SEC), &event) > 0)
                        ;
                head += pacer_get_due(&f->pacer, head, after(s * NSEC_PER_SEC));
                if (s == 0 || s == 50)
                        note(f);
        }
        assert_int_equal(f->state.n_anchors, 102);
        note(f);

        /* The start and the profile hold from one reading on. */
        notes = load(f, 2);
        assert_int_equal(count_lines(f->path), 3);
        assert_int_equal(notes[0].origin_ns, REAL_NS);
        assert_int_equal(notes[0].until_ns, REAL_NS + NSEC_PER_SEC);
        assert_int_equal(notes[1].n_missed, 0);
        assert_int_equal(notes[1].until_ns, 0);
        assert_int_equal(notes[1].anchor.rate.n_records, 1000);
}

/* What finds no room is noted when there is some. */
static void test_no_room(void **state) {
        struct fixture *f = *state;

        tree_remove(f->directory);
        change_rate(f, 600, NSEC_PER_SEC, 50);
        note(f);
        assert_int_equal(spool_get_error(f->spool), -ENOENT);
        assert_int_equal(mkdir(f->directory, 0700), 0);
        change_rate(f, 700, NSEC_PER_SEC, 60);
        note(f);
        assert_int_equal(load(f, 2)[0].sequence, 600);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_start, setup, teardown),
                cmocka_unit_test_setup_teardown(test_successor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_new_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_missed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_profile, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
