/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A list of anchors of a stranger: notes in order, which can be written down and read back as the same, or
 * complaints.
 */

#include "model/course.h"
#include "model/note.h"
#include "util/macros.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report_check(void *userdata, const char *file, unsigned int line, const char *text) {
        const unsigned int *n_lines = userdata;

        if (line < 1 || line > *n_lines || !*text)
                abort();
}

/* What is made of it by sensor-gen. */
static void note_check_course(const struct note *note) {
        struct course course = {
                .profile = &note->settings.profile,
                .origin_ns = note->origin_ns,
                .rate = note->settings.rate,
                .anchor = note->anchor,
                .until_ns = note->until_ns,
        };

        for (unsigned int i = 0; i < 8 && course.until_ns > 0 && course.anchor.rate.period_ns > 0; ++i) {
                uint64_t until_ns = course.until_ns, end = course_get_end(&course);

                course_advance(&course);
                if (course.anchor.time_ns < until_ns || course.anchor.step != end)
                        abort();
        }
}

static void note_check(const struct note *note) {
        unsigned int n_lines = 1;
        struct complaints complaints = { .report = report_check, .userdata = &n_lines };
        _cleanup_(freep) char *line = NULL, *again = NULL;
        _cleanup_(notes_deinit) struct notes notes = {};

        if (note_format(note, &line) < 0 ||
                        notes_parse(&notes, "again", line, strlen(line), &complaints) < 0 || notes.n != 1 ||
                        note_format(&notes.notes[0], &again) < 0 || strcmp(line, again) != 0 ||
                        complaints.n > 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        unsigned int n_lines = 1;
        struct complaints complaints = { .report = report_check, .userdata = &n_lines };
        _cleanup_(notes_deinit) struct notes notes = {};
        int r;

        for (size_t i = 0; i < size; ++i)
                n_lines += data[i] == '\n';

        r = notes_parse(&notes, "fuzz", (const char *) data, size, &complaints);
        if (r < 0 && (r != -EINVAL || complaints.n == 0))
                abort();
        for (size_t i = 0; i < notes.n; ++i) {
                if (i > 0 && notes.notes[i].sequence <= notes.notes[i - 1].sequence)
                        abort();
                note_check(&notes.notes[i]);
                note_check_course(&notes.notes[i]);
        }

        return 0;
}
