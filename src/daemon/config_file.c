/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Settings files
 *
 * inih takes a line apart; what it does not tell is told here. It names no line but the first one it refuses,
 * it cuts what is longer than its buffer, and it takes an indented line for the continuation of the one
 * above. So it gets its lines through source_read(), which counts them, lets through what inih will
 * understand, and complains about the rest: a line that is neither comment nor section must have reached the
 * handler by the time the next one is asked for.
 */

#include "daemon/config.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <ini.h>
#include <string.h>

#define FILE_SIZE_MAX (1024u * 1024u)

struct source {
        struct config *config;
        struct complaints *complaints;
        const char *file;
        const char *text, *end; /* what is not yet read */
        unsigned int line;
        bool is_pending; /* the last line was a setting, and inih has not handed it back yet */
        bool is_lost;    /* below a section line that was not understood: whose keys these are is unknown */
};

/* what inih calls */

static int source_handle(void *userdata, const char *section, const char *name, const char *value) {
        struct source *source = userdata;

        source->is_pending = false;
        if (!source->is_lost)
                config_set(source->config, section, name, value, source->file, source->line,
                                source->complaints);

        return 1;
}

static void source_settle(struct source *source) {
        if (source->is_pending)
                complain(source->complaints, source->file, source->line,
                                "Neither a section ([Ring]) nor a setting (Records=262144)");
        source->is_pending = false;
}

static bool is_blank(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next line without the blanks around it. */
static const char *source_next(struct source *source, size_t *sizep) {
        const char *line = source->text, *end;

        end = memchr(line, '\n', (size_t) (source->end - line));
        source->text = end ? end + 1 : source->end;
        if (!end)
                end = source->end;
        ++source->line;

        while (line < end && is_blank(*line))
                ++line;
        while (line < end && is_blank(end[-1]))
                --end;

        *sizep = (size_t) (end - line);
        return line;
}

/* Is it a line for inih? */
static bool source_filter(struct source *source, const char *line, size_t size, size_t max) {
        if (size == 0 || *line == '#' || *line == ';')
                return false;

        if (memchr(line, 0, size)) {
                complain(source->complaints, source->file, source->line, "A NUL byte: this is no text file");
                return false;
        }

        if (size > max) {
                complain(source->complaints, source->file, source->line,
                                "A line of %zu bytes: must be at most %zu", size, max);
                return false;
        }

        if (*line == '[') {
                source->is_lost = !memchr(line, ']', size);
                if (source->is_lost)
                        complain(source->complaints, source->file, source->line,
                                        "A section without its \"]\"");
                return !source->is_lost;
        }

        return true;
}

static char *source_read(char *buffer, int room, void *userdata) {
        struct source *source = userdata;
        const char *line;
        size_t size;

        source_settle(source);
        if (source->text == source->end)
                return NULL;

        /* inih wants room for the line's end and one byte to spare. */
        line = source_next(source, &size);
        if (!source_filter(source, line, size, (size_t) room - 3))
                size = 0;
        source->is_pending = size > 0 && *line != '[';

        memcpy(buffer, line, size);
        memcpy(buffer + size, "\n", 2);
        return buffer;
}

/* files */

int config_parse(struct config *config, const char *file, const char *text, size_t size,
                struct complaints *complaints) {
        static const char byte_order_mark[] = "\xef\xbb\xbf";
        struct source source = {
                .config = config,
                .complaints = complaints,
                .file = file,
                .text = text,
                .end = text + size,
        };
        int r;

        if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0)
                source.text += 3;

        r = ini_parse_stream(source_read, &source, source_handle, &source);
        source_settle(&source);

        /* A refused line was told above; what else there may be is inih's want of memory. */
        return r < 0 ? -ENOMEM : 0;
}

static int config_load_file(
                struct config *config, const char *path, bool is_optional, struct complaints *complaints) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(path, FILE_SIZE_MAX, &text, &size);
        if (r == -ENOENT && is_optional)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                complain(complaints, path, 0, "Cannot be read: %s", strerror(-r));
                return 0;
        }

        return config_parse(config, path, text, size, complaints);
}

/* drop-ins */

static int dropin_filter(const struct dirent *entry) {
        const char *suffix = strrchr(entry->d_name, '.');

        return *entry->d_name != '.' && suffix && strcmp(suffix, ".conf") == 0;
}

/* By bytes, whatever the locale. */
static int dropin_compare(const struct dirent **a, const struct dirent **b) {
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int config_load_dropin(struct config *config, const char *directory, const char *name,
                struct complaints *complaints) {
        char path[PATH_MAX];

        if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int) sizeof(path)) {
                complain(complaints, directory, 0, "Cannot be read: %s", strerror(ENAMETOOLONG));
                return 0;
        }

        return config_load_file(config, path, true, complaints);
}

static int config_load_dropins(struct config *config, const char *path, struct complaints *complaints) {
        struct dirent **entries = NULL;
        char directory[PATH_MAX];
        int r = 0, n;

        if (snprintf(directory, sizeof(directory), "%s.d", path) >= (int) sizeof(directory))
                return 0;

        n = scandir(directory, &entries, dropin_filter, dropin_compare);
        if (n < 0 && errno == ENOMEM)
                return -ENOMEM;
        if (n < 0 && errno != ENOENT && errno != ENOTDIR)
                complain(complaints, directory, 0, "Cannot be read: %s", strerror(errno));

        for (int i = 0; i < n; ++i) {
                if (r >= 0)
                        r = config_load_dropin(config, directory, entries[i]->d_name, complaints);
                free(entries[i]);
        }

        free(entries);
        return r;
}

int config_load(struct config *config, const char *path, struct complaints *complaints) {
        unsigned int n_before = complaints->n;
        struct config loaded;
        int r;

        config_init(&loaded);

        r = config_load_file(&loaded, path ? path : CONFIG_PATH, !path, complaints);
        if (r < 0)
                return r;
        r = config_load_dropins(&loaded, path ? path : CONFIG_PATH, complaints);
        if (r < 0)
                return r;
        if (complaints->n == n_before)
                config_verify(&loaded, path ? path : CONFIG_PATH, complaints);
        if (complaints->n > n_before)
                return -EINVAL;

        *config = loaded;
        return 0;
}
