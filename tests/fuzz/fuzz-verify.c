/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A truth, what was delivered of it, and incidents, with a NUL between: whatever they hold, what is counted
 * adds up, and a truth that is delivered as it is has nothing wrong with it.
 */

#include "util/macros.h"
#include "verify/audit.h"
#include "verify/score.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

static void report(void *userdata, const char *file, unsigned int line, const char *text) {
        require(file && *text);
}

struct input {
        int fd;
        char path[32];
};

static void input_init(struct input *input, const char *text, size_t size) {
        input->fd = memfd_create("input", MFD_CLOEXEC);
        require(input->fd >= 0 && write(input->fd, text, size) == (ssize_t) size);
        (void) snprintf(input->path, sizeof(input->path), "/proc/self/fd/%d", input->fd);
}

static void input_deinit(struct input *input) {
        closep(&input->fd);
}

/* cJSON's opinion of what a string says; it knows no NUL. */
static void check_strings(const struct reading *reading) {
        for (unsigned int field = 0; field < READING_N_FIELDS; ++field) {
                struct json_span value = reading->values[field];
                cJSON *string;
                char *text;
                size_t n;

                if (!(reading->seen & READING_BIT(field)) || *value.text != '"' ||
                                memmem(value.text, value.size, "\\u0000", 6))
                        continue;

                text = malloc(value.size);
                string = cJSON_ParseWithLength(value.text, value.size);
                require(text && cJSON_IsString(string));
                n = json_unescape(text, (struct json_span){ value.text + 1, value.size - 2 });
                require(n <= value.size - 2 && strlen(string->valuestring) == n &&
                                memcmp(text, string->valuestring, n) == 0);
                cJSON_Delete(string);
                free(text);
        }
}

static void check_reading(const struct reading *reading) {
        unsigned int missing;

        require(reading_compare(reading, reading, 0, &missing) == 0 && missing == 0);
        check_strings(reading);
}

static void check_counts(const struct audit_counts *counts, uint64_t n_truth, uint64_t n_lines) {
        require(counts->n_lines == n_lines);
        require(counts->n_lines == counts->n_delivered + counts->n_duplicates + counts->n_malformed +
                                                   counts->n_unidentified + counts->n_unknown);
        require(counts->n_delivered + counts->n_lost == n_truth);
        require(counts->n_disorder <= counts->n_delivered && counts->n_sensor_disorder <= counts->n_disorder);
        require(counts->n_lost_at_end <= counts->longest_gap && counts->longest_gap <= counts->n_lost);
        require(counts->n_gaps <= counts->n_lost && counts->n_damaged <= counts->n_lines);
}

/* -1: it cannot be verified by this truth. */
static int audit_all(struct audit *audit, struct score *score, const char *path, uint64_t *n_linesp) {
        _cleanup_(sources_freep) struct sources *sources = NULL;
        struct complaints complaints = { .report = report };
        const struct reading *reading;
        struct json_span line;
        uint32_t record;
        int r;

        require(sources_new(&sources, false, &complaints) >= 0 && sources_add(sources, path) >= 0);
        for (*n_linesp = 0; (r = sources_next(sources, &line)) != 0; ++*n_linesp) {
                struct finding_place place = { sources_get_path(sources), sources_get_number(sources) };

                if (r < 0) {
                        audit_take_long(audit, place);
                        continue;
                }

                if (audit_take(audit, line, place, &record, &reading) < 0)
                        return -1;
                if (reading)
                        check_reading(reading);
                if (reading && reading->is_detected)
                        require(score_take(score, record, reading->detection) >= 0);
        }

        audit_finish(audit);
        return 0;
}

static void check_score(struct score *score) {
        const struct score_counts *counts;

        require(score_finish(score) >= 0);
        counts = score_get_counts(score);
        for (unsigned int i = 0; i < I4_N_FAULT; ++i) {
                const struct score_kind *kind = &counts->kinds[i];

                require(kind->n_said_right <= kind->n_said && kind->n_detected <= kind->n_readings);
                require(kind->n_events_detected <= kind->n_events);
                require(kind->median_delay_seconds <= kind->longest_delay_seconds);
        }
}

/* What is loaded is verified once, since then it knows what has come. False: it is no truth. */
static bool verify(const char *truth_path, const char *events_path, const char *path, FILE *findings,
                bool is_same) {
        _cleanup_(truth_freep) struct truth *truth = NULL;
        _cleanup_(audit_freep) struct audit *audit = NULL;
        _cleanup_(score_freep) struct score *score = NULL;
        struct complaints complaints = { .report = report };
        const struct audit_counts *counts;
        uint64_t n_lines;
        int r;

        require(truth_new(&truth, 0, &complaints) >= 0);
        if (truth_load_events(truth, events_path) < 0 || truth_add(truth, truth_path) < 0)
                return false;
        while ((r = truth_load(truth)) > 0)
                ;
        if (r < 0) {
                require(complaints.n > 0);
                return false;
        }

        require(audit_new(&audit, truth, "alert_level", findings) >= 0 && score_new(&score, truth) >= 0);
        if (audit_all(audit, score, path, &n_lines) < 0)
                return true;

        counts = audit_get_counts(audit);
        check_counts(counts, table_get_n(truth_get_table(truth)), n_lines);
        check_score(score);
        if (is_same)
                require(counts->n_lost + counts->n_duplicates + counts->n_damaged + counts->n_unknown == 0);

        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *texts[3] = { (const char *) data }, *end = (const char *) data + size;
        _cleanup_(fclosep) FILE *findings = NULL;
        struct input inputs[3];

        for (size_t i = 0; i < ELEMENTSOF(inputs); ++i) {
                const char *nul = memchr(texts[i], 0, (size_t) (end - texts[i]));
                const char *text_end = nul && i + 1 < ELEMENTSOF(inputs) ? nul : end;

                input_init(&inputs[i], texts[i], (size_t) (text_end - texts[i]));
                if (i + 1 < ELEMENTSOF(inputs))
                        texts[i + 1] = nul ? nul + 1 : end;
        }

        findings = fopen("/dev/null", "we");
        require(findings);
        if (verify(inputs[0].path, inputs[2].path, inputs[1].path, findings, false))
                require(verify(inputs[0].path, inputs[2].path, inputs[0].path, findings, true));

        for (size_t i = 0; i < ELEMENTSOF(inputs); ++i)
                input_deinit(&inputs[i]);
        return 0;
}
