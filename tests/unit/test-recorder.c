/* SPDX-License-Identifier: Apache-2.0 */

#include "tree.h"

#include "daemon/recorder.h"

#include "daemon/keeper.h"

#include "fault-engine.h"
#include "ring/ring.h"
#include "util/clock.h"
#include "util/macros.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define N_SLOTS    4096u
#define FIRST      UINT64_C(1000)
#define TEXT_MAX   ((size_t) 64 << 20)
#define TIMEOUT_NS (20 * NSEC_PER_SEC)

struct fixture {
        char path[64];
        struct ring *ring;
        struct ring_view view;
        struct recorder_state *state; /* shared with child processes */
        struct recorder_settings settings;
        struct fault_script script;
        struct engine_factory factory;
        struct recorder *recorder;
        struct recorder_event event;
};

static int setup(void **state) {
        static const struct ring_settings settings = {
                .n_records = N_SLOTS, .n_consumers = 1, .first_sequence = FIRST
        };
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) strcpy(f->path, "/tmp/test-recorder.XXXXXX");
        assert_non_null(mkdtemp(f->path));
        assert_int_equal(ring_new(&f->ring, &settings, i4_catalog_get_default()), 0);
        assert_int_equal(ring_view_init(&f->view, f->ring->header, f->ring->size), 0);

        f->state = mmap(NULL, sizeof(*f->state), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(f->state, MAP_FAILED);
        f->settings = RECORDER_SETTINGS_DEFAULT;
        f->settings.flush_ns = NSEC_PER_MSEC;
        f->settings.retention.keep_free = (struct retention_limit){ .share_e4 = 10000 };
        f->settings.retention.max_file_ns = NSEC_INFINITY; /* records are of 1970 */
        f->script = FAULT_SCRIPT_INIT;
        f->factory = (struct engine_factory){ .new = fault_engine_new, .userdata = &f->script };

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        /* Only after a failure it still runs. */
        if (f->recorder && recorder_stop(f->recorder, clock_now_ns(CLOCK_MONOTONIC)) != -ETIMEDOUT)
                recorder_free(f->recorder);
        ring_free(f->ring);
        (void) munmap(f->state, sizeof(*f->state));
        tree_remove(f->path);
        free(f);
        return 0;
}

static void start(struct fixture *f) {
        assert_int_equal(recorder_new(&f->recorder, &f->settings, f->path, &f->view, f->ring->statistics,
                                         i4_catalog_get_default(), f->state),
                        0);
        assert_int_equal(recorder_start(f->recorder), 0);
}

static uint64_t soon(void) {
        return clock_now_ns(CLOCK_MONOTONIC) + TIMEOUT_NS;
}

static void stop(struct fixture *f) {
        assert_int_equal(recorder_stop(f->recorder, soon()), 0);
        f->recorder = recorder_free(f->recorder);
}

static struct i4_record record_make(uint64_t sequence) {
        return (struct i4_record){
                .sequence = sequence,
                .time_ns = sequence * NSEC_PER_MSEC,
                .sensor = (uint32_t) (sequence % 10000),
                .value_e2 = (int32_t) (sequence * 7919 % 100000),
                .alert = (uint8_t) (sequence % I4_N_ALERT),
        };
}

static void publish(struct fixture *f, uint64_t n) {
        while (n > 0) {
                size_t n_claimed = MIN(n, 100u);
                struct i4_record *records = ring_claim(f->ring, &n_claimed);

                for (size_t i = 0; i < n_claimed; ++i)
                        records[i] = record_make(f->ring->head + i);
                ring_publish(f->ring, n_claimed);
                if (f->recorder)
                        recorder_kick(f->recorder, f->ring->head);
                n -= n_claimed;
        }
}

static uint64_t statistic(_Atomic uint64_t *word) {
        return atomic_load_explicit(word, memory_order_relaxed);
}

/* Fails when the event does not come; others before it are passed over. */
static const struct recorder_event *expect(struct fixture *f, enum recorder_event_kind kind) {
        struct pollfd poll_fd = { .fd = recorder_get_fd(f->recorder), .events = POLLIN };

        for (;;) {
                while (recorder_next_event(f->recorder, &f->event))
                        if (f->event.kind == kind)
                                return &f->event;
                if (poll(&poll_fd, 1, (int) (TIMEOUT_NS / NSEC_PER_MSEC)) <= 0)
                        fail_msg("event %d did not come", (int) kind);
        }
}

/* the files */

struct text {
        char *bytes;
        size_t size;
        i4_encoder *encoder; /* of what should be there; made once, since its memory grows with the fleet */
};

static void text_init(struct text *text) {
        *text = (struct text){};
        assert_int_equal(i4_encoder_new(&text->encoder, i4_catalog_get_default()), 0);
}

static void text_deinit(struct text *text) {
        free(text->bytes);
        (void) i4_encoder_free(text->encoder);
}

static void text_read(struct text *text, const char *path) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        text->bytes = realloc(text->bytes, text->size + (size_t) st.st_size + 1);
        assert_non_null(text->bytes);
        assert_int_equal(read(fd, text->bytes + text->size, (size_t) st.st_size), st.st_size);
        text->size += (size_t) st.st_size;
        text->bytes[text->size] = '\0';
}

static int is_sealed(const struct dirent *entry) {
        return strncmp(entry->d_name, "readings-", 9) == 0;
}

/* All lines there are, sealed files first. */
static void text_read_all(struct text *text, const struct fixture *f, int *n_sealedp) {
        struct dirent **entries = NULL;
        char path[512];
        int n;

        (void) snprintf(path, sizeof(path), "%s/sealed", f->path);
        n = scandir(path, &entries, is_sealed, alphasort);
        assert_true(n >= 0);
        for (int i = 0; i < n; ++i) {
                (void) snprintf(path, sizeof(path), "%s/sealed/%s", f->path, entries[i]->d_name);
                text_read(text, path);
                free(entries[i]);
        }
        free(entries);

        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        text_read(text, path);
        if (n_sealedp)
                *n_sealedp = n;
}

static size_t encode(const struct text *text, uint64_t sequence, char line[static I4_LINE_MAX]) {
        struct i4_record record = record_make(sequence);
        size_t n;

        return i4_encoder_encode(text->encoder, &record, 1, line, I4_LINE_MAX, &n);
}

/* The text is the lines of records @from … @to - 1, from *@offset on. */
static void assert_lines(const struct text *text, size_t *offset, uint64_t from, uint64_t to) {
        char line[I4_LINE_MAX];
        size_t size;

        for (uint64_t i = from; i < to; ++i) {
                size = encode(text, i, line);
                assert_true(*offset + size <= text->size);
                if (memcmp(text->bytes + *offset, line, size) != 0)
                        fail_msg("record %llu is not where it should be: %.100s", (unsigned long long) i,
                                        text->bytes + *offset);
                *offset += size;
        }
}

static void assert_all(const struct fixture *f, uint64_t from, uint64_t to) {
        _cleanup_(text_deinit) struct text text = {};
        size_t offset = 0;

        text_init(&text);
        text_read_all(&text, f, NULL);
        assert_lines(&text, &offset, from, to);
        assert_int_equal(offset, text.size);
}

/* What was published is in the file when the recorder has stopped. */
static void test_drain(void **state) {
        struct fixture *f = *state;

        start(f);
        publish(f, 3000);
        stop(f);

        assert_all(f, FIRST, FIRST + 3000);
        assert_int_equal(statistic(&f->ring->statistics->storage_next), FIRST + 3000);
        assert_int_equal(statistic(&f->ring->statistics->storage_records), 3000);
        assert_int_equal(statistic(&f->ring->statistics->storage_dropped), 0);
}

/* What a record would have to be for the text at @offset to be its line: the next one at or after @sequence.
 */
static uint64_t find_record(const struct text *text, size_t offset, uint64_t sequence, uint64_t end) {
        char line[I4_LINE_MAX];
        size_t size;

        for (; sequence < end; ++sequence) {
                size = encode(text, sequence, line);
                if (offset + size <= text->size && memcmp(text->bytes + offset, line, size) == 0)
                        return sequence;
        }

        fail_msg("no record gives this line: %.100s", text->bytes + offset);
        return 0;
}

/* How many of the records @from … @to - 1 the files lack; the others are there once, whole, in order. */
static uint64_t count_missing(const struct fixture *f, uint64_t from, uint64_t to) {
        _cleanup_(text_deinit) struct text text = {};
        uint64_t n_missing = 0, next = from, found;
        size_t offset = 0;

        text_init(&text);
        text_read_all(&text, f, NULL);
        while (offset < text.size) {
                found = find_record(&text, offset, next, to);
                assert_lines(&text, &offset, found, found + 1);
                n_missing += found - next;
                next = found + 1;
        }

        return n_missing + to - next;
}

static void wait_stored(struct fixture *f, uint64_t sequence) {
        assert_int_equal(recorder_wait(f->recorder, sequence, TIMEOUT_NS), 0);
}

/* As a generator with Overflow=block does. */
static void publish_blocking(struct fixture *f, uint64_t n) {
        while (n > 0) {
                uint64_t n_now = MIN(n, 100u), end = f->ring->head + n_now;

                if (end > FIRST + N_SLOTS)
                        wait_stored(f, end - N_SLOTS);
                publish(f, n_now);
                n -= n_now;
        }
}

static void write_live(struct fixture *f, const char *text) {
        char path[128];
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

/* What it starts with stays, and a torn line is ended. */
static void test_append(void **state) {
        _cleanup_(text_deinit) struct text text = {};
        static const char old[] = "{\"whole\":1}\n{\"to";
        struct fixture *f = *state;
        size_t offset = strlen(old) + 1;

        text_init(&text);
        write_live(f, old);
        start(f);
        (void) expect(f, RECORDER_LINE_ENDED);
        assert_int_equal(expect(f, RECORDER_STARTED)->records, FIRST);
        publish(f, 10);
        stop(f);

        text_read_all(&text, f, NULL);
        assert_memory_equal(text.bytes, old, strlen(old));
        assert_int_equal(text.bytes[offset - 1], '\n');
        assert_lines(&text, &offset, FIRST, FIRST + 10);
        assert_int_equal(offset, text.size);
}

/* One recorder after another, on the same ring: no record twice, none missing. */
static void test_restart(void **state) {
        struct fixture *f = *state;

        for (unsigned int i = 0; i < 5; ++i) {
                start(f);
                publish(f, 700);
                stop(f);
                /* While there is none. */
                publish(f, 77);
        }
        start(f);
        stop(f);

        assert_all(f, FIRST, f->ring->head);
}

/* What a successor finds in the file behind the position noted last is as if it had been noted. */
static void test_unnoted(void **state) {
        struct fixture *f = *state;
        struct recorder_state noted;

        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        noted = *f->state;
        publish(f, 300);
        stop(f);

        *f->state = noted;
        start(f);
        publish(f, 50);
        stop(f);
        assert_all(f, FIRST, FIRST + 450);
}

/* The same, with the last line torn at any place. */
static void test_torn(void **state) {
        struct fixture *f = *state;
        _cleanup_(text_deinit) struct text text = {};
        struct recorder_state noted;
        char path[128], line[I4_LINE_MAX];
        struct stat st;
        size_t size;

        text_init(&text);
        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        start(f);
        publish(f, 20);
        wait_stored(f, FIRST + 20);
        noted = *f->state;
        publish(f, 5);
        stop(f);

        assert_int_equal(stat(path, &st), 0);
        size = encode(&text, FIRST + 24, line);
        for (size_t n_torn = 1; n_torn <= size; n_torn += 7) {
                assert_int_equal(truncate(path, st.st_size - (off_t) n_torn), 0);
                *f->state = noted;
                start(f);
                stop(f);
                assert_all(f, FIRST, FIRST + 25);
        }

        /* Old enough to be sealed at once: not before the line is whole. */
        assert_int_equal(truncate(path, st.st_size - 10), 0);
        *f->state = noted;
        f->settings.retention.max_file_ns = NSEC_PER_HOUR;
        start(f);
        publish(f, 5);
        wait_stored(f, FIRST + 30);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_SEALED);
        stop(f);
        assert_all(f, FIRST, FIRST + 30);
}

/* A torn line whose record the ring has lost meanwhile is ended, and what is missing is counted. */
static void test_torn_and_lost(void **state) {
        struct fixture *f = *state;
        _cleanup_(text_deinit) struct text text = {};
        char path[128];
        struct stat st;
        size_t offset = 0;
        uint64_t n_dropped;

        text_init(&text);
        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        start(f);
        publish(f, 20);
        stop(f);
        assert_int_equal(stat(path, &st), 0);
        f->state->positions[f->state->selected].sequence -= 1;
        f->state->positions[f->state->selected].offset = 0;
        f->state->positions[f->state->selected].sequence = FIRST;
        assert_int_equal(truncate(path, st.st_size - 5), 0);

        publish(f, 2 * N_SLOTS);
        start(f);
        (void) expect(f, RECORDER_LINE_ENDED);
        stop(f);

        n_dropped = statistic(&f->ring->statistics->storage_dropped);
        text_read_all(&text, f, NULL);
        assert_lines(&text, &offset, FIRST, FIRST + 19);
        offset = (size_t) st.st_size - 4;
        assert_int_equal(text.bytes[offset - 1], '\n');
        assert_true(n_dropped >= N_SLOTS);
        assert_lines(&text, &offset, FIRST + 19 + n_dropped, f->ring->head);
        assert_int_equal(offset, text.size);
}

/* Killed at any moment: the next one goes on exactly where it stopped. */
static void test_kill(void **state) {
        struct fixture *f = *state;

        for (unsigned int i = 0; i < 12; ++i) {
                uint64_t goal = ring_view_get_published(&f->view) + 1500 + 137 * i;
                int status;
                pid_t pid;

                f->settings.engine = i % 2 ? ENGINE_PWRITE : ENGINE_AUTO;
                f->settings.retention.max_file_size = RETENTION_FILE_SIZE_MIN;
                f->ring->head = ring_view_get_published(&f->view);
                pid = fork();
                assert_true(pid >= 0);
                if (pid == 0) {
                        start(f);
                        for (;;)
                                publish_blocking(f, 100);
                }

                while (statistic(&f->ring->statistics->storage_next) < goal &&
                                waitpid(pid, NULL, WNOHANG) == 0)
                        (void) sched_yield();
                assert_int_equal(kill(pid, SIGKILL), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status));
        }

        f->ring->head = ring_view_get_published(&f->view);
        start(f);
        stop(f);
        assert_all(f, FIRST, f->ring->head);
}

/* A disk that stands still loses records, and each is counted. */
static void test_overflow(void **state) {
        struct fixture *f = *state;
        uint64_t n_dropped = 0;

        f->settings.factory = &f->factory;
        f->script.is_hanging = true;
        start(f);
        publish(f, 100);
        for (unsigned int i = 0; i < 5; ++i)
                publish(f, N_SLOTS);
        f->script.is_hanging = false;
        n_dropped = expect(f, RECORDER_DROPPED)->records;
        assert_true(n_dropped > 0);
        publish(f, 100);

        assert_int_equal(recorder_stop(f->recorder, soon()), 0);
        while (recorder_next_event(f->recorder, &f->event))
                if (f->event.kind == RECORDER_DROPPED)
                        n_dropped += f->event.records;
        assert_int_equal(statistic(&f->ring->statistics->storage_dropped), n_dropped);
        assert_int_equal(count_missing(f, FIRST, f->ring->head), n_dropped);
        assert_int_equal(statistic(&f->ring->statistics->storage_records) + n_dropped, f->ring->head - FIRST);
}

/* A generator that waits for storage loses nothing, however small the ring. */
static void test_block(void **state) {
        struct fixture *f = *state;

        f->settings.flush_ns = NSEC_PER_HOUR;
        start(f);
        publish_blocking(f, 30000);
        stop(f);

        assert_int_equal(statistic(&f->ring->statistics->storage_dropped), 0);
        assert_all(f, FIRST, FIRST + 30000);
}

static void test_wait_timeout(void **state) {
        struct fixture *f = *state;

        start(f);
        assert_int_equal(recorder_wait(f->recorder, FIRST, 0), 0);
        assert_int_equal(recorder_wait(f->recorder, FIRST + 1, NSEC_PER_MSEC), -ETIMEDOUT);
        stop(f);
}

/* No line is torn by a full disk, no record lost, and it goes on by itself. */
static void test_full(void **state) {
        _cleanup_(text_deinit) struct text text = {};
        struct ring_statistics *statistics;
        struct fixture *f = *state;

        text_init(&text);
        statistics = f->ring->statistics;
        f->settings.factory = &f->factory;
        f->script.space = 100000;
        start(f);
        publish(f, 2000);
        assert_int_equal(expect(f, RECORDER_FULL)->error, -ENOSPC);
        text_read_all(&text, f, NULL);
        assert_true(text.size > 90000 && text.size <= 100000);
        assert_int_equal(text.bytes[text.size - 1], '\n');

        f->script.space = UINT64_MAX;
        (void) expect(f, RECORDER_RECOVERED);
        stop(f);
        assert_int_equal(statistics->storage_state, I4_STORAGE_WRITING);
        assert_int_equal(statistics->storage_errno, 0);
        assert_true(statistic(&statistics->storage_errors) > 0);
        assert_int_equal(statistic(&statistics->storage_dropped), 0);
        assert_all(f, FIRST, FIRST + 2000);
}

static void wait_dropped(struct fixture *f, uint64_t n) {
        const struct timespec moment = { .tv_nsec = (long) NSEC_PER_MSEC };
        uint64_t deadline = clock_now_ns(CLOCK_MONOTONIC) + TIMEOUT_NS;

        while (statistic(&f->ring->statistics->storage_dropped) < n) {
                assert_true(clock_now_ns(CLOCK_MONOTONIC) < deadline);
                (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
        }
}

/* What the ring loses while the disk is full is counted while it is full, not when it is over. */
static void test_full_counts(void **state) {
        struct fixture *f = *state;

        f->settings.factory = &f->factory;
        f->script.space = 100000;
        start(f);
        publish(f, 2000);
        (void) expect(f, RECORDER_FULL);
        /* More than its buffers take. */
        publish(f, 16 * N_SLOTS);
        wait_dropped(f, N_SLOTS);

        f->script.space = UINT64_MAX;
        (void) expect(f, RECORDER_RECOVERED);
        stop(f);
        assert_true(statistic(&f->ring->statistics->storage_dropped) > N_SLOTS);
        assert_int_equal(statistic(&f->ring->statistics->storage_dropped) +
                                         statistic(&f->ring->statistics->storage_records),
                        2000 + 16 * N_SLOTS);
}

/* The end does not wait for ever either, and says why. What was not stored is left to the next one. */
static void test_full_at_end(void **state) {
        struct fixture *f = *state;

        f->settings.factory = &f->factory;
        f->script.space = 100000;
        start(f);
        publish(f, 2000);
        (void) expect(f, RECORDER_FULL);
        assert_int_equal(recorder_stop(f->recorder, clock_now_ns(CLOCK_MONOTONIC)), -ENOSPC);
        f->recorder = recorder_free(f->recorder);
        assert_int_equal(f->ring->statistics->storage_state, I4_STORAGE_FULL);

        f->script.space = UINT64_MAX;
        start(f);
        stop(f);
        assert_all(f, FIRST, FIRST + 2000);
}

/* A file that the disk fails is put away; what was not completed in it stands in the next. */
static void test_write_error(void **state) {
        struct fixture *f = *state;
        int n_sealed = 0;
        _cleanup_(text_deinit) struct text text = {};

        text_init(&text);
        f->settings.factory = &f->factory;
        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        f->script.write_error = -EIO;
        f->script.n_write_errors = 3;
        publish(f, 100);
        assert_int_equal(expect(f, RECORDER_FAILING)->error, -EIO);
        assert_non_null(strstr(f->event.name, ".suspect.jsonl"));
        (void) expect(f, RECORDER_RECOVERED);
        stop(f);

        text_read_all(&text, f, &n_sealed);
        assert_int_equal(n_sealed, 1);
        assert_all(f, FIRST, FIRST + 200);
        assert_int_equal(f->script.n_write_errors, 0);
}

/* A sync that failed is not repeated on the same file. */
static void test_sync_error(void **state) {
        struct fixture *f = *state;

        f->settings.factory = &f->factory;
        f->settings.sync_ns = 0;
        f->script.sync_error = -EIO;
        f->script.n_sync_errors = 1;
        start(f);
        publish(f, 100);
        assert_int_equal(expect(f, RECORDER_FAILING)->error, -EIO);
        assert_non_null(strstr(f->event.name, ".suspect.jsonl"));
        publish(f, 100);
        (void) expect(f, RECORDER_RECOVERED);
        stop(f);

        assert_all(f, FIRST, FIRST + 200);
        assert_true(statistic(&f->ring->statistics->storage_errors) > 0);
}

static void test_engine_change(void **state) {
        struct fixture *f = *state;

        f->settings.factory = &f->factory;
        f->script.broken = -EINVAL;
        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        f->script.n_submits = 0;
        publish(f, 100);
        assert_int_equal(expect(f, RECORDER_ENGINE_CHANGED)->error, -EINVAL);
        assert_string_equal(f->event.name, "pwrite");
        stop(f);

        assert_all(f, FIRST, FIRST + 200);
}

/* Files are sealed before they are too large, and named by what they begin with. */
static void test_size(void **state) {
        struct fixture *f = *state;
        struct stat st;
        char path[256];
        int n_sealed;
        _cleanup_(text_deinit) struct text text = {};

        text_init(&text);
        f->settings.retention.max_file_size = RETENTION_FILE_SIZE_MIN;
        start(f);
        publish_blocking(f, 8000);
        assert_string_equal(expect(f, RECORDER_SEALED)->name,
                        "readings-19700101T000001Z-00000000000000001000.jsonl");
        (void) snprintf(path, sizeof(path), "%s/sealed/%s", f->path, f->event.name);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, f->event.value);
        assert_in_range(st.st_size, RETENTION_FILE_SIZE_MIN - 80000, RETENTION_FILE_SIZE_MIN);
        assert_true(st.st_blocks * 512 <= st.st_size + 4096);
        assert_int_equal(st.st_mode & 07777, 0640);
        stop(f);

        text_read_all(&text, f, &n_sealed);
        assert_true(n_sealed >= 3);
        assert_int_equal(statistic(&f->ring->statistics->storage_segments), n_sealed);
        assert_all(f, FIRST, FIRST + 8000);
}

/* What was published before is in the file that is sealed; its name has the first sequence even after a
 * restart. */
static void test_rotate(void **state) {
        struct fixture *f = *state;

        f->settings.flush_ns = NSEC_PER_HOUR;
        start(f);
        publish(f, 100);
        stop(f);
        start(f);
        publish(f, 200);
        recorder_rotate(f->recorder);
        assert_string_equal(expect(f, RECORDER_SEALED)->name,
                        "readings-19700101T000001Z-00000000000000001000.jsonl");
        wait_stored(f, FIRST + 300);
        publish(f, 10);
        stop(f);

        assert_all(f, FIRST, FIRST + 310);
}

/* MaxUse= deletes the oldest, and only sealed files. */
static void test_max_use(void **state) {
        struct fixture *f = *state;
        _cleanup_(text_deinit) struct text text = {};
        uint64_t first;
        size_t offset = 0;

        text_init(&text);
        f->settings.retention.max_use = (struct retention_limit){ .share_e4 = 10000, .bytes = 3 << 19 };
        start(f);
        publish_blocking(f, 20000);
        assert_int_equal(expect(f, RECORDER_DELETED)->error, 0);
        stop(f);

        assert_true(statistic(&f->ring->statistics->storage_use_bytes) <= 3 << 19);
        assert_int_equal(statistic(&f->ring->statistics->storage_limit_bytes), 3 << 19);
        text_read_all(&text, f, NULL);
        first = find_record(&text, 0, FIRST, f->ring->head);
        assert_true(first > FIRST);
        assert_lines(&text, &offset, first, FIRST + 20000);
        assert_int_equal(offset, text.size);
}

/* Limits that leave no room stop writing; settings that do let it go on, and nothing is lost. */
static void test_keep_free(void **state) {
        struct fixture *f = *state;

        f->settings.retention.keep_free =
                        (struct retention_limit){ .share_e4 = 10000, .bytes = UINT64_MAX - 1 };
        start(f);
        publish(f, 1000);
        assert_int_equal(expect(f, RECORDER_LIMITED)->value, 0);
        assert_int_equal(f->ring->statistics->storage_state, I4_STORAGE_FULL);
        assert_int_equal(recorder_get_stored(f->recorder), FIRST);

        f->settings.retention.keep_free.bytes = 0;
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_RECOVERED);
        wait_stored(f, FIRST + 1000);
        stop(f);
        assert_all(f, FIRST, FIRST + 1000);
}

/* A file that was moved away keeps what it has; a new one takes the rest. */
static void test_replaced(void **state) {
        struct fixture *f = *state;
        char from[128], to[128];
        _cleanup_(text_deinit) struct text text = {};
        size_t offset = 0;

        text_init(&text);
        (void) snprintf(from, sizeof(from), "%s/readings.jsonl", f->path);
        (void) snprintf(to, sizeof(to), "%s/moved", f->path);
        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        assert_int_equal(rename(from, to), 0);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_REPLACED);
        publish(f, 100);
        stop(f);

        text_read(&text, to);
        text_read(&text, from);
        assert_lines(&text, &offset, FIRST, FIRST + 200);
        assert_int_equal(offset, text.size);
}

/* A file that was cut short goes on at its end; one that was cut while a block was on its way has a hole, and
 * is put away. */
static void test_cut(void **state) {
        struct fixture *f = *state;
        _cleanup_(text_deinit) struct text text = {};
        size_t offset = 0, kept;
        char path[128], line[I4_LINE_MAX];
        _cleanup_(closep) int fd = -1;
        int n_sealed;

        text_init(&text);
        (void) snprintf(path, sizeof(path), "%s/readings.jsonl", f->path);
        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        for (kept = 0; kept < 10; ++kept)
                offset += encode(&text, FIRST + kept, line);
        assert_int_equal(truncate(path, (off_t) offset + 7), 0);
        publish(f, 100);
        assert_true(expect(f, RECORDER_CUT)->value > 0);
        wait_stored(f, FIRST + 200);
        assert_int_equal(statistic(&f->ring->statistics->storage_errors), 1);

        /* What a write that was on its way leaves before it. */
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8192), 0);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        assert_int_equal(expect(f, RECORDER_CUT)->value, 0);
        (void) expect(f, RECORDER_SEALED);
        publish(f, 100);
        stop(f);

        text_read_all(&text, f, &n_sealed);
        assert_int_equal(n_sealed, 1);
        offset = text.size;
        for (kept = 0; kept < 100; ++kept)
                offset -= encode(&text, f->ring->head - 1 - kept, line);
        assert_lines(&text, &offset, f->ring->head - 100, f->ring->head);
}

/* Directories that vanish are made again, and nothing is lost that was not in them. */
static void test_vanished(void **state) {
        struct fixture *f = *state;
        char path[128], old[128];

        start(f);
        publish(f, 100);
        wait_stored(f, FIRST + 100);
        (void) snprintf(path, sizeof(path), "%s/sealed", f->path);
        assert_int_equal(rmdir(path), 0);
        recorder_rotate(f->recorder);
        (void) expect(f, RECORDER_SEALED);
        publish(f, 100);
        wait_stored(f, FIRST + 200);
        (void) snprintf(old, sizeof(old), "%s.old", f->path);
        assert_int_equal(rename(f->path, old), 0);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_REPLACED);
        publish(f, 100);
        wait_stored(f, FIRST + 300);
        assert_all(f, FIRST + 200, FIRST + 300);

        /* With all that is in it. */
        tree_remove(old);
        tree_remove(f->path);
        assert_int_equal(recorder_set_settings(f->recorder, &f->settings), 0);
        (void) expect(f, RECORDER_REPLACED);
        publish(f, 100);
        recorder_rotate(f->recorder);
        (void) expect(f, RECORDER_SEALED);
        publish(f, 100);
        stop(f);
        assert_all(f, FIRST + 300, FIRST + 500);
        assert_int_equal(f->ring->statistics->storage_state, I4_STORAGE_WRITING);
}

static void ignore_event(void *userdata, const struct recorder_event *event) {}

/* A gap is noted before a line is written behind it, or a successor would take those lines for the lost ones.
 */
static void test_gap_is_noted(void **state) {
        struct fixture *f = *state;
        struct keeper_range range = { .oldest = FIRST, .published = FIRST + 1000 };
        struct i4_record record = record_make(FIRST);
        _cleanup_(keeper_freep) struct keeper *keeper = NULL;

        assert_int_equal(keeper_new(&keeper, &f->settings, f->path, f->ring->statistics, f->state,
                                         ignore_event, f),
                        0);
        assert_int_equal(keeper_start(keeper, i4_catalog_get_default(), range), 0);
        assert_int_equal(keeper_append(keeper, &record, 1), 1);
        assert_int_equal(keeper_skip(keeper, FIRST + 500), -EBUSY);
        keeper_flush(keeper);
        while (!keeper_is_written(keeper))
                keeper_run(keeper, NSEC_PER_SEC);

        assert_int_equal(keeper_skip(keeper, FIRST + 500), 0);
        assert_int_equal(f->state->positions[f->state->selected].sequence, FIRST + 500);
        assert_int_equal(keeper_stop(keeper, soon()), 0);
        assert_int_equal(statistic(&f->ring->statistics->storage_dropped), 499);
}

/* What the watchdog goes by: idle is fine, a write that hangs is not. */
static void test_progress(void **state) {
        struct fixture *f = *state;
        uint64_t progress, n_same = 0;

        f->settings.factory = &f->factory;
        start(f);
        progress = recorder_get_progress(f->recorder);
        while (recorder_get_progress(f->recorder) == progress)
                (void) sched_yield();

        f->script.is_hanging = true;
        publish(f, 100);
        while (n_same < 100) {
                (void) nanosleep(&(struct timespec){ .tv_nsec = (long) NSEC_PER_MSEC }, NULL);
                n_same = recorder_get_progress(f->recorder) == progress ? n_same + 1 : 0;
                progress = recorder_get_progress(f->recorder);
        }

        f->script.is_hanging = false;
        wait_stored(f, FIRST + 100);
        while (recorder_get_progress(f->recorder) == progress)
                (void) sched_yield();
        stop(f);
}

/* Mistakes show at once. */
static void test_refused(void **state) {
        struct recorder *other = NULL;
        struct fixture *f = *state;

        start(f);
        assert_int_equal(recorder_new(&other, &f->settings, f->path, &f->view, f->ring->statistics,
                                         i4_catalog_get_default(), f->state),
                        -EBUSY);
        assert_null(other);
        stop(f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_drain, setup, teardown),
                cmocka_unit_test_setup_teardown(test_append, setup, teardown),
                cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unnoted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
                cmocka_unit_test_setup_teardown(test_torn_and_lost, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
                cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
                cmocka_unit_test_setup_teardown(test_block, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wait_timeout, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_counts, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_at_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_write_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sync_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_engine_change, setup, teardown),
                cmocka_unit_test_setup_teardown(test_size, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rotate, setup, teardown),
                cmocka_unit_test_setup_teardown(test_max_use, setup, teardown),
                cmocka_unit_test_setup_teardown(test_keep_free, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
                cmocka_unit_test_setup_teardown(test_vanished, setup, teardown),
                cmocka_unit_test_setup_teardown(test_gap_is_noted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_progress, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        };

        (void) umask(022);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
