/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What was put in the place of a program that runs, while it is being copied and afterwards; and what is told
 * of a daemon that is not there
 */

#include "tree.h"

#include "tools/attach.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define PROGRAM     "/bin/true"
#define PROGRAM_MAX ((size_t) 64 << 20)

struct fixture {
        char directory[32];
        char *text; /* of a program */
        size_t size;
        struct program program;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void) strcpy(f->directory, "/tmp/test-attach.XXXXXX");
        assert_non_null(mkdtemp(f->directory));
        assert_int_equal(file_read(PROGRAM, PROGRAM_MAX, &f->text, &f->size), 0);

        program_init(&f->program);
        (void) snprintf(f->program.executable.path, sizeof(f->program.executable.path), "%s",
                        tree_path(f->directory, "program"));
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        tree_remove(f->directory);
        free(f->text);
        free(f);
        return 0;
}

/* As much of the program as that. Return: a descriptor that writes to it. */
static int copy(const struct fixture *f, size_t size) {
        int fd = open(f->program.executable.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

        assert_true(fd >= 0);
        assert_int_equal(file_write_all(fd, f->text, size), 0);
        return fd;
}

static void test_whole(void **state) {
        struct fixture *f = *state;
        const size_t sizes[] = { 0, 4, 16, 64, 4096, f->size / 2, f->size - 1 };

        /* There is none. */
        assert_false(program_is_replaced(&f->program));
        for (size_t i = 0; i < ELEMENTSOF(sizes); ++i) {
                (void) close(copy(f, sizes[i]));
                assert_false(program_is_replaced(&f->program));
        }

        (void) close(copy(f, f->size));
        assert_true(program_is_replaced(&f->program));
        /* Nor while the other file is not whole. */
        (void) snprintf(f->program.library.path, sizeof(f->program.library.path), "%s",
                        tree_path(f->directory, "library"));
        assert_false(program_is_replaced(&f->program));
}

static bool process_sleeps(pid_t pid) {
        _cleanup_(freep) char *text = NULL;
        char path[64];
        size_t size;

        (void) snprintf(path, sizeof(path), "/proc/%i/syscall", pid);
        assert_int_equal(file_read(path, 4096, &text, &size), 0);
        return strtol(text, NULL, 10) == SYS_clock_nanosleep;
}

/* A program that somebody has open to write to is not executed by the kernel, so that is waited for. */
static void test_busy(void **state) {
        struct fixture *f = *state;
        int fd, status;
        pid_t pid;

        /* qemu-user makes other system calls. */
        if (getenv("I4_EMULATED"))
                skip();

        fd = copy(f, f->size);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void) close(fd);
                attachment_restart(&(struct attachment){ .who = "test", .program = &f->program },
                                &(struct program_place){});
                _exit(1);
        }

        while (waitpid(pid, &status, WNOHANG) == 0 && !process_sleeps(pid))
                ;
        (void) close(fd);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* Standard error goes into a file from here on, until ear_close(). */
static int ear_open(const struct fixture *f) {
        int fd, saved_fd = dup(STDERR_FILENO);

        fd = open(tree_path(f->directory, "said"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_true(saved_fd >= 0 && fd >= 0);
        assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        (void) close(fd);
        return saved_fd;
}

static void ear_close(const struct fixture *f, int saved_fd, const char *expected) {
        _cleanup_(freep) char *text = NULL;
        size_t size;

        (void) fflush(stderr);
        assert_int_equal(dup2(saved_fd, STDERR_FILENO), STDERR_FILENO);
        (void) close(saved_fd);
        assert_int_equal(file_read(tree_path(f->directory, "said"), 4096, &text, &size), 0);
        assert_string_equal(text, expected);
}

static void assert_gone(const struct fixture *f, const struct attachment *attachment, bool *is_toldp,
                int result, const char *expected) {
        int saved_fd = ear_open(f), r = attachment_tell_gone(attachment, is_toldp);

        ear_close(f, saved_fd, expected);
        assert_int_equal(r, result);
}

/* Once for each time that it goes, to those who asked; who does not wait ends. */
static void test_gone(void **state) {
        struct fixture *f = *state;
        struct attachment attachment = { .who = "test", .program = &f->program };
        bool is_told = false;

        assert_gone(f, &attachment, &is_told, -ECONNRESET,
                        "test: i4d has been gone for 30 s; with --wait this stays until it is back\n");

        attachment.wait = true;
        assert_gone(f, &attachment, &is_told, 0, "");
        attachment.is_verbose = true;
        assert_gone(f, &attachment, &is_told, 0, "");
        for (unsigned int i = 0; i < 2; ++i) {
                is_told = false;
                assert_gone(f, &attachment, &is_told, 0, "test: i4d is gone; waiting for it\n");
                assert_gone(f, &attachment, &is_told, 0, "");
        }
}

static void test_unreadable(void **state) {
        static const struct {
                int error;
                const char *text;
        } cases[] = {
                { -EBADMSG, "test: the ring is damaged at sequence 17\n" },
                { -EINVAL, "test: cannot read the ring at sequence 17: Invalid argument\n" },
        };
        struct fixture *f = *state;
        struct attachment attachment = { .who = "test", .program = &f->program };

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                int saved_fd = ear_open(f), r = attachment_tell_unreadable(&attachment, cases[i].error, 17);

                ear_close(f, saved_fd, cases[i].text);
                assert_int_equal(r, cases[i].error);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
                cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
                cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
