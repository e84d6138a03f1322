/* SPDX-License-Identifier: Apache-2.0 */

#include "storage/engine.h"

#include "deny.h"
#include "util/clock.h"
#include "util/macros.h"

#include <fcntl.h>
#include <liburing.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#define BUFFER_SIZE ((size_t) 16384)
#define N_BUFFERS   2u

/* Of nobody's, with the number of a process above it. */
#define FIRST_UID 100000u

struct fixture {
        struct engine *engine;
        struct iovec buffers[N_BUFFERS];
        char path[32];
        int fd;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        for (unsigned int i = 0; i < N_BUFFERS; ++i) {
                f->buffers[i].iov_base = aligned_alloc(4096, BUFFER_SIZE);
                f->buffers[i].iov_len = BUFFER_SIZE;
                assert_non_null(f->buffers[i].iov_base);
                memset(f->buffers[i].iov_base, 'a' + (int) i, BUFFER_SIZE);
        }
        (void) strcpy(f->path, "/tmp/test-engine.XXXXXX");
        f->fd = mkostemp(f->path, O_CLOEXEC);
        assert_true(f->fd >= 0);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        engine_free(f->engine);
        (void) close(f->fd);
        (void) unlink(f->path);
        for (unsigned int i = 0; i < N_BUFFERS; ++i)
                free(f->buffers[i].iov_base);
        free(f);
        return 0;
}

/* False where the machine has no io_uring for us: the other tests tell that the fallback works. */
static bool make_uring(struct fixture *f) {
        int r;

        r = engine_new_uring(&f->engine, f->buffers, N_BUFFERS);
        if (r < 0)
                print_message("no io_uring here: %s\n", strerror(-r));
        return r >= 0;
}

static int perform(struct fixture *f, struct engine_request request) {
        int result = 0;

        assert_int_equal(engine_submit(f->engine, &request), 0);
        assert_int_equal(engine_reap(f->engine, 10 * NSEC_PER_SEC, &result), 1);
        return result;
}

static struct engine_request write_of(
                const struct fixture *f, unsigned int buffer, size_t begin, size_t size, uint64_t offset) {
        return (struct engine_request){
                .operation = ENGINE_WRITE,
                .buffer = buffer,
                .data = (const char *) f->buffers[buffer].iov_base + begin,
                .offset = offset,
                .size = size,
        };
}

static void assert_byte(const struct fixture *f, off_t offset, char expected) {
        char byte = 0;

        assert_int_equal(pread(f->fd, &byte, 1, offset), 1);
        assert_int_equal(byte, expected);
}

static void check_operations(struct fixture *f) {
        struct stat st;

        assert_int_equal(engine_set_file(f->engine, f->fd), 0);

        assert_int_equal(perform(f, write_of(f, 1, 100, 5000, 3)), 5000);
        assert_int_equal(perform(f, write_of(f, 0, 0, 3, 0)), 3);
        assert_byte(f, 2, 'a');
        assert_byte(f, 3, 'b');
        assert_byte(f, 5002, 'b');

        /* Allocating shows readers nothing. */
        assert_int_equal(perform(f, (struct engine_request){ .operation = ENGINE_ALLOCATE, .size = 1 << 20 }),
                        0);
        assert_int_equal(fstat(f->fd, &st), 0);
        assert_int_equal(st.st_size, 5003);
        assert_true(st.st_blocks * 512 >= 1 << 20);

        assert_int_equal(perform(f, (struct engine_request){ .operation = ENGINE_SYNC }), 0);
}

/* The next file is another file, and the one before is let go: nothing keeps its descriptor busy. */
static void check_files(struct fixture *f) {
        _cleanup_(closep) int other = memfd_create("other", MFD_CLOEXEC);
        struct stat st;

        assert_true(other >= 0);
        assert_int_equal(engine_set_file(f->engine, other), 0);
        assert_int_equal(perform(f, write_of(f, 0, 0, 10, 0)), 10);
        assert_int_equal(fstat(other, &st), 0);
        assert_int_equal(st.st_size, 10);

        assert_int_equal(engine_set_file(f->engine, -1), 0);
        assert_int_equal(engine_set_file(f->engine, f->fd), 0);
        assert_int_equal(perform(f, write_of(f, 1, 0, 1, 0)), 1);
        assert_byte(f, 0, 'b');
}

/* An operation that fails leaves the engine as it was. */
static void check_errors(struct fixture *f) {
        _cleanup_(closep) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

        assert_true(full >= 0);
        assert_int_equal(engine_set_file(f->engine, full), 0);
        assert_int_equal(perform(f, write_of(f, 0, 0, 10, 0)), -ENOSPC);

        assert_int_equal(engine_set_file(f->engine, f->fd), 0);
        assert_int_equal(perform(f, write_of(f, 0, 0, 10, 0)), 10);
}

static void test_pwrite(void **state) {
        struct fixture *f = *state;

        assert_int_equal(engine_new_pwrite(&f->engine), 0);
        check_operations(f);
        check_files(f);
        check_errors(f);
}

static void test_uring(void **state) {
        struct fixture *f = *state;

        if (!make_uring(f))
                skip();
        check_operations(f);
        check_files(f);
        check_errors(f);
}

static int find_ring(void) {
        char path[32], target[64];
        ssize_t n;

        for (int fd = 0; fd < 1024; ++fd) {
                (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                n = readlink(path, target, sizeof(target) - 1);
                target[MAX(n, 0)] = '\0';
                if (strstr(target, "[io_uring]"))
                        return fd;
        }
        return -1;
}

/* The ring does what it is for and nothing else, whoever has its descriptor. */
static void test_restrictions(void **state) {
        _cleanup_(closep) int event_fd = eventfd(0, EFD_CLOEXEC);
        struct fixture *f = *state;
        struct io_uring_probe probe = {};
        int ring_fd;

        if (!make_uring(f))
                skip();

        ring_fd = find_ring();
        assert_true(ring_fd >= 0);
        errno = 0;
        assert_int_equal(syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_EVENTFD, &event_fd, 1), -1);
        assert_int_equal(errno, EACCES);
        assert_int_equal(syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_PROBE, &probe, 0), -1);
        assert_int_equal(errno, EACCES);
        assert_int_equal(syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_PERSONALITY, NULL, 0), -1);
        assert_int_equal(errno, EACCES);
}

/* A pipe takes what it takes; one that does not block is waited for. */
static void test_stream(void **state) {
        struct fixture *f = *state;
        char *back;
        size_t n_read = 0;
        int fds[2], status;
        pid_t pid;

        assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        assert_int_equal(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
        assert_int_equal(engine_new_stream(&f->engine), 0);
        assert_int_equal(engine_set_file(f->engine, fds[1]), 0);

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                size_t n = 0;

                while (n < BUFFER_SIZE)
                        n += (size_t) perform(f, write_of(f, 1, n, BUFFER_SIZE - n, n));
                _exit(0);
        }

        back = calloc(1, BUFFER_SIZE);
        assert_non_null(back);
        assert_int_equal(fcntl(fds[0], F_SETFL, 0), 0);
        while (n_read < BUFFER_SIZE) {
                ssize_t n = read(fds[0], back + n_read, BUFFER_SIZE - n_read);

                assert_true(n > 0);
                n_read += (size_t) n;
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_memory_equal(back, f->buffers[1].iov_base, BUFFER_SIZE);

        assert_true(perform(f, (struct engine_request){ .operation = ENGINE_ALLOCATE, .size = 1 }) < 0);
        (void) close(fds[0]);
        (void) close(fds[1]);
        free(back);
}

/* What is refused is told by its errno, at every step of the setup. */
static void check_refused(struct fixture *f, long number, int error) {
        int status;
        pid_t pid;

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                if (deny_syscall(number, error) < 0)
                        _exit(99);
                _exit(engine_new_uring(&f->engine, f->buffers, N_BUFFERS) == -error ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void test_refused(void **state) {
        struct fixture *f = *state;

        /* qemu-user takes filters of system calls, and does not apply them. */
        if (getenv("I4_EMULATED"))
                skip();

        check_refused(f, SYS_io_uring_setup, EPERM);
        check_refused(f, SYS_io_uring_setup, ENOSYS);
        check_refused(f, SYS_io_uring_setup, ENOMEM);
        if (!make_uring(f))
                skip();
        check_refused(f, SYS_io_uring_register, EPERM);
}

/* Of a user who has nothing pinned yet. */
static int become_limited(rlim_t limit_bytes) {
        const struct rlimit limit = { .rlim_cur = limit_bytes, .rlim_max = limit_bytes };
        const uid_t uid = FIRST_UID + (uid_t) getpid();

        if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0 || setgid(uid) < 0)
                return -errno;

        return setuid(uid) < 0 ? -errno : 0;
}

/* Return: a process that has pinned its buffers, and stays. */
static pid_t predecessor_start(struct fixture *f) {
        int fds[2], r = 0;
        ssize_t n;
        pid_t pid;

        if (pipe(fds) < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                r = engine_new_uring(&f->engine, f->buffers, N_BUFFERS);
                if (write(fds[1], &r, sizeof(r)) == sizeof(r))
                        (void) pause();
                _exit(1);
        }

        n = read(fds[0], &r, sizeof(r));
        (void) close(fds[0]);
        (void) close(fds[1]);
        return n == sizeof(r) && r >= 0 ? pid : -1;
}

static void check_limited(struct fixture *f, int (*child)(struct fixture *f)) {
        int status;
        pid_t pid;

        if (geteuid() != 0 || getenv("I4_EMULATED") || !make_uring(f))
                skip();

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(child(f));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static int child_succeed(struct fixture *f) {
        /* Enough for one engine, not for two. */
        if (become_limited(N_BUFFERS * BUFFER_SIZE * 3 / 2) < 0)
                return 99;

        for (unsigned int i = 0; i < 20; ++i) {
                pid_t pid = predecessor_start(f);
                struct engine *engine;

                if (pid < 0)
                        return 1;
                if (i == 0 && engine_new_uring(&engine, f->buffers, N_BUFFERS) != -ENOMEM)
                        return 2;

                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                if (engine_new_uring(&engine, f->buffers, N_BUFFERS) < 0)
                        return 3;
                engine_free(engine);
        }

        return 0;
}

static int child_fail(struct fixture *f) {
        uint64_t begin_ns = clock_now_ns(CLOCK_MONOTONIC);
        struct engine *engine;

        if (become_limited(N_BUFFERS * BUFFER_SIZE / 2) < 0)
                return 99;
        if (engine_new_uring(&engine, f->buffers, N_BUFFERS) != -ENOMEM)
                return 4;

        return clock_now_ns(CLOCK_MONOTONIC) - begin_ns < NSEC_PER_SEC / 2 ? 0 : 5;
}

/* What a process had pinned is counted for a while after its end, and its successor waits for that. */
static void test_successor(void **state) {
        check_limited(*state, child_succeed);
}

/* Who may not pin that much waits for nobody. */
static void test_limit(void **state) {
        check_limited(*state, child_fail);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_pwrite, setup, teardown),
                cmocka_unit_test_setup_teardown(test_uring, setup, teardown),
                cmocka_unit_test_setup_teardown(test_restrictions, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stream, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(test_successor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
