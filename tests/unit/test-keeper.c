/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What storage does, told as one story: it begins, stores, seals, seals again when it is asked to, goes on,
 * and deletes what is old. Then the same with an error at each of its system calls, with the process killed
 * before each, and with a power cut behind each.
 */

#include "tree.h"

#include "daemon/keeper.h"

#include "fault-disk.h"
#include "lib/catalog.h"
#include "storage/ledger.h"
#include "util/clock.h"
#include "util/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define FIRST      UINT64_C(1000)
#define N_ROUND    40u /* records; more than a sector */
#define N_ROUNDS   6u
#define N_SEALED   (N_ROUNDS / 2)
#define END        (FIRST + N_ROUND * N_ROUNDS + 1)
#define N_AFTER    5u /* what is stored after a power cut */
#define TURNS_MAX  10000u
#define LINES_MAX  1024u
#define FAULT_LONG (5 * NSEC_PER_SEC)

struct fixture {
        char top[64];
        char path[128]; /* in @top; another each time */
        unsigned int n_paths;
        struct recorder_settings settings;
        struct recorder_state *state; /* outlives the process */
        struct ring_statistics statistics;
        struct keeper *keeper;
        unsigned int n_events[RECORDER_N_EVENTS];
        char sealed[SEALED_NAME_MAX]; /* the last */
        size_t sealed_at[N_SEALED];   /* number of changes by then */
        i4_encoder *encoder;
};

static void fixture_next_path(struct fixture *f) {
        (void) snprintf(f->path, sizeof(f->path), "%s/%u", f->top, f->n_paths++);
        assert_int_equal(mkdir(f->path, 0750), 0);
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) strcpy(f->top, "/dev/shm/test-keeper.XXXXXX");
        assert_non_null(mkdtemp(f->top));
        f->state = mmap(NULL, sizeof(*f->state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(f->state, MAP_FAILED);
        assert_int_equal(i4_encoder_new(&f->encoder, i4_catalog_get_default()), 0);
        i4_encoder_set_extras(f->encoder, I4_EXTRA_SEQUENCE);

        f->settings = RECORDER_SETTINGS_DEFAULT;
        f->settings.engine = ENGINE_PWRITE;
        f->settings.direct_io = DIRECT_IO_NO;
        f->settings.extras = I4_EXTRA_SEQUENCE;
        f->settings.flush_ns = NSEC_PER_MSEC;
        f->settings.sync_ns = 0;
        f->settings.retention.keep_free = (struct retention_limit){ .share_e4 = 10000 };
        f->settings.retention.max_file_ns = NSEC_INFINITY; /* records are of 1970 */

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        disk_unwatch();
        keeper_free(f->keeper);
        i4_encoder_free(f->encoder);
        (void) munmap(f->state, sizeof(*f->state));
        tree_remove(f->top);
        free(f);
        return 0;
}

static void take_event(void *userdata, const struct recorder_event *event) {
        struct fixture *f = userdata;

        if (event->kind == RECORDER_SEALED) {
                (void) strcpy(f->sealed, event->name);
                f->sealed_at[f->n_events[RECORDER_SEALED] % ELEMENTSOF(f->sealed_at)] = disk_get_n_changes();
        }
        ++f->n_events[event->kind];
}

static struct i4_record record_make(uint64_t sequence) {
        return (struct i4_record){
                .sequence = sequence,
                .time_ns = sequence * NSEC_PER_MSEC,
                .sensor = (uint32_t) (sequence % 10000),
                .value_e2 = (int32_t) (sequence * 7919 % 100000),
        };
}

/* the story */

/* As often as an error that a start stops at goes away, as systemd does. */
static void start(struct fixture *f, struct keeper_range range) {
        for (unsigned int i = 0;; ++i) {
                int r = keeper_new(
                                &f->keeper, &f->settings, f->path, &f->statistics, f->state, take_event, f);

                if (r >= 0)
                        r = keeper_start(f->keeper, i4_catalog_get_default(), range);
                if (r >= 0)
                        return;
                f->keeper = keeper_free(f->keeper);
                assert_in_range(i, 0, 100);
                disk_pass_time(100 * NSEC_PER_MSEC);
        }
}

/* A turn, and then time passes until there is something to do. */
static void turn(struct fixture *f) {
        uint64_t deadline, now;

        keeper_run(f->keeper, 0);
        deadline = keeper_get_deadline(f->keeper);
        now = clock_now_ns(CLOCK_MONOTONIC);
        if (deadline == NSEC_INFINITY)
                deadline = now + NSEC_PER_SEC;
        disk_pass_time(deadline > now ? deadline - now : NSEC_PER_MSEC);
}

static void store(struct fixture *f, uint64_t end) {
        unsigned int n_turns = 0;

        while (keeper_get_stored(f->keeper) < end) {
                struct i4_record record = record_make(keeper_get_next(f->keeper));

                if (record.sequence < end && keeper_append(f->keeper, &record, 1) == 1)
                        continue;
                keeper_flush(f->keeper);
                turn(f);
                assert_in_range(++n_turns, 0, TURNS_MAX);
        }
}

static void pass(struct fixture *f, uint64_t ns) {
        uint64_t end = clock_now_ns(CLOCK_MONOTONIC) + ns;

        while (clock_now_ns(CLOCK_MONOTONIC) < end)
                turn(f);
}

static void tell_story(struct fixture *f) {
        struct keeper_range range = { .oldest = FIRST, .published = END + 1 };

        start(f, range);
        assert_in_range(keeper_get_next(f->keeper), FIRST, END);
        for (uint64_t i = (keeper_get_next(f->keeper) - FIRST) / N_ROUND + 1; i <= N_ROUNDS; ++i) {
                store(f, FIRST + i * N_ROUND);
                if (i % 2 == 0)
                        keeper_rotate(f->keeper);
        }
        pass(f, 10 * NSEC_PER_SEC);
        store(f, END);
}

static void end_story(struct fixture *f) {
        assert_int_equal(keeper_stop(f->keeper, clock_now_ns(CLOCK_MONOTONIC) + NSEC_PER_HOUR), 0);
        f->keeper = keeper_free(f->keeper);
}

static void begin(struct fixture *f) {
        fixture_next_path(f);
        memset(f->state, 0, sizeof(*f->state));
        memset(f->n_events, 0, sizeof(f->n_events));
        memset(&f->statistics, 0, sizeof(f->statistics));
        disk_watch(f->path);
}

static void forget(struct fixture *f) {
        disk_unwatch();
        tree_remove(f->path);
}

/* what is there */

struct lines {
        uint64_t sequences[LINES_MAX]; /* of whole lines */
        size_t n;
        size_t n_broken;
        size_t n_broken_sealed; /* of them */
        size_t n_sealed;        /* files */
};

/* UINT64_MAX: it is not a line of ours. */
static uint64_t line_get_sequence(const struct fixture *f, const char *line, size_t size) {
        char expected[I4_LINE_MAX], text[32] = "";
        const char *found = memmem(line, size, "\"seq\":", 6);
        struct i4_record record;
        size_t n, n_records;

        if (!found)
                return UINT64_MAX;
        memcpy(text, found + 6, MIN(sizeof(text) - 1, (size_t) (line + size - found) - 6));
        record = record_make(strtoull(text, NULL, 10));
        n = i4_encoder_encode(f->encoder, &record, 1, expected, sizeof(expected), &n_records);
        return n == size && memcmp(line, expected, n) == 0 ? record.sequence : UINT64_MAX;
}

static void lines_add(struct lines *lines, const struct fixture *f, const char *text, size_t size) {
        const char *end = text + size, *next;
        uint64_t sequence;

        for (; text < end; text = next) {
                next = memchr(text, '\n', (size_t) (end - text));
                next = next ? next + 1 : end;
                sequence = line_get_sequence(f, text, (size_t) (next - text));
                if (sequence == UINT64_MAX) {
                        ++lines->n_broken;
                        continue;
                }
                assert_true(lines->n < LINES_MAX);
                lines->sequences[lines->n++] = sequence;
        }
}

static void lines_add_file(struct lines *lines, const struct fixture *f, const char *name) {
        _cleanup_(freep) char *text = NULL;
        _cleanup_(closep) int fd = -1;
        char path[PATH_MAX];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s/%s", f->path, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        assert_int_equal(fstat(fd, &st), 0);
        text = malloc((size_t) st.st_size + 1);
        assert_non_null(text);
        assert_int_equal(read(fd, text, (size_t) st.st_size), st.st_size);
        lines_add(lines, f, text, (size_t) st.st_size);
}

static int is_sealed(const struct dirent *entry) {
        return strncmp(entry->d_name, "readings-", 9) == 0;
}

static void lines_read(struct lines *lines, const struct fixture *f) {
        struct dirent **entries = NULL;
        char path[PATH_MAX];
        int n;

        *lines = (struct lines){};
        (void) snprintf(path, sizeof(path), "%s/sealed", f->path);
        n = scandir(path, &entries, is_sealed, alphasort);
        for (int i = 0; i < n; ++i) {
                (void) snprintf(path, sizeof(path), "sealed/%s", entries[i]->d_name);
                lines_add_file(lines, f, path);
                free(entries[i]);
        }
        free(entries);

        lines->n_sealed = (size_t) MAX(n, 0);
        lines->n_broken_sealed = lines->n_broken;
        lines_add_file(lines, f, "readings.jsonl");
}

/* Every record up to the end, once, in order; from the first on, unless some were deleted. */
static void assert_complete(const struct fixture *f, uint64_t first, uint64_t end) {
        struct lines lines;

        lines_read(&lines, f);
        assert_int_equal(lines.n_broken, 0);
        assert_int_equal(lines.n, end - first);
        for (size_t i = 0; i < lines.n; ++i)
                assert_int_equal(lines.sequences[i], first + i);
}

static void assert_in_order(const struct lines *lines) {
        for (size_t i = 1; i < lines->n; ++i)
                assert_true(lines->sequences[i] > lines->sequences[i - 1]);
}

/* Without anything going wrong. How many steps it has. */
static unsigned int check_story(struct fixture *f) {
        unsigned int n_steps;

        begin(f);
        tell_story(f);
        n_steps = disk_get_n_steps();
        assert_int_equal(f->n_events[RECORDER_SEALED], N_SEALED);
        assert_int_equal(f->n_events[RECORDER_FAILING] + f->n_events[RECORDER_FULL], 0);
        assert_string_equal(f->sealed, "readings-19700101T000001Z-00000000000000001160.jsonl");
        assert_complete(f, FIRST, END);

        f->settings.retention.max_retention_ns = NSEC_PER_HOUR;
        keeper_set_settings(f->keeper, &f->settings);
        disk_pass_time(2 * NSEC_PER_HOUR);
        pass(f, 10 * NSEC_PER_SEC);
        assert_int_equal(f->n_events[RECORDER_DELETED], N_SEALED);
        assert_complete(f, END - 1, END);
        f->settings.retention.max_retention_ns = NSEC_INFINITY;

        end_story(f);
        forget(f);
        return n_steps;
}

/* An error */

static void check_fault(struct fixture *f, unsigned int step, int error, uint64_t for_ns) {
        unsigned int n_told;

        begin(f);
        disk_set_fault(step, error, for_ns);
        tell_story(f);
        assert_non_null(disk_get_struck());
        /* Which shows that it writes again. */
        store(f, END + 1);

        n_told = f->n_events[RECORDER_FAILING] + f->n_events[RECORDER_FULL];
        if (n_told > 0) {
                assert_true(f->n_events[RECORDER_RECOVERED] > 0);
                assert_true(f->statistics.storage_errors > 0);
        }
        assert_int_equal(keeper_get_error(f->keeper), 0);
        assert_int_equal(f->statistics.storage_state, I4_STORAGE_WRITING);
        assert_int_equal(f->statistics.storage_dropped, 0);
        assert_complete(f, FIRST, END + 1);
        end_story(f);
        forget(f);
}

static void test_errors(void **state) {
        static const int errors[] = { EIO, ENOSPC, EDQUOT, EROFS };
        struct fixture *f = *state;
        unsigned int n_steps = check_story(f);

        for (unsigned int i = 0; i < n_steps; ++i)
                for (size_t k = 0; k < ELEMENTSOF(errors); ++k) {
                        check_fault(f, i, errors[k], 0);
                        check_fault(f, i, errors[k], FAULT_LONG);
                }
}

/* A kill */

static void check_kills(struct fixture *f) {
        unsigned int n_steps = check_story(f);
        int status;
        pid_t pid;

        for (unsigned int i = 0; i < n_steps; ++i) {
                begin(f);
                pid = fork();
                assert_true(pid >= 0);
                if (pid == 0) {
                        disk_set_end(i);
                        tell_story(f);
                        _exit(1);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFEXITED(status));
                assert_int_equal(WEXITSTATUS(status), 0);

                disk_watch(f->path);
                tell_story(f);
                assert_complete(f, FIRST, END);
                end_story(f);
                forget(f);
        }
}

static void test_kill(void **state) {
        struct fixture *f = *state;

        check_kills(f);
        /* A seal has more steps there. */
        disk_set_plain(true);
        check_kills(f);
        disk_set_plain(false);
}

/* A power cut */

struct promise {
        const struct fixture *f;
        struct lines lines;
        size_t n_sealed;
};

static void promise_add(void *userdata, const char *bytes, size_t size) {
        struct promise *promise = userdata;

        lines_add(&promise->lines, promise->f, bytes, size);
}

static bool lines_contain(const struct lines *lines, uint64_t sequence) {
        for (size_t i = 0; i < lines->n; ++i)
                if (lines->sequences[i] == sequence)
                        return true;

        return false;
}

/* What the next one makes of it: nothing synced is lost, nothing is twice, and numbers go on above. */
static void check_recovery(struct fixture *f, const struct promise *promise) {
        struct lines before, after;
        uint64_t next;

        lines_read(&before, f);
        assert_int_equal(before.n_broken_sealed, 0);
        assert_true(before.n_sealed >= promise->n_sealed);
        for (size_t i = 0; i < promise->lines.n; ++i)
                assert_true(lines_contain(&before, promise->lines.sequences[i]));
        assert_int_equal(ledger_read(f->path, &next), 0);
        for (size_t i = 0; i < before.n; ++i)
                assert_true(before.sequences[i] < next);

        /* The ring is a new one. */
        memset(f->state, 0, sizeof(*f->state));
        memset(&f->statistics, 0, sizeof(f->statistics));
        start(f, (struct keeper_range){ .oldest = next, .published = next });
        store(f, next + N_AFTER);
        keeper_rotate(f->keeper);
        store(f, next + 2 * N_AFTER);
        end_story(f);

        lines_read(&after, f);
        assert_in_order(&after);
        /* A torn line may lack nothing but its end. */
        assert_int_equal(after.n + after.n_broken, before.n + before.n_broken + 2 * N_AFTER);
        assert_true(after.n_broken <= 1);
}

/* @sealed_at: number of changes by the time that this many files were told to be sealed */
static void check_power_cut(struct fixture *f, size_t n_changes, const size_t sealed_at[static N_SEALED]) {
        struct promise promise = { .f = f };

        disk_get_synced(n_changes, promise_add, &promise);
        for (size_t i = 0; i < N_SEALED; ++i)
                promise.n_sealed += sealed_at[i] <= n_changes;

        for (size_t i = 0; i < disk_get_n_outcomes(n_changes); ++i)
                for (enum disk_loss loss = 0; loss < DISK_N_LOSSES; ++loss) {
                        fixture_next_path(f);
                        disk_rebuild(f->path, n_changes, i, loss);
                        check_recovery(f, &promise);
                        tree_remove(f->path);
                }
}

static void check_power_cuts(struct fixture *f, uint64_t sync_ns) {
        size_t sealed_at[N_SEALED];
        struct keeper *keeper;

        f->settings.sync_ns = sync_ns;
        begin(f);
        tell_story(f);
        assert_int_equal(f->n_events[RECORDER_SEALED], N_SEALED);
        disk_unwatch();
        keeper = TAKE_PTR(f->keeper);
        memcpy(sealed_at, f->sealed_at, sizeof(sealed_at));

        for (size_t i = 0; i <= disk_get_n_changes(); ++i)
                check_power_cut(f, i, sealed_at);
        keeper_free(keeper);
}

static void test_power_cut(void **state) {
        struct fixture *f = *state;

        check_power_cuts(f, 0);
        /* When a file is sealed, and only then. */
        check_power_cuts(f, NSEC_INFINITY);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
                cmocka_unit_test_setup_teardown(test_power_cut, setup, teardown),
        };

        (void) umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
