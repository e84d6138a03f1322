/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4 stat: how is the daemon
 *
 * Attaches as an observer: takes no reader's place, and once attached sees a daemon that hangs as
 * well as one that runs.
 */

#include "i4.h"

#include "tools/attach.h"
#include "tools/sample.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "tools/verbs.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* The first report comes soon; those that follow have more to measure. */
#define FIRST_INTERVAL_NS (250 * NSEC_PER_MSEC)
#define WATCH_INTERVAL_NS NSEC_PER_SEC

/* A terminal's other screen, without cursor and line wrap; and back. */
#define SCREEN_ENTER "\033[?1049h\033[?25l\033[?7l"
#define SCREEN_LEAVE "\033[?7h\033[?25h\033[?1049l"
#define SCREEN_HOME  "\033[H\033[J"

struct stat_options {
        struct attachment attachment;
        bool is_json;
        bool is_watching;
};

struct stat_view {
        const struct stat_options *options;
        i4_reader *reader;
        struct sample before;
        bool has_screen;
};

enum {
        FLAG_WATCH,
        FLAG_JSON,
        FLAG_SOCKET,
};

static const struct flag stat_flags[] = {
        [FLAG_WATCH] = { "watch", 'w', NULL, "look again every second, until Ctrl-C" },
        [FLAG_JSON] = { "json", 0, NULL, "one object, with --watch one a line; keys as in i4(1)" },
        [FLAG_SOCKET] = { "socket", 0, "PATH", "instead of $I4_SOCKET or /run/i4/ring.sock" },
};

static const char stat_text[] =
                "Shows the rate (measured over a quarter of a second, and since the start), what the ring\n"
                "holds, how storage fares, and the attached readers: how many records and seconds each is\n"
                "behind, what it lost, when it was last heard of. A reader that keeps up is heard of once a\n"
                "second; one that is silent for longer is not reading.\n"
                "\n"
                "Examples:\n"
                "  i4 stat                                       once\n"
                "  i4 stat --watch                               keep an eye on it\n"
                "  i4 stat --json | jq .generator.behind_records for scripts\n"
                "  i4 stat --json --watch | jq -c .storage       for scripts that stay\n"
                "\n"
                "Exit status: 0 done, 1 failed, 2 wrong usage. See i4(1).\n";

static int stat_take_flag(void *userdata, size_t flag, const char *argument) {
        struct stat_options *options = userdata;

        switch (flag) {
        case FLAG_WATCH:
                options->is_watching = true;
                return 0;
        case FLAG_JSON:
                options->is_json = true;
                return 0;
        default:
                assert(flag == FLAG_SOCKET);
                options->attachment.path = argument;
                return 0;
        }
}

static size_t screen_get_rows(void) {
        struct winsize size = {};

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) >= 0 && size.ws_row > 0 ? size.ws_row : SIZE_MAX;
}

static int view_format(const struct stat_view *view, const struct report *report, FILE *file) {
        if (view->options->is_json)
                return report_print_json(report, file, view->options->is_watching);

        if (view->has_screen)
                fputs(SCREEN_HOME, file);
        report_print_text(report, file, view->has_screen ? screen_get_rows() : SIZE_MAX);
        if (view->options->is_watching && !view->has_screen)
                fputc('\n', file);
        return 0;
}

/* In one write, so that a screen does not flicker. */
static int view_print(const struct stat_view *view, const struct report *report) {
        _cleanup_(freep) char *text = NULL;
        FILE *file;
        size_t size;
        int r;

        file = open_memstream(&text, &size);
        if (!file)
                return -errno;

        r = view_format(view, report, file);
        if (fclose(file) != 0 && r >= 0)
                r = -ENOMEM;
        if (r < 0)
                return r;

        if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
                return -errno;

        return 0;
}

static void sleep_for(uint64_t ns) {
        const struct timespec duration = timespec_from_ns(ns);

        (void) nanosleep(&duration, NULL);
}

/* 1: there was nothing to compare with, or the program is to end. */
static int view_renew(struct stat_view *view) {
        int r;

        r = attachment_renew(&view->options->attachment, view->reader);
        if (r < 0)
                return r == -ERESTART ? r : -ECONNABORTED;
        if (r == 0)
                (void) sample_take(&view->before, view->reader);

        return 1;
}

static int view_step(struct stat_view *view, uint64_t interval_ns) {
        _cleanup_(report_deinit) struct report report = {};
        struct sample after;
        int r;

        sleep_for(interval_ns);
        r = sample_take(&after, view->reader);
        if (r == -ESTALE)
                return view_renew(view);

        r = report_init(&report, view->reader, attachment_get_path(&view->options->attachment), &view->before,
                        &after);
        if (r < 0)
                return r;

        view->before = after;
        return view_print(view, &report);
}

static int view_run(struct stat_view *view) {
        uint64_t interval_ns = FIRST_INTERVAL_NS;
        int r;

        (void) sample_take(&view->before, view->reader);
        do {
                r = view_step(view, interval_ns);
                if (r < 0)
                        return r;
                if (r == 0)
                        interval_ns = WATCH_INTERVAL_NS;
        } while ((r > 0 || view->options->is_watching) && !stop_is_requested());

        return 0;
}

static void view_set_screen(struct stat_view *view, bool on) {
        view->has_screen = on;
        fputs(on ? SCREEN_ENTER : SCREEN_LEAVE, stdout);
        (void) fflush(stdout);
}

/* A consumer that wants no more is a good end. */
static int view_get_status(const struct stat_view *view, int r) {
        if (r >= 0 || r == -EPIPE || r == -EINTR)
                return STATUS_DONE;
        if (r != -ECONNABORTED && r != -ERESTART)
                say(view->options->attachment.who, "%s", strerror(-r));

        return STATUS_FAILED;
}

static void stat_view_deinit(struct stat_view *view) {
        view->reader = i4_reader_close(view->reader);
}

static int stat_run_options(const struct stat_options *options) {
        _cleanup_(stat_view_deinit) struct stat_view view = { .options = options };
        bool wants_screen = options->is_watching && !options->is_json && isatty(STDOUT_FILENO);
        int r;

        stop_init();
        r = attachment_open(&options->attachment, &view.reader);
        if (r == -ERESTART)
                attachment_restart(&options->attachment, &options->attachment.program->place);
        if (r != 0)
                return r < 0 ? STATUS_FAILED : STATUS_DONE;

        if (wants_screen)
                view_set_screen(&view, true);
        r = view_run(&view);
        if (wants_screen)
                view_set_screen(&view, false);
        if (r == -ERESTART)
                attachment_restart(&options->attachment, &(struct program_place){});

        return view_get_status(&view, r);
}

static int stat_run(const struct verb *verb, int argc, char *argv[]) {
        struct program program;
        struct stat_options options = {
                .attachment = { .who = verb->who, .is_observer = true, .program = &program },
        };
        int r;

        program_init(&program);
        r = flags_parse(verb, argc, argv, stat_take_flag, &options);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;

        return stat_run_options(&options);
}

const struct verb verb_stat = {
        .name = "stat",
        .who = "i4 stat",
        .summary = "Show how the daemon, its storage and its readers are doing.",
        .text = stat_text,
        .flags = stat_flags,
        .n_flags = ELEMENTSOF(stat_flags),
        .run = stat_run,
};
