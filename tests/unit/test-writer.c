/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/writer.h"

#include "deny.h"
#include "fault-engine.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

/* A pause is over at once, and has taken its time. */
static uint64_t paused_ns;

int clock_gettime(clockid_t clock, struct timespec *ts) {
        if (syscall(SYS_clock_gettime, clock, ts) < 0)
                return -1;
        if (clock == CLOCK_MONOTONIC)
                *ts = timespec_from_ns(timespec_to_ns(*ts) + paused_ns);
        return 0;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *ts, struct timespec *left) {
        uint64_t begin_ns = flags & TIMER_ABSTIME ? clock_now_ns(clock) : 0, end_ns = timespec_to_ns(*ts);

        paused_ns += end_ns > begin_ns ? end_ns - begin_ns : 0;
        return 0;
}

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

static void pause_until(uint64_t deadline_ns) {
        const struct timespec ts = timespec_from_ns(deadline_ns);

        (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
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

/* The same around the page cache, where the file system lets us. */
static void check_bytes_direct(struct fixture *f, enum engine_kind engine) {
        (void) close(f->fd);
        f->fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        assert_true(f->fd >= 0);
        f->settings.factory = NULL;
        f->settings.engine = engine;
        f->settings.direct_io = DIRECT_IO_YES;
        check_bytes(f);
        if (writer_get_counters(f->writer).n_direct_writes == 0) {
                print_message("/var/tmp cannot be written to directly\n");
                skip();
        }
}

static void test_bytes_direct_pwrite(void **state) {
        check_bytes_direct(*state, ENGINE_PWRITE);
}

static void test_bytes_direct_uring(void **state) {
        check_bytes_direct(*state, ENGINE_AUTO);
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

/* How many lines are whole within @size bytes of the text. */
static size_t count_whole(const struct fixture *f, size_t size) {
        size_t n = 0;

        while (n < N_RECORDS && f->ends[n] <= size)
                ++n;
        return n;
}

/* Any write may be cut short anywhere: it is completed, and the position is a line's beginning at all times.
 */
static void test_short_writes(void **state) {
        struct fixture *f = *state;

        for (size_t n = 1; n < 700; ++n) {
                size_t written = 0;

                assert_int_equal(ftruncate(f->fd, 0), 0);
                begin(f, f->fd, 0);
                f->script.write_max = n;
                f->script.n_delays = 1;
                assert_int_equal(writer_append(f->writer, f->records, 20), 20);
                writer_flush(f->writer);

                while (written < f->ends[19]) {
                        size_t whole;

                        assert_int_equal(writer_run(f->writer, 0), 0);
                        written = writer_get_counters(f->writer).n_bytes - (n - 1) * f->ends[19];
                        whole = count_whole(f, written);
                        assert_position(writer_get_position(f->writer), whole,
                                        whole ? f->ends[whole - 1] : 0);
                }
                assert_file(f, f->ends[19]);
        }
}

/* It begins wherever the file ends, not only where a block does. */
static void test_offsets(void **state) {
        struct fixture *f = *state;

        for (size_t n = 1; n < 60; ++n) {
                assert_int_equal(ftruncate(f->fd, 0), 0);
                assert_int_equal(pwrite(f->fd, f->text, f->ends[n - 1], 0), f->ends[n - 1]);
                if (!f->writer)
                        assert_int_equal(writer_new(&f->writer, &f->settings, i4_catalog_get_default()), 0);
                assert_int_equal(writer_set_file(f->writer, f->fd, false,
                                                 (struct writer_position){
                                                                 .sequence = FIRST + n,
                                                                 .offset = f->ends[n - 1],
                                                 }),
                                0);
                feed(f, n, 100);
                finish(f);
                assert_file(f, f->ends[99]);
        }
}

/* Nothing is taken while all blocks are full, and nothing of it is lost. */
static void test_busy(void **state) {
        struct fixture *f = *state;
        size_t n;

        f->script.is_hanging = true;
        begin(f, f->fd, 0);
        n = writer_append(f->writer, f->records, N_RECORDS);
        assert_in_range(n, 3 * 4096 / I4_LINE_MAX, N_RECORDS - 1);
        assert_int_equal(writer_append(f->writer, f->records + n, N_RECORDS - n), 0);
        assert_int_equal(writer_run(f->writer, 0), 0);
        assert_true(writer_is_busy(f->writer));
        assert_int_equal(writer_get_deadline(f->writer), 0);
        assert_int_equal(writer_append(f->writer, f->records + n, N_RECORDS - n), 0);
        assert_int_equal(writer_drain(f->writer, false, clock_now_ns(CLOCK_MONOTONIC)), -ETIMEDOUT);

        f->script.is_hanging = false;
        feed(f, n, N_RECORDS);
        finish(f);
        assert_file(f, f->text_size);
}

/* A record goes when FlushSec= is over, not before and not only when the next one comes. */
static void test_flush(void **state) {
        struct fixture *f = *state;
        uint64_t before = clock_now_ns(CLOCK_MONOTONIC), deadline;

        begin(f, f->fd, 0);
        assert_int_equal(writer_get_deadline(f->writer), NSEC_INFINITY);
        assert_int_equal(writer_append(f->writer, f->records, 1), 1);
        deadline = writer_get_deadline(f->writer);
        assert_in_range(deadline, before + NSEC_PER_HOUR, clock_now_ns(CLOCK_MONOTONIC) + NSEC_PER_HOUR);
        assert_int_equal(writer_append(f->writer, f->records + 1, 1), 1);
        assert_int_equal(writer_get_deadline(f->writer), deadline);
        assert_int_equal(writer_run(f->writer, 0), 0);
        assert_file(f, 0);

        writer_set_intervals(f->writer, 0, NSEC_INFINITY);
        assert_int_equal(writer_append(f->writer, f->records + 2, 1), 1);
        assert_true(writer_get_deadline(f->writer) <= clock_now_ns(CLOCK_MONOTONIC));
        assert_int_equal(writer_run(f->writer, 0), 0);
        assert_file(f, f->ends[2]);
        assert_int_equal(writer_get_deadline(f->writer), NSEC_INFINITY);
}

/* SyncSec= counts from what was written first, and nothing is synced twice. */
static void test_sync(void **state) {
        struct fixture *f = *state;

        f->settings.flush_ns = 0;
        f->settings.sync_ns = NSEC_PER_HOUR;
        begin(f, f->fd, 0);
        feed(f, 0, 10);
        assert_int_equal(f->script.n_syncs, 0);
        assert_in_range(writer_get_deadline(f->writer), clock_now_ns(CLOCK_MONOTONIC),
                        clock_now_ns(CLOCK_MONOTONIC) + NSEC_PER_HOUR);

        writer_set_intervals(f->writer, 0, 0);
        assert_int_equal(writer_run(f->writer, 0), 0);
        assert_int_equal(f->script.n_syncs, 1);
        assert_int_equal(writer_run(f->writer, 0), 0);
        finish(f);
        assert_int_equal(f->script.n_syncs, 1);
        assert_int_equal(writer_get_counters(f->writer).n_syncs, 1);
}

static int run_until_error(struct fixture *f) {
        int r = 0;

        writer_flush(f->writer);
        while (r == 0 && writer_get_position(f->writer).offset != writer_get_end(f->writer).offset)
                r = writer_run(f->writer, NSEC_PER_MSEC);
        return r;
}

/* However much room a disk has left: it is filled with whole lines, and the rest goes on when there is more.
 */
static void check_full(struct fixture *f, int error) {
        f->script.space_error = error;

        for (uint64_t space = 0; space < 40000; space += 1777) {
                size_t n, whole;
                struct stat st;

                assert_int_equal(ftruncate(f->fd, 0), 0);
                f->script.space = space;
                begin(f, f->fd, 0);
                n = writer_append(f->writer, f->records, N_RECORDS);
                while (n < N_RECORDS && writer_run(f->writer, 0) == 0)
                        n += writer_append(f->writer, f->records + n, N_RECORDS - n);
                assert_int_equal(run_until_error(f), error);
                assert_false(writer_is_suspect(f->writer));
                assert_true(writer_get_deadline(f->writer) > clock_now_ns(CLOCK_MONOTONIC));

                assert_int_equal(fstat(f->fd, &st), 0);
                whole = count_whole(f, (size_t) st.st_size);
                assert_file(f, whole ? f->ends[whole - 1] : 0);
                assert_position(writer_get_position(f->writer), whole, (uint64_t) st.st_size);
                /* Not a page more would have held another line. */
                assert_true(f->ends[whole] > space / 4096 * 4096);

                f->script.space = UINT64_MAX;
                while (n < N_RECORDS) {
                        n += writer_append(f->writer, f->records + n, N_RECORDS - n);
                        (void) writer_run(f->writer, NSEC_PER_MSEC);
                        if (!writer_is_busy(f->writer))
                                pause_until(MIN(writer_get_deadline(f->writer), soon()));
                }
                finish(f);
                assert_file(f, f->text_size);
        }
}

static void test_full(void **state) {
        check_full(*state, -ENOSPC);
}

static void test_quota(void **state) {
        check_full(*state, -EDQUOT);
}

/* Where nothing can be allocated ahead, a line may be torn until there is room, and is whole then. */
static void test_full_unallocated(void **state) {
        struct fixture *f = *state;
        size_t whole = count_whole(f, 5000);

        f->script.allocate_error = -EOPNOTSUPP;
        f->script.space = 5000;
        f->settings.block_size = 65536;
        begin(f, f->fd, 0);
        assert_int_equal(writer_append(f->writer, f->records, 200), 200);
        assert_int_equal(run_until_error(f), -ENOSPC);
        assert_file(f, 5000);
        assert_position(writer_get_position(f->writer), whole, f->ends[whole - 1]);
        assert_int_equal(f->script.n_allocations, 1);

        f->script.space = UINT64_MAX;
        finish(f);
        assert_file(f, f->ends[199]);
}

/* An error of the disk is told, and the bytes are still there for whoever wants to try again. */
static void test_write_error(void **state) {
        struct fixture *f = *state;

        begin(f, f->fd, 0);
        feed(f, 0, 100);
        f->script.write_error = -EIO;
        f->script.n_write_errors = 1;
        assert_int_equal(writer_append(f->writer, f->records + 100, 1), 1);
        assert_int_equal(writer_drain(f->writer, false, soon()), -EIO);
        assert_true(writer_is_suspect(f->writer));
        assert_int_equal(writer_get_counters(f->writer).n_errors, 1);

        while (writer_get_position(f->writer).offset != f->ends[100])
                (void) writer_run(f->writer, NSEC_PER_MSEC);
        assert_int_equal(writer_run(f->writer, 0), 0);
        assert_file(f, f->ends[100]);
}

/* Passing trouble is not the file's. */
static void test_passing_error(void **state) {
        struct fixture *f = *state;

        begin(f, f->fd, 0);
        f->script.write_error = -ENOMEM;
        f->script.n_write_errors = 1;
        assert_int_equal(writer_append(f->writer, f->records, 10), 10);
        assert_int_equal(run_until_error(f), -ENOMEM);
        assert_false(writer_is_suspect(f->writer));
        finish(f);

        f->script.write_error = -EINTR;
        f->script.n_write_errors = 5;
        assert_int_equal(writer_append(f->writer, f->records + 10, 10), 10);
        finish(f);
        assert_int_equal(writer_get_counters(f->writer).n_errors, 1);
        assert_file(f, f->ends[19]);
}

/* After a failed sync there is no other on this file; the next file is a new matter. */
static void test_sync_error(void **state) {
        struct fixture *f = *state;

        begin(f, f->fd, 0);
        f->script.sync_error = -EIO;
        f->script.n_sync_errors = 1;
        feed(f, 0, 100);
        assert_int_equal(writer_drain(f->writer, true, soon()), -EIO);
        assert_true(writer_is_suspect(f->writer));
        assert_int_equal(writer_drain(f->writer, true, soon()), -EIO);
        assert_int_equal(f->script.n_syncs, 1);
        assert_file(f, f->ends[99]);

        assert_int_equal(ftruncate(f->fd, 0), 0);
        begin(f, f->fd, 0);
        feed(f, 0, 100);
        finish(f);
        assert_int_equal(f->script.n_syncs, 2);
}

/* What cannot be synced (a device, a pipe) need not be. */
static void test_sync_unsupported(void **state) {
        struct fixture *f = *state;

        begin(f, f->fd, 0);
        f->script.sync_error = -EINVAL;
        f->script.n_sync_errors = UINT32_MAX;
        feed(f, 0, 100);
        finish(f);
        assert_false(writer_is_suspect(f->writer));
        assert_int_equal(f->script.n_syncs, 1);
}

/* Skipped records: only between whole writes, so that lines behind a position can be counted. */
static void test_skip(void **state) {
        struct fixture *f = *state;

        begin(f, f->fd, 0);
        assert_int_equal(writer_append(f->writer, f->records, 10), 10);
        assert_int_equal(writer_skip(f->writer, FIRST + 50), -EBUSY);
        finish(f);
        assert_int_equal(writer_skip(f->writer, FIRST + 50), 0);
        assert_position(writer_get_position(f->writer), 50, f->ends[9]);
        assert_position(writer_get_end(f->writer), 50, f->ends[9]);
        assert_int_equal(writer_append(f->writer, f->records + 50, 1), 1);
        finish(f);
        assert_position(writer_get_position(f->writer), 51, f->ends[9] + f->ends[50] - f->ends[49]);
        assert_int_equal(writer_get_counters(f->writer).n_records, 11);
}

/* An engine that breaks at any operation, before or after it took it, is replaced, and the bytes are the
 * same. */
static void test_broken_engine(void **state) {
        struct fixture *f = *state;
        int refused;

        f->script.broken = -EPERM;
        for (unsigned int i = 0; i < 60; ++i) {
                assert_int_equal(ftruncate(f->fd, 0), 0);
                f->script.n_submits = i % 2 ? i / 2 : UINT32_MAX;
                f->script.n_reaps = i % 2 ? UINT32_MAX : i / 2;
                f->script.n_freed = 0;
                begin(f, f->fd, 0);
                feed(f, 0, N_RECORDS);
                finish(f);
                assert_file(f, f->text_size);
                assert_string_equal(writer_get_engine(f->writer, &refused), "pwrite");
                assert_int_equal(refused, EPERM);
                assert_int_equal(f->script.n_freed, 1);
                f->writer = writer_free(f->writer);
        }
}

static int run_child(struct fixture *f, int (*child)(struct fixture *f)) {
        int status;
        pid_t pid;

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(child(f));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static int child_denied(struct fixture *f) {
        int refused = 0;

        if (deny_syscall(SYS_io_uring_setup, EPERM) < 0)
                return 99;
        begin(f, f->fd, 0);
        assert_string_equal(writer_get_engine(f->writer, &refused), "pwrite");
        assert_int_equal(refused, EPERM);
        feed(f, 0, N_RECORDS);
        finish(f);
        f->writer = writer_free(f->writer);

        f->settings.engine = ENGINE_URING;
        assert_int_equal(writer_new(&f->writer, &f->settings, i4_catalog_get_default()), -EPERM);
        return 0;
}

/* A sandbox without io_uring: the same bytes, and the reason; unless io_uring is asked for by name. */
static void test_denied(void **state) {
        struct fixture *f = *state;

        /* qemu-user takes filters of system calls, and does not apply them. */
        if (getenv("I4_EMULATED"))
                skip();

        f->settings.factory = NULL;
        assert_int_equal(run_child(f, child_denied), 0);
        assert_file(f, f->text_size);
}

static int child_denied_midway(struct fixture *f) {
        int refused = 0;

        begin(f, f->fd, 0);
        feed(f, 0, N_RECORDS / 2);
        if (deny_syscall(SYS_io_uring_enter, EPERM) < 0)
                return 99;
        feed(f, N_RECORDS / 2, N_RECORDS);
        finish(f);
        if (strcmp(writer_get_engine(f->writer, &refused), "pwrite") != 0)
                return 2;
        return refused == EPERM || refused == ENOSYS ? 0 : 3;
}

static void test_denied_midway(void **state) {
        struct fixture *f = *state;
        int status;

        /* qemu-user takes filters of system calls, and does not apply them. */
        if (getenv("I4_EMULATED"))
                skip();

        f->settings.factory = NULL;
        status = run_child(f, child_denied_midway);
        assert_file(f, f->text_size);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 3)
                skip(); /* there was none to begin with */
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* Space that was allocated ahead goes back when the file is left. */
static void test_give_back(void **state) {
        char path[] = "/tmp/test-writer.XXXXXX";
        _cleanup_(closep) int fd = mkostemp(path, O_CLOEXEC);
        struct fixture *f = *state;
        struct stat st;

        assert_true(fd >= 0);
        (void) unlink(path);
        f->settings.factory = NULL;
        f->settings.engine = ENGINE_PWRITE;
        begin(f, fd, 0);
        feed(f, 0, 100);
        finish(f);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, f->ends[99]);
        assert_true(st.st_blocks * 512 > st.st_size + 65536);

        begin(f, f->fd, 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_size, f->ends[99]);
        assert_true(st.st_blocks * 512 <= st.st_size + 65536);
}

/* Allocation respects the end it was given, and does without. */
static void test_allocation(void **state) {
        struct fixture *f = *state;

        begin(f, f->fd, 0);
        writer_set_allocation(f->writer, 1 << 20, 40000);
        feed(f, 0, 20);
        finish(f);
        assert_int_equal(f->script.allocated, 40960);
        assert_int_equal(f->script.n_allocations, 1);

        feed(f, 20, N_RECORDS);
        finish(f);
        assert_in_range(f->script.allocated, f->text_size, f->text_size + 4096 + I4_LINE_MAX);
        assert_file(f, f->text_size);
}

/* What cannot seek is written to as it comes, and only counted. */
static void test_stream(void **state) {
        struct fixture *f = *state;
        _cleanup_(freep) char *bytes = malloc(f->text_size);
        int fds[2], refused;

        assert_non_null(bytes);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) >= (int) f->text_size);
        assert_int_equal(writer_new(&f->writer, &f->settings, i4_catalog_get_default()), 0);
        assert_int_equal(writer_set_file(f->writer, fds[1], true,
                                         (struct writer_position){ .sequence = FIRST }),
                        0);
        assert_string_equal(writer_get_engine(f->writer, &refused), "write");
        feed(f, 0, N_RECORDS);
        finish(f);
        assert_int_equal(read(fds[0], bytes, f->text_size), f->text_size);
        assert_memory_equal(bytes, f->text, f->text_size);

        (void) close(fds[0]);
        (void) signal(SIGPIPE, SIG_IGN);
        assert_int_equal(writer_skip(f->writer, FIRST), 0);
        assert_int_equal(writer_append(f->writer, f->records, 1), 1);
        assert_int_equal(writer_drain(f->writer, false, soon()), -EPIPE);

        begin(f, f->fd, 0);
        assert_string_equal(writer_get_engine(f->writer, &refused), "fault");
        feed(f, 0, 10);
        finish(f);
        assert_file(f, f->ends[9]);
        (void) close(fds[1]);
}

static void test_null_device(void **state) {
        _cleanup_(closep) int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        struct fixture *f = *state;

        assert_true(fd >= 0);
        f->settings.factory = NULL;
        for (unsigned int i = 0; i < 2; ++i) {
                f->settings.engine = i ? ENGINE_PWRITE : ENGINE_AUTO;
                begin(f, fd, 0);
                feed(f, 0, N_RECORDS);
                finish(f);
                assert_int_equal(writer_get_counters(f->writer).n_bytes, f->text_size);
                f->writer = writer_free(f->writer);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bytes_pwrite, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bytes_uring, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bytes_direct_pwrite, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bytes_direct_uring, setup, teardown),
                cmocka_unit_test_setup_teardown(test_short_writes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_offsets, setup, teardown),
                cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
                cmocka_unit_test_setup_teardown(test_flush, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sync, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full, setup, teardown),
                cmocka_unit_test_setup_teardown(test_quota, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_unallocated, setup, teardown),
                cmocka_unit_test_setup_teardown(test_write_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_passing_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sync_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sync_unsupported, setup, teardown),
                cmocka_unit_test_setup_teardown(test_skip, setup, teardown),
                cmocka_unit_test_setup_teardown(test_broken_engine, setup, teardown),
                cmocka_unit_test_setup_teardown(test_denied, setup, teardown),
                cmocka_unit_test_setup_teardown(test_denied_midway, setup, teardown),
                cmocka_unit_test_setup_teardown(test_give_back, setup, teardown),
                cmocka_unit_test_setup_teardown(test_allocation, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
                cmocka_unit_test_setup_teardown(test_null_device, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
