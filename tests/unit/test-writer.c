/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/writer.h"

#include "fault-engine.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#define N_RECORDS     2000u
#define FIRST         UINT64_C(7000)
#define TEXT_SIZE_MAX ((size_t) N_RECORDS * I4_LINE_MAX)

/* Records, and the text that any way of writing them must give. */
struct fixture {
        struct i4_record records[N_RECORDS];
        char *text;
        size_t text_size;
        size_t ends[N_RECORDS]; /* of each line in the text */
        int fd;
        struct fault_script script;
        struct engine_factory factory;
        struct writer_settings settings;
        struct writer *writer;
        unsigned int seed;
};

static void fill_records(struct fixture *f) {
        for (size_t i = 0; i < N_RECORDS; ++i)
                f->records[i] = (struct i4_record){
                        .sequence = FIRST + i,
                        .time_ns = i * 12345678,
                        .sensor = (uint32_t) (i * i),
                        .value_e2 = (int32_t) (i * 7919),
                        .alert = (uint8_t) (i % I4_N_ALERT),
                };
}

static void fill_text(struct fixture *f) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
        size_t n;

        f->text = malloc(TEXT_SIZE_MAX);
        assert_non_null(f->text);
        assert_int_equal(i4_encoder_new(&encoder, i4_catalog_get_default()), 0);

        for (size_t i = 0; i < N_RECORDS; ++i) {
                f->text_size += i4_encoder_encode(encoder, &f->records[i], 1, f->text + f->text_size,
                                TEXT_SIZE_MAX - f->text_size, &n);
                assert_int_equal(n, 1);
                f->ends[i] = f->text_size;
        }
}

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        fill_records(f);
        fill_text(f);
        f->fd = memfd_create("test-writer", MFD_CLOEXEC);
        assert_true(f->fd >= 0);
        f->seed = 1;
        f->script = FAULT_SCRIPT_INIT;
        f->factory = (struct engine_factory){ .new = fault_engine_new, .userdata = &f->script };
        f->settings = (struct writer_settings){
                .block_size = 4096,
                .n_blocks = 3,
                .flush_ns = NSEC_PER_HOUR,
                .sync_ns = NSEC_INFINITY,
                .factory = &f->factory,
        };

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        writer_free(f->writer);
        (void) close(f->fd);
        free(f->text);
        free(f);
        return 0;
}

static void begin(struct fixture *f, int fd, uint64_t offset) {
        struct writer_position position = { .sequence = FIRST, .offset = offset };

        if (!f->writer)
                assert_int_equal(writer_new(&f->writer, &f->settings, i4_catalog_get_default()), 0);
        assert_int_equal(writer_set_file(f->writer, fd, false, position), 0);
}

/* The file's first @size bytes are those of the text from @text_offset on, and there are no more. */
static void assert_file(struct fixture *f, size_t size) {
        _cleanup_(freep) char *bytes = malloc(size + 1);
        struct stat st;

        assert_non_null(bytes);
        assert_int_equal(fstat(f->fd, &st), 0);
        assert_int_equal(st.st_size, size);
        assert_int_equal(pread(f->fd, bytes, size, 0), size);
        assert_memory_equal(bytes, f->text, size);
}

static void assert_position(struct writer_position position, uint64_t n, uint64_t offset) {
        assert_int_equal(position.sequence, FIRST + n);
        assert_int_equal(position.offset, offset);
}

static unsigned int draw(struct fixture *f, unsigned int n) {
        f->seed = f->seed * 1103515245 + 12345;
        return (f->seed >> 16) % n;
}

/* Appends records @from … @to - 1 in odd portions, flushing and running at odd times. */
static void feed(struct fixture *f, size_t from, size_t to) {
        while (from < to) {
                size_t n = 1 + draw(f, 40);

                from += writer_append(f->writer, f->records + from, MIN(to - from, n));
                if (draw(f, 4) == 0)
                        writer_flush(f->writer);
                assert_int_equal(writer_run(f->writer, draw(f, 2) * NSEC_PER_MSEC), 0);
        }
}

static uint64_t soon(void) {
        return clock_now_ns(CLOCK_MONOTONIC) + 10 * NSEC_PER_SEC;
}

static void finish(struct fixture *f) {
        assert_int_equal(writer_drain(f->writer, true, soon()), 0);
        assert_int_equal(writer_get_deadline(f->writer), NSEC_INFINITY);
}

static void check_bytes(struct fixture *f) {
        struct writer_counters counters;

        for (unsigned int i = 0; i < 20; ++i) {
                f->seed = i;
                assert_int_equal(ftruncate(f->fd, 0), 0);
                begin(f, f->fd, 0);
                feed(f, 0, N_RECORDS);
                finish(f);
                assert_file(f, f->text_size);
                assert_position(writer_get_position(f->writer), N_RECORDS, f->text_size);
                assert_position(writer_get_end(f->writer), N_RECORDS, f->text_size);
        }

        counters = writer_get_counters(f->writer);
        assert_int_equal(counters.n_records, 20 * N_RECORDS);
        assert_int_equal(counters.n_bytes, 20 * f->text_size);
        assert_int_equal(counters.n_errors, 0);
}

/* Whenever it was flushed, and however long writes took, the bytes are the same. */
static void test_bytes(void **state) {
        struct fixture *f = *state;

        f->script.n_delays = 2;
        check_bytes(f);
}

static void test_bytes_pwrite(void **state) {
        struct fixture *f = *state;
        int refused;

        f->settings.factory = NULL;
        f->settings.engine = ENGINE_PWRITE;
        check_bytes(f);
        assert_string_equal(writer_get_engine(f->writer, &refused), "pwrite");
        assert_int_equal(refused, 0);
}

static void test_bytes_uring(void **state) {
        struct fixture *f = *state;
        int refused;

        f->settings.factory = NULL;
        f->settings.engine = ENGINE_AUTO;
        check_bytes(f);

        (void) writer_get_engine(f->writer, &refused);
        if (refused) {
                print_message("io_uring was refused: %s\n", strerror(refused));
                skip();
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bytes_pwrite, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bytes_uring, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
