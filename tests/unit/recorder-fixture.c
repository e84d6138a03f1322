/* SPDX-License-Identifier: Apache-2.0 */

#include "recorder-fixture.h"

#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int setup(void **state) {
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

int teardown(void **state) {
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

void start(struct fixture *f) {
        assert_int_equal(recorder_new(&f->recorder, &f->settings, f->path, &f->view, f->ring->statistics,
                                         i4_catalog_get_default(), f->state),
                        0);
        assert_int_equal(recorder_start(f->recorder), 0);
}

uint64_t soon(void) {
        return clock_now_ns(CLOCK_MONOTONIC) + TIMEOUT_NS;
}

void stop(struct fixture *f) {
        assert_int_equal(recorder_stop(f->recorder, soon()), 0);
        f->recorder = recorder_free(f->recorder);
}

struct i4_record record_make(uint64_t sequence) {
        return (struct i4_record){
                .sequence = sequence,
                .time_ns = sequence * NSEC_PER_MSEC,
                .sensor = (uint32_t) (sequence % 10000),
                .value_e2 = (int32_t) (sequence * 7919 % 100000),
                .alert = (uint8_t) (sequence % I4_N_ALERT),
        };
}

void publish(struct fixture *f, uint64_t n) {
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

uint64_t statistic(_Atomic uint64_t *word) {
        return atomic_load_explicit(word, memory_order_relaxed);
}

const struct recorder_event *expect(struct fixture *f, enum recorder_event_kind kind) {
        struct pollfd poll_fd = { .fd = recorder_get_fd(f->recorder), .events = POLLIN };

        for (;;) {
                while (recorder_next_event(f->recorder, &f->event))
                        if (f->event.kind == kind)
                                return &f->event;
                if (poll(&poll_fd, 1, (int) (TIMEOUT_NS / NSEC_PER_MSEC)) <= 0)
                        fail_msg("event %d did not come", (int) kind);
        }
}

void text_init(struct text *text) {
        *text = (struct text){};
        assert_int_equal(i4_encoder_new(&text->encoder, i4_catalog_get_default()), 0);
}

void text_deinit(struct text *text) {
        free(text->bytes);
        (void) i4_encoder_free(text->encoder);
}

void text_read(struct text *text, const char *path) {
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

void text_read_all(struct text *text, const struct fixture *f, int *n_sealedp) {
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

size_t encode(const struct text *text, uint64_t sequence, char line[static I4_LINE_MAX]) {
        struct i4_record record = record_make(sequence);
        size_t n;

        return i4_encoder_encode(text->encoder, &record, 1, line, I4_LINE_MAX, &n);
}

void assert_lines(const struct text *text, size_t *offset, uint64_t from, uint64_t to) {
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

void assert_all(const struct fixture *f, uint64_t from, uint64_t to) {
        _cleanup_(text_deinit) struct text text = {};
        size_t offset = 0;

        text_init(&text);
        text_read_all(&text, f, NULL);
        assert_lines(&text, &offset, from, to);
        assert_int_equal(offset, text.size);
}

uint64_t find_record(const struct text *text, size_t offset, uint64_t sequence, uint64_t end) {
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

uint64_t count_missing(const struct fixture *f, uint64_t from, uint64_t to) {
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

void wait_stored(struct fixture *f, uint64_t sequence) {
        assert_int_equal(recorder_wait(f->recorder, sequence, TIMEOUT_NS), 0);
}

void publish_blocking(struct fixture *f, uint64_t n) {
        while (n > 0) {
                uint64_t n_now = MIN(n, 100u), end = f->ring->head + n_now;

                if (end > FIRST + N_SLOTS)
                        wait_stored(f, end - N_SLOTS);
                publish(f, n_now);
                n -= n_now;
        }
}
