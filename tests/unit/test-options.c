/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/options.h"
#include "util/macros.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

/* What a call writes to stdout and stderr, together. */
struct capture {
        int fd;
        int saved[2];
};

static void capture_begin(struct capture *capture) {
        (void) fflush(NULL);
        capture->fd = memfd_create("capture", MFD_CLOEXEC);
        assert_true(capture->fd >= 0);

        for (int i = 0; i < 2; ++i) {
                capture->saved[i] = dup(STDOUT_FILENO + i);
                assert_true(capture->saved[i] >= 0);
                assert_true(dup2(capture->fd, STDOUT_FILENO + i) >= 0);
        }
}

static void capture_end(struct capture *capture, char *text, size_t size) {
        ssize_t n;

        (void) fflush(NULL);
        for (int i = 0; i < 2; ++i) {
                (void) dup2(capture->saved[i], STDOUT_FILENO + i);
                (void) close(capture->saved[i]);
        }

        n = pread(capture->fd, text, size - 1, 0);
        assert_true(n >= 0);
        text[n] = 0;
        (void) close(capture->fd);
}

static int parse(struct options *options, const char *line, char *text, size_t size) {
        static char words[256];
        struct capture capture;
        char *argv[8] = { (char *) "i4d" }, *rest;
        int argc = 1, r;

        (void) snprintf(words, sizeof(words), "%s", line);
        rest = words;
        for (char *word; argc < 7 && (word = strsep(&rest, " "));)
                argv[argc++] = word;

        capture_begin(&capture);
        r = options_parse(options, argc, argv);
        capture_end(&capture, text, size);
        return r;
}

static void test_parse(void **state) {
        struct options options = {};
        char text[4096];

        assert_int_equal(
                        parse(&options, "--config /a --socket=/b --directory /c --check", text, sizeof(text)),
                        1);
        assert_string_equal(text, "");
        assert_string_equal(options.config_path, "/a");
        assert_string_equal(options.socket_path, "/b");
        assert_string_equal(options.directory_path, "/c");
        assert_true(options.check);

        assert_int_equal(parse(&options, "--check", text, sizeof(text)), 1);
        assert_null(options.config_path);
        assert_null(options.socket_path);
        assert_null(options.directory_path);
}

static void test_done(void **state) {
        struct options options = {};
        char text[4096];

        assert_int_equal(parse(&options, "--version", text, sizeof(text)), 0);
        assert_string_equal(text, "i4d " I4_VERSION "\n");
        assert_int_equal(parse(&options, "--check --help", text, sizeof(text)), 0);
        assert_ptr_equal(strstr(text, "Usage: i4d "), text);
        assert_false(options.check);
}

/* One line, which names the word that is wrong. */
static void test_usage(void **state) {
        static const char *const cases[][2] = {
                { "--rate 5", "i4d: --rate: there is no such option, or it takes no argument; see i4d --help\n" },
                { "--check=yes",
                                "i4d: --check=yes: there is no such option, or it takes no argument; see i4d --help\n" },
                { "--check -c", "i4d: -c: there is no such option, or it takes no argument; see i4d --help\n" },
                { "--check --socket", "i4d: --socket: needs an argument; see i4d --help\n" },
                { "--config=", "i4d: --config: needs a path, not an empty string; see i4d --help\n" },
                { "--check start", "i4d: start: only options are taken; see i4d --help\n" },
                { "start --help", "i4d: start: only options are taken; see i4d --help\n" },
        };
        struct options options = { .check = true };
        char text[4096];

        for (size_t i = 0; i < ELEMENTSOF(cases); ++i) {
                assert_int_equal(parse(&options, cases[i][0], text, sizeof(text)), -EINVAL);
                assert_string_equal(text, cases[i][1]);
        }
        assert_true(options.check);
        assert_null(options.config_path);
}

static int check(const char *settings, char *text, size_t size) {
        char path[] = "/tmp/i4-options-XXXXXX";
        struct options options = { .config_path = path };
        struct capture capture;
        int fd, r;

        fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, settings, strlen(settings)), strlen(settings));
        (void) close(fd);

        capture_begin(&capture);
        r = options_check(&options);
        capture_end(&capture, text, size);

        (void) unlink(path);
        return r;
}

static void test_check(void **state) {
        char text[4096];

        assert_int_equal(check("[Ring]\nRecords=8\n", text, sizeof(text)), 0);
        assert_string_equal(text, "settings are fine\n");
        assert_int_equal(check("[Ring]\nRecords=9\nMaxReaders=0\n", text, sizeof(text)), 2);
        assert_non_null(strstr(text, ":2: Records=9: must be a power of two"));
        assert_non_null(strstr(text, ":3: MaxReaders=0: must be a number"));
        assert_null(strstr(text, "fine"));
}

/* The catalog is a part of the settings. */
static void test_check_catalog(void **state) {
        char text[4096], settings[4096];

        assert_int_equal(check("[Generator]\nCatalog=/nowhere/catalog.json\n", text, sizeof(text)), 2);
        assert_string_equal(text, "/nowhere/catalog.json: Cannot be read: No such file or directory\n");

        assert_non_null(getenv("I4_SOURCE"));
        (void) snprintf(settings, sizeof(settings), "[Generator]\nCatalog=%s/etc/i4d.conf\n",
                        getenv("I4_SOURCE"));
        assert_int_equal(check(settings, text, sizeof(text)), 2);
        assert_non_null(strstr(text, "/etc/i4d.conf:1: This is not JSON\n"));

        (void) snprintf(settings, sizeof(settings), "[Generator]\nCatalog=%s/etc/catalog.json\n",
                        getenv("I4_SOURCE"));
        assert_int_equal(check(settings, text, sizeof(text)), 0);
        assert_string_equal(text, "settings are fine\n");
}

/* What was said goes before what systemd says; of several directories it is the first. */
static void test_paths(void **state) {
        struct options options = {};
        char buffer[PATH_MAX];

        assert_int_equal(unsetenv("STATE_DIRECTORY"), 0);
        assert_int_equal(unsetenv("RUNTIME_DIRECTORY"), 0);
        assert_string_equal(options_get_directory(&options, buffer), OPTIONS_DIRECTORY_PATH);
        assert_string_equal(options_get_socket_path(&options, buffer), OPTIONS_SOCKET_PATH);

        assert_int_equal(setenv("STATE_DIRECTORY", "/state/one:/state/two", 1), 0);
        assert_int_equal(setenv("RUNTIME_DIRECTORY", "/run/one:/run/two", 1), 0);
        assert_string_equal(options_get_directory(&options, buffer), "/state/one");
        assert_string_equal(options_get_socket_path(&options, buffer), "/run/one/ring.sock");

        options = (struct options){ .directory_path = "here", .socket_path = "there" };
        assert_string_equal(options_get_directory(&options, buffer), "here");
        assert_string_equal(options_get_socket_path(&options, buffer), "there");

        assert_int_equal(unsetenv("STATE_DIRECTORY"), 0);
        assert_int_equal(unsetenv("RUNTIME_DIRECTORY"), 0);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_done),
                cmocka_unit_test(test_usage),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_check_catalog),
                cmocka_unit_test(test_paths),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
