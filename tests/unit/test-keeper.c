/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What storage does, told as a story: it begins, stores, seals, seals again, and goes on. Then the same with
 * an error at each of its system calls, with the process killed before each, and with a power cut behind
 * each.
 *
 * There are several of them: one in which all is kept; one in which a file is sealed behind each block, and
 * so little may be kept that most of them are deleted again; and one with the limits as small as settings
 * allow.
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
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define FIRST      UINT64_C(1000)
#define N_AFTER    5u /* what is stored after a power cut */
#define TURNS_MAX  10000u
#define LINES_MAX  16384u
#define FILES_MAX  8u
#define FAULT_LONG (5 * NSEC_PER_SEC)

/* Free for the next lines as long as there is something to delete, with files of the least size. */
#define WANTED  (RETENTION_FILE_SIZE_MIN / 4)
#define USE_ALL (UINT64_C(1) << 40) /* MaxUse= that is never reached */

struct story {
        unsigned int n_rounds;
        unsigned int n_round;       /* records that are stored in each, as one block */
        unsigned int n_file_rounds; /* after so many the file is sealed; UINT_MAX: when it is full */
        uint64_t max_use;           /* MaxUse=, bytes */
        uint64_t last_use;          /* and after the last round */
        unsigned int n_sealed;      /* files, if nothing goes wrong */
        unsigned int n_deleted;     /* of them */
};

static const struct story story_kept = {
        .n_rounds = 6,
        .n_round = 40, /* more than a sector */
        .n_file_rounds = 2,
        .max_use = USE_ALL,
        .last_use = USE_ALL,
        .n_sealed = 3,
};

static const struct story story_limited = {
        .n_rounds = 6,
        .n_round = 40,
        .n_file_rounds = 1,
        .max_use = WANTED + 50000,
        .last_use = WANTED + 20000,
        .n_sealed = 6,
        .n_deleted = 5,
};

static const struct story story_full = {
        .n_rounds = 7,
        .n_round = 1000,
        .n_file_rounds = UINT_MAX,
        .max_use = 2 * RETENTION_FILE_SIZE_MIN + WANTED,
        .last_use = 2 * RETENTION_FILE_SIZE_MIN + WANTED,
        .n_sealed = 3,
        .n_deleted = 2,
};

struct fixture {
        const struct story *story;
        char top[64];
        char path[128]; /* in @top; another each time */
        unsigned int n_paths;
        struct recorder_settings settings;
        struct recorder_state *state; /* outlives the process */
        struct ring_statistics statistics;
        struct keeper *keeper;
        unsigned int n_events[RECORDER_N_EVENTS];
        size_t sealed_at[FILES_MAX];  /* number of changes by then */
        size_t deleted_at[FILES_MAX]; /* number of changes by then */
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
        f->settings.retention.max_file_size = RETENTION_FILE_SIZE_MIN;
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

static struct i4_record record_make(uint64_t sequence) {
        return (struct i4_record){
                .sequence = sequence,
                .time_ns = sequence * NSEC_PER_MSEC,
                .sensor = (uint32_t) (sequence % 10000),
                .value_e2 = (int32_t) (sequence * 7919 % 100000),
        };
}

/* what is deleted */

static int is_sealed(const struct dirent *entry) {
        return strncmp(entry->d_name, "readings-", 9) == 0;
}

struct listing {
        struct dirent **entries;
        int n;
};

static void listing_init(struct listing *listing, const struct fixture *f) {
        char path[PATH_MAX];

        (void) snprintf(path, sizeof(path), "%s/sealed", f->path);
        listing->n = scandir(path, &listing->entries, is_sealed, alphasort);
        listing->n = MAX(listing->n, 0);
}

static void listing_deinit(struct listing *listing) {
        for (int i = 0; i < listing->n; ++i)
                free(listing->entries[i]);
        free(listing->entries);
}

/* What the limit goes by. */
static uint64_t get_use(const struct fixture *f, const struct listing *listing) {
        char path[PATH_MAX];
        struct stat st;
        uint64_t use;

        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        use = stat(path, &st) == 0 ? (uint64_t) st.st_size : 0;
        for (int i = 0; i < listing->n; ++i) {
                (void) snprintf(path, sizeof(path), "%s/sealed/%s", f->path, listing->entries[i]->d_name);
                assert_int_equal(stat(path, &st), 0);
                use += (uint64_t) st.st_blocks * 512;
        }
        return use;
}

/* The oldest, for want of room, and not before what is to stay is safe. */
static void check_deleted(const struct fixture *f, const struct recorder_event *event) {
        _cleanup_(listing_deinit) struct listing left = {};
        uint64_t n_unwritten = keeper_get_next(f->keeper) - keeper_get_stored(f->keeper);

        listing_init(&left, f);
        if (left.n > 0)
                assert_true(strcmp(event->name, left.entries[0]->d_name) < 0);
        assert_true(get_use(f, &left) + event->value + WANTED + n_unwritten * I4_LINE_MAX >
                        f->settings.retention.max_use.bytes);
        assert_true(disk_is_settled());
}

static void take_event(void *userdata, const struct recorder_event *event) {
        struct fixture *f = userdata;

        unsigned int n = f->n_events[event->kind]++;

        if (event->kind == RECORDER_SEALED && n < FILES_MAX)
                f->sealed_at[n] = disk_get_n_changes();
        if (event->kind == RECORDER_DELETED && n < FILES_MAX)
                f->deleted_at[n] = disk_get_n_changes();
        if (event->kind == RECORDER_DELETED && event->error == 0)
                check_deleted(f, event);
}

/* the story */

static uint64_t story_get_end(const struct story *story) {
        return FIRST + story->n_rounds * story->n_round + 1;
}

static void fixture_set_use(struct fixture *f, uint64_t max_use) {
        f->settings.retention.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = max_use };
        if (f->keeper)
                keeper_set_settings(f->keeper, &f->settings);
}

/* As often as an error that a start stops at goes away, as systemd does. A disk that takes nothing keeps none
 * up. */
static void start(struct fixture *f, struct recovery_range range) {
        size_t n_changes = disk_get_n_changes();

        for (unsigned int i = 0;; ++i) {
                int r = keeper_new(
                                &f->keeper, &f->settings, f->path, &f->statistics, f->state, take_event, f);

                if (r >= 0)
                        r = keeper_start(f->keeper, i4_catalog_get_default(), range);
                assert_int_equal(disk_get_n_changes(), n_changes);
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
        const struct story *story = f->story;
        uint64_t end = story_get_end(story);

        fixture_set_use(f, story->max_use);
        start(f, (struct recovery_range){ .oldest = FIRST, .published = end + 1 });
        assert_in_range(keeper_get_next(f->keeper), FIRST, end);
        for (uint64_t i = (keeper_get_next(f->keeper) - FIRST) / story->n_round + 1; i <= story->n_rounds;
                        ++i) {
                store(f, FIRST + i * story->n_round);
                if (i % story->n_file_rounds == 0)
                        keeper_rotate(f->keeper);
        }
        fixture_set_use(f, story->last_use);
        pass(f, 10 * NSEC_PER_SEC);
        store(f, end);
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
        size_t n_lines_sealed;  /* of the whole ones */
        size_t n_broken_sealed; /* of the broken ones */
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

/* Sealed, and its old name not removed yet. */
static bool live_is_sealed(const struct fixture *f) {
        char path[PATH_MAX];
        struct stat st;

        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        return stat(path, &st) == 0 && st.st_nlink > 1;
}

static void lines_read(struct lines *lines, const struct fixture *f) {
        _cleanup_(listing_deinit) struct listing listing = {};
        char path[PATH_MAX];

        /* Not the numbers, which are many. */
        lines->n = lines->n_broken = 0;
        listing_init(&listing, f);
        for (int i = 0; i < listing.n; ++i) {
                (void) snprintf(path, sizeof(path), "sealed/%s", listing.entries[i]->d_name);
                lines_add_file(lines, f, path);
        }

        lines->n_sealed = (size_t) listing.n;
        lines->n_lines_sealed = lines->n;
        lines->n_broken_sealed = lines->n_broken;
        if (!live_is_sealed(f))
                lines_add_file(lines, f, "readings.jsonl");
}

/* Every record up to the end, once, in order: from the first on, or from the oldest on that the limit leaves.
 */
static void assert_complete(const struct fixture *f, uint64_t end) {
        _cleanup_(listing_deinit) struct listing listing = {};
        struct lines lines;

        lines_read(&lines, f);
        assert_int_equal(lines.n_broken, 0);
        assert_true(lines.n > 0);
        if (f->story->max_use == USE_ALL)
                assert_int_equal(lines.sequences[0], FIRST);
        assert_int_equal(lines.n, end - lines.sequences[0]);
        for (size_t i = 0; i < lines.n; ++i)
                assert_int_equal(lines.sequences[i], lines.sequences[0] + i);

        listing_init(&listing, f);
        /* But for what came since the last look. */
        assert_true(get_use(f, &listing) + WANTED <
                        f->story->last_use + (end - story_get_end(f->story) + 1) * I4_LINE_MAX);
}

static void assert_in_order(const struct lines *lines) {
        for (size_t i = 1; i < lines->n; ++i)
                assert_true(lines->sequences[i] > lines->sequences[i - 1]);
}

/* Whatever is sealed goes for its age. */
static void check_retention(struct fixture *f) {
        struct lines lines;

        f->settings.retention.max_retention_ns = NSEC_PER_HOUR;
        keeper_set_settings(f->keeper, &f->settings);
        disk_pass_time(2 * NSEC_PER_HOUR);
        pass(f, 10 * NSEC_PER_SEC);
        f->settings.retention.max_retention_ns = NSEC_INFINITY;

        assert_int_equal(f->n_events[RECORDER_DELETED], f->story->n_sealed);
        lines_read(&lines, f);
        assert_int_equal(lines.n_sealed, 0);
        assert_int_equal(lines.sequences[lines.n - 1], story_get_end(f->story) - 1);
}

/* Without anything going wrong. How many steps it has. */
static unsigned int check_story(struct fixture *f) {
        unsigned int n_steps;

        begin(f);
        tell_story(f);
        n_steps = disk_get_n_steps();
        assert_int_equal(f->n_events[RECORDER_SEALED], f->story->n_sealed);
        assert_int_equal(f->n_events[RECORDER_DELETED], f->story->n_deleted);
        assert_int_equal(f->n_events[RECORDER_FAILING] + f->n_events[RECORDER_FULL], 0);
        assert_complete(f, story_get_end(f->story));
        check_retention(f);
        end_story(f);
        forget(f);
        return n_steps;
}

/* what was promised */

struct promise {
        const struct fixture *f;
        struct lines lines;
        size_t n_sealed; /* files */
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

/* An error that is over leaves nothing behind for a power cut to take. Not for stories that delete. */
static void check_synced(struct fixture *f) {
        struct promise promise = { .f = f };
        struct fixture rebuilt = *f;
        struct lines lines;

        disk_get_synced(disk_get_n_changes(), promise_add, &promise);
        for (size_t i = 0; i < disk_get_n_outcomes(disk_get_n_changes()); ++i) {
                fixture_next_path(&rebuilt);
                disk_rebuild(rebuilt.path, disk_get_n_changes(), i, DISK_LOSS_ALL);
                lines_read(&lines, &rebuilt);
                for (size_t k = 0; k < promise.lines.n; ++k)
                        assert_true(lines_contain(&lines, promise.lines.sequences[k]));
                tree_remove(rebuilt.path);
        }
        f->n_paths = rebuilt.n_paths;
}

/* An error */

static void check_fault(struct fixture *f, unsigned int step, int error, uint64_t for_ns) {
        unsigned int n_told;

        begin(f);
        disk_set_fault(step, error, for_ns);
        tell_story(f);
        assert_non_null(disk_get_struck());
        /* Which shows that it writes again. */
        store(f, story_get_end(f->story) + 1);

        n_told = f->n_events[RECORDER_FAILING] + f->n_events[RECORDER_FULL];
        if (n_told > 0) {
                assert_true(f->n_events[RECORDER_RECOVERED] > 0);
                assert_true(f->statistics.storage_errors > 0);
        }
        assert_int_equal(keeper_get_error(f->keeper), 0);
        assert_int_equal(f->statistics.storage_state, I4_STORAGE_WRITING);
        assert_int_equal(f->statistics.storage_dropped, 0);
        assert_complete(f, story_get_end(f->story) + 1);
        if (f->story->n_deleted == 0)
                check_synced(f);
        end_story(f);
        forget(f);
}

/* Each of the errors at each step, once and for long. */
static void check_errors(struct fixture *f, const struct story *story, const int *errors, size_t n_errors) {
        unsigned int n_steps;

        f->story = story;
        n_steps = check_story(f);
        for (unsigned int i = 0; i < n_steps; ++i)
                for (size_t k = 0; k < n_errors; ++k) {
                        check_fault(f, i, errors[k], 0);
                        check_fault(f, i, errors[k], FAULT_LONG);
                }
}

/* The disk's error at each step, once at one and for long at the next: longer stories have many of a kind. */
static void check_errors_in_turns(struct fixture *f, const struct story *story) {
        unsigned int n_steps;

        f->story = story;
        n_steps = check_story(f);
        for (unsigned int i = 0; i < n_steps; ++i)
                check_fault(f, i, EIO, i % 2 == 0 ? 0 : FAULT_LONG);
}

static void test_errors(void **state) {
        static const int errors[] = { EIO, ENOSPC, EDQUOT, EROFS };

        check_errors(*state, &story_kept, errors, ELEMENTSOF(errors));
}

static void test_errors_limited(void **state) {
        check_errors_in_turns(*state, &story_limited);
        /* A seal has more steps there. */
        disk_set_plain(true);
        check_errors_in_turns(*state, &story_kept);
        check_errors_in_turns(*state, &story_limited);
        disk_set_plain(false);
}

static void test_errors_full(void **state) {
        check_errors_in_turns(*state, &story_full);
}

/* A kill */

static void check_kills(struct fixture *f, const struct story *story) {
        unsigned int n_steps;
        int status;
        pid_t pid;

        f->story = story;
        n_steps = check_story(f);
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
                assert_complete(f, story_get_end(f->story));
                end_story(f);
                forget(f);
        }
}

static void test_kill(void **state) {
        check_kills(*state, &story_kept);
        check_kills(*state, &story_limited);
        disk_set_plain(true);
        check_kills(*state, &story_limited);
        disk_set_plain(false);
}

/* A kill left half a line, of a record that is gone before it is read again. Who follows the file has read
 * that half. */
static void test_kill_torn(void **state) {
        struct fixture *f = *state;
        struct i4_record record = record_make(FIRST + 10);
        char line[I4_LINE_MAX], path[PATH_MAX];
        struct lines lines;
        size_t n_records;
        int fd;

        f->story = &story_kept;
        begin(f);
        fixture_set_use(f, USE_ALL);
        start(f, (struct recovery_range){ .oldest = FIRST, .published = FIRST + 11 });
        store(f, FIRST + 10);
        f->keeper = keeper_free(f->keeper);
        (void) i4_encoder_encode(f->encoder, &record, 1, line, sizeof(line), &n_records);
        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_int_equal(write(fd, line, 100), 100);
        assert_int_equal(close(fd), 0);

        start(f, (struct recovery_range){ .oldest = FIRST, .published = FIRST + 11 });
        turn(f);
        assert_int_equal(keeper_get_next(f->keeper), FIRST + 10);
        assert_int_equal(keeper_skip(f->keeper, FIRST + 20), 0);
        store(f, FIRST + 30);
        end_story(f);

        lines_read(&lines, f);
        assert_int_equal(lines.n, 20);
        assert_int_equal(lines.sequences[10], FIRST + 20);
        assert_int_equal(lines.n_broken, 1);
        assert_int_equal(f->n_events[RECORDER_LINE_ENDED], 1);
        forget(f);
}

/* A power cut */

/* As it was left, before anybody repairs it. */
static void check_rest(const struct fixture *f, const struct promise *promise, const struct lines *lines) {
        uint64_t next;

        assert_int_equal(lines->n_broken_sealed, 0);
        assert_true(lines->n_sealed >= promise->n_sealed);
        for (size_t i = 1; i < lines->n_lines_sealed; ++i)
                assert_int_equal(lines->sequences[i], lines->sequences[0] + i);
        for (size_t i = 0; i < promise->lines.n; ++i)
                assert_true(lines_contain(lines, promise->lines.sequences[i]));
        assert_int_equal(ledger_read(f->path, &next), 0);
        for (size_t i = 0; i < lines->n; ++i)
                assert_true(lines->sequences[i] < next);
}

/* What the next one makes of it: nothing is missing from the oldest on that the limit leaves, nothing is
 * twice, and numbers go on above. */
static void check_recovery(struct fixture *f, const struct promise *promise) {
        struct lines before, after;
        size_t n_deleted = 0;
        uint64_t next;

        lines_read(&before, f);
        check_rest(f, promise, &before);

        /* The ring is a new one. */
        memset(f->state, 0, sizeof(*f->state));
        memset(&f->statistics, 0, sizeof(f->statistics));
        assert_int_equal(ledger_read(f->path, &next), 0);
        start(f, (struct recovery_range){ .oldest = next, .published = next });
        store(f, next + N_AFTER);
        keeper_rotate(f->keeper);
        store(f, next + 2 * N_AFTER);
        end_story(f);

        lines_read(&after, f);
        assert_in_order(&after);
        while (n_deleted < before.n && before.sequences[n_deleted] != after.sequences[0])
                ++n_deleted;
        assert_true(n_deleted == 0 || f->story->n_deleted > 0);
        /* A torn line may lack nothing but its end. */
        assert_int_equal(after.n + after.n_broken, before.n - n_deleted + before.n_broken + 2 * N_AFTER);
        assert_true(after.n_broken <= 1);
}

static size_t count_until(const size_t at[static FILES_MAX], size_t n, size_t n_changes) {
        size_t n_until = 0;

        for (size_t i = 0; i < n; ++i)
                n_until += at[i] <= n_changes;

        return n_until;
}

static void check_power_cut(struct fixture *f, const struct fixture *before, size_t n_changes) {
        struct promise promise = {
                .f = f,
                .n_sealed = count_until(before->sealed_at, f->story->n_sealed, n_changes) -
                            count_until(before->deleted_at, f->story->n_deleted, n_changes),
        };

        disk_get_synced(n_changes, promise_add, &promise);
        for (size_t i = 0; i < disk_get_n_outcomes(n_changes); ++i)
                for (enum disk_loss loss = 0; loss < DISK_N_LOSSES; ++loss) {
                        fixture_next_path(f);
                        disk_rebuild(f->path, n_changes, i, loss);
                        check_recovery(f, &promise);
                        tree_remove(f->path);
                }
}

static void check_power_cuts(struct fixture *f, const struct story *story, uint64_t sync_ns) {
        struct fixture before;

        f->story = story;
        f->settings.sync_ns = sync_ns;
        begin(f);
        tell_story(f);
        assert_int_equal(f->n_events[RECORDER_SEALED], story->n_sealed);
        assert_int_equal(f->n_events[RECORDER_DELETED], story->n_deleted);
        disk_unwatch();
        before = *f;
        f->keeper = NULL;

        for (size_t i = 0; i <= disk_get_n_changes(); ++i)
                check_power_cut(f, &before, i);
        keeper_free(before.keeper);
}

static void test_power_cut(void **state) {
        struct fixture *f = *state;

        check_power_cuts(f, &story_kept, 0);
        /* When a file is sealed, and only then. */
        check_power_cuts(f, &story_kept, NSEC_INFINITY);
        check_power_cuts(f, &story_limited, 0);
        check_power_cuts(f, &story_limited, NSEC_INFINITY);
        disk_set_plain(true);
        check_power_cuts(f, &story_limited, NSEC_INFINITY);
        disk_set_plain(false);
}

/* "I/N": every N-th of them, from the I-th on; so each is in exactly one of N parts. All without that. */
static size_t stories_select(struct CMUnitTest *stories, size_t n, const char *part) {
        unsigned int first = 1, stride = 1;
        size_t n_selected = 0;

        if (part && (sscanf(part, "%u/%u", &first, &stride) != 2 || first == 0 || first > stride))
                return 0;
        for (size_t i = first - 1; i < n; i += stride)
                stories[n_selected++] = stories[i];

        return n_selected;
}

int main(int argc, char **argv) {
        struct CMUnitTest stories[] = {
                cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
                cmocka_unit_test_setup_teardown(test_errors_limited, setup, teardown),
                cmocka_unit_test_setup_teardown(test_errors_full, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kill_torn, setup, teardown),
                cmocka_unit_test_setup_teardown(test_power_cut, setup, teardown),
        };
        size_t n = stories_select(stories, ELEMENTSOF(stories), argc > 1 ? argv[1] : NULL);

        (void) umask(022);
        /* Thousands of keepers would each have a huge page cleared for their few lines. */
        (void) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
        return n > 0 ? _cmocka_run_group_tests("keeper", stories, n, NULL, NULL) : EXIT_FAILURE;
}
