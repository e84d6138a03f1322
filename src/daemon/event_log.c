/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/event_log.h"

#include "model/scenario_file.h"
#include "util/complaint.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define FILE_SIZE_MAX ((size_t) 16 * 1024 * 1024)
#define KEPT_SIZE_MAX ((size_t) 16 * 1024 * 1024)

struct event_log {
        /* the recorder's, once it runs */
        struct chronicle *chronicle;
        struct scenario *scenario; /* the chronicle's */
        FILE *lines;               /* into text */
        char *text;                /* what is not written yet */
        size_t size;

        /* main loop → recorder: in force from the next look on; NULL: no other than before */
        struct scenario *_Atomic next;

        /* recorder → main loop */
        _Atomic int error;
        int fd;

        char path[PATH_MAX], old_path[PATH_MAX];
};

/* what is known */

static void complaint_drop(void *userdata, const char *file, unsigned int line, const char *text) {}

/* A line that was torn, or is of another fleet: no reading of this one's tells of it. */
static int line_recall(struct event_log *log, const struct scenario_context *context, const char *line,
                size_t size) {
        struct complaints complaints = { .report = complaint_drop };
        struct scenario_entry entry;
        int r;

        r = scenario_entry_parse(&entry, context, line, size, log->path, 0, &complaints);
        if (r == -ENOMEM)
                return r;

        return r < 0 ? 0 : chronicle_remember(log->chronicle, &entry);
}

static int log_recall(struct event_log *log, const char *path, const struct scenario_context *context) {
        _cleanup_(freep) char *text = NULL;
        const char *newline, *line;
        size_t size;
        int r;

        r = file_read(path, 2 * FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r == -ENOENT ? 0 : r;

        for (line = text; (newline = memchr(line, '\n', size - (size_t) (line - text))); line = newline + 1) {
                r = line_recall(log, context, line, (size_t) (newline - line));
                if (r < 0)
                        return r;
        }

        return 0;
}

/* writing */

static int log_open_lines(struct event_log *log) {
        log->lines = open_memstream(&log->text, &log->size);
        if (!log->lines)
                return -errno;

        chronicle_set_file(log->chronicle, log->lines);
        return 0;
}

static void log_close_lines(struct event_log *log) {
        if (log->lines)
                (void) fclose(log->lines);
        free(log->text);
        log->lines = NULL;
        log->text = NULL;
        log->size = 0;
}

static int log_write(struct event_log *log) {
        int r;

        if (fflush(log->lines) != 0)
                return -errno;
        if (log->size == 0)
                return 0;

        r = file_rotate(log->path, log->old_path, FILE_SIZE_MAX);
        if (r >= 0)
                r = file_append(log->path, log->text, log->size, false);
        if (r < 0)
                return r;

        log_close_lines(log);
        return log_open_lines(log);
}

static void log_take_scenario(struct event_log *log) {
        struct scenario *scenario;

        /* Pairs with the exchange in event_log_set_scenario(). */
        scenario = atomic_exchange_explicit(&log->next, NULL, memory_order_acquire);
        if (!scenario)
                return;

        (void) scenario_free(log->scenario);
        log->scenario = scenario;
        chronicle_set_scenario(log->chronicle, scenario);
}

static void log_set_error(struct event_log *log, int error) {
        uint64_t one = 1;

        if (atomic_exchange_explicit(&log->error, error, memory_order_relaxed) != error)
                (void) !write(log->fd, &one, sizeof(one));
}

int event_log_get_fd(const struct event_log *log) {
        return log->fd;
}

int event_log_get_error(struct event_log *log) {
        uint64_t n;

        /* Before the look: an error after it makes the descriptor readable again. */
        (void) !read(log->fd, &n, sizeof(n));
        return atomic_load_explicit(&log->error, memory_order_relaxed);
}

void event_log_look(struct event_log *log, const struct i4_record *records, size_t n) {
        int r;

        if (atomic_load_explicit(&log->next, memory_order_relaxed))
                log_take_scenario(log);

        r = log->lines ? 0 : log_open_lines(log);
        if (r >= 0 && log->size > KEPT_SIZE_MAX)
                r = log_write(log);
        if (r >= 0)
                r = chronicle_look(log->chronicle, records, n);
        if (r >= 0)
                r = log_write(log);
        log_set_error(log, r);
}

void event_log_set_scenario(struct event_log *log, struct scenario *scenario) {
        (void) scenario_free(atomic_exchange_explicit(&log->next, scenario, memory_order_acq_rel));
}

int event_log_finish(struct event_log *log) {
        if (log->lines)
                log_set_error(log, log_write(log));

        return event_log_get_error(log);
}

/* life cycle */

int event_log_new(struct event_log **logp, const char *directory, const struct model *model,
                const struct i4_catalog *catalog) {
        struct scenario_context context = { .catalog = catalog, .model = model };
        _cleanup_(event_log_freep) struct event_log *log = NULL;
        int r;

        log = calloc(1, sizeof(*log));
        if (!log)
                return -ENOMEM;

        log->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (log->fd < 0)
                return -errno;

        (void) snprintf(log->path, sizeof(log->path), "%s/" EVENTS_NAME, directory);
        (void) snprintf(log->old_path, sizeof(log->old_path), "%s/" EVENTS_OLD_NAME, directory);
        r = chronicle_new(&log->chronicle, model, NULL, catalog, NULL);
        if (r >= 0)
                r = log_recall(log, log->old_path, &context);
        if (r >= 0)
                r = log_recall(log, log->path, &context);
        if (r >= 0)
                r = log_open_lines(log);
        if (r < 0)
                return r;

        *logp = TAKE_PTR(log);
        return 0;
}

struct event_log *event_log_free(struct event_log *log) {
        if (!log)
                return NULL;

        log_close_lines(log);
        closep(&log->fd);
        log->chronicle = chronicle_free(log->chronicle);
        (void) scenario_free(log->scenario);
        (void) scenario_free(atomic_load_explicit(&log->next, memory_order_relaxed));
        free(log);
        return NULL;
}
