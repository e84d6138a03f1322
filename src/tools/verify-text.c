/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A verification for a person: one screen
 */

#include "tools/text.h"
#include "tools/verification.h"
#include "util/clock.h"
#include "util/macros.h"
#include "util/timestamp.h"

#include <inttypes.h>

struct page {
        const struct verification *verification;
        FILE *file;
        bool has_colours;
};

static const char *page_colour(const struct page *page, const char *colour) {
        return page->has_colours ? colour : "";
}

static void print_head(const struct page *page, const char *head) {
        fprintf(page->file, "%s%-11s%s", page_colour(page, COLOUR_HEAD), head, page_colour(page, COLOUR_OFF));
}

static void print_truth(const struct page *page) {
        const struct truth *truth = page->verification->truth;
        char first[TIMESTAMP_MAX], last[TIMESTAMP_MAX];

        print_head(page, "truth");
        fprintf(page->file, "%13s  readings from %s to %s, known by %s\n",
                        count_text(verification_get_n_truth(page->verification)).text,
                        format_time(truth_get_first_time(truth), 6, first),
                        format_time(truth_get_last_time(truth), 6, last),
                        truth_has_sequence(truth) ? "seq" : "sensor_id and timestamp");

        print_head(page, "delivered");
        fprintf(page->file, "%13s  of them, in %s lines of %u file%s\n",
                        count_text(page->verification->counts->n_delivered).text,
                        count_text(page->verification->counts->n_lines).text, page->verification->n_files,
                        page->verification->n_files == 1 ? "" : "s");
}

/* Green as nothing, yellow as less than is allowed, red as too much. */
static void print_count(const struct page *page, enum verdict_count count) {
        const struct verification *verification = page->verification;
        uint64_t n = verdict_get_count(verification->counts, count);
        bool passes = verdict_count_passes(verification->limits, count, verification->counts,
                        verification_get_n_truth(verification));
        const char *colour = n == 0 ? COLOUR_GREEN : passes ? COLOUR_YELLOW : COLOUR_RED;

        print_head(page, verdict_count_to_string(count));
        fprintf(page->file, "%s%13s%s", page_colour(page, colour), count_text(n).text,
                        page_colour(page, COLOUR_OFF));
}

static void print_loss(const struct page *page) {
        const struct audit_counts *counts = page->verification->counts;

        print_count(page, VERDICT_LOSS);
        if (counts->n_lost > 0)
                fprintf(page->file, "  %.4g %%, in %s gap%s, the longest of %s; %s at the end",
                                100.0 * (double) counts->n_lost /
                                                (double) verification_get_n_truth(page->verification),
                                count_text(counts->n_gaps).text, counts->n_gaps == 1 ? "" : "s",
                                count_text(counts->longest_gap).text, count_text(counts->n_lost_at_end).text);
        fputc('\n', page->file);
}

static void print_disorder(const struct page *page) {
        const struct audit_counts *counts = page->verification->counts;

        print_count(page, VERDICT_DISORDER);
        if (counts->n_disorder > 0)
                fprintf(page->file, "  up to %s late; %s of them after a later one of the same sensor",
                                span_text((double) counts->latest_ns / (double) NSEC_PER_SEC).text,
                                count_text(counts->n_sensor_disorder).text);
        fputc('\n', page->file);
}

static void print_detail(const struct page *page, uint64_t n, const char *what) {
        if (n > 0)
                fprintf(page->file, "  %-9s%13s  %s\n", "", count_text(n).text, what);
}

static void print_damage(const struct page *page) {
        const struct audit_counts *counts = page->verification->counts;

        print_count(page, VERDICT_DAMAGE);
        fputc('\n', page->file);
        print_detail(page, counts->n_malformed, "no JSON object, or a key twice");
        print_detail(page, counts->n_unidentified, "nothing tells which record it is");
        for (unsigned int i = 0; i < READING_N_FIELDS; ++i) {
                if (counts->n_differing[i] == 0)
                        continue;
                fprintf(page->file, "  %-9s%13s  %s", "", count_text(counts->n_differing[i]).text,
                                reading_field_to_string(i));
                if (counts->n_missing[i] > 0)
                        fprintf(page->file, ", %s of them missing", count_text(counts->n_missing[i]).text);
                fputc('\n', page->file);
        }
}

/* Names of a stranger's keys: no bytes that a terminal would obey. */
static void print_key(const struct page *page, const char *key) {
        for (; *key; ++key)
                fputc(*key < ' ' || *key > '~' ? '?' : *key, page->file);
}

static void print_extra(const struct page *page) {
        const struct audit_counts *counts = page->verification->counts;

        print_head(page, "extra");
        fprintf(page->file, "%13s", count_text(counts->n_extra).text);
        for (unsigned int i = 0; i < counts->n_keys; ++i) {
                fputs(i == 0 ? "  with " : ", ", page->file);
                print_key(page, counts->keys[i].name);
        }
        fputc('\n', page->file);
}

/* detections */

static struct text share_text(double share) {
        struct text text;

        if (share < 0)
                (void) snprintf(text.text, sizeof(text.text), "-");
        else
                (void) snprintf(text.text, sizeof(text.text), "%.2f %%", 100 * share);

        return text;
}

static void print_kind(const struct page *page, const char *name, const struct score_kind *kind) {
        /* Most detectors do not say which kind it is. */
        fprintf(page->file, "%-15s %11s %9s %10s %9s %7s %9s %11s %11s\n", name,
                        count_text(kind->n_readings).text, share_text(score_kind_get_recall(kind)).text,
                        kind->n_said > 0 ? count_text(kind->n_said).text : "-",
                        share_text(score_kind_get_precision(kind)).text, count_text(kind->n_events).text,
                        share_text(score_kind_get_event_recall(kind)).text,
                        span_text(kind->median_delay_seconds).text,
                        span_text(kind->longest_delay_seconds).text);
}

static void print_score(const struct page *page) {
        const struct score_counts *score = page->verification->score;

        if (!score)
                return;

        fprintf(page->file, "\n%s%-15s %11s %9s %10s %9s %7s %9s %11s %11s%s\n",
                        page_colour(page, COLOUR_HEAD), "KIND", "READINGS", "RECALL", "DETECTIONS",
                        "PRECISION", "EVENTS", "DETECTED", "DELAY", "LONGEST", page_colour(page, COLOUR_OFF));
        for (unsigned int i = I4_FAULT_NONE + 1; i < I4_N_FAULT; ++i)
                if (score->kinds[i].n_readings > 0 || score->kinds[i].n_said > 0)
                        print_kind(page, i4_fault_to_string(i), &score->kinds[i]);
        print_kind(page, "all", &score->kinds[I4_FAULT_NONE]);
        if (score->n_repeated > 0)
                fprintf(page->file, "%s detections are of readings that had been detected, and not counted\n",
                                count_text(score->n_repeated).text);
        if (score->n_unknown > 0)
                fprintf(page->file, "%s detections are of readings that the truth does not have\n",
                                count_text(score->n_unknown).text);
}

/* the verdict */

static void print_excess(const struct page *page) {
        const struct verification *verification = page->verification;
        const char *before = " by ";

        for (unsigned int i = 0; i < VERDICT_N_COUNTS; ++i) {
                if (verdict_count_passes(verification->limits, i, verification->counts,
                                    verification_get_n_truth(verification)))
                        continue;
                fprintf(page->file, "%s%s", before, verdict_count_to_string(i));
                before = ", ";
        }
        for (unsigned int i = 0; verification->score && i < VERDICT_N_SHARES; ++i) {
                if (verdict_share_passes(verification->limits, i, verification->score))
                        continue;
                fprintf(page->file, "%s%s", before, verdict_share_to_string(i));
                before = ", ";
        }
}

static void print_verdict(const struct page *page) {
        bool passes = verification_passes(page->verification);

        fprintf(page->file, "\n%s%s%s", page_colour(page, passes ? COLOUR_GREEN : COLOUR_RED),
                        passes ? "passed" : "failed", page_colour(page, COLOUR_OFF));
        print_excess(page);
        fputc('\n', page->file);
}

void verification_print_text(const struct verification *verification, FILE *file, bool has_colours) {
        const struct page page = { verification, file, has_colours };

        print_truth(&page);
        print_loss(&page);
        print_count(&page, VERDICT_DUPLICATES);
        fputc('\n', file);
        print_disorder(&page);
        print_damage(&page);
        print_count(&page, VERDICT_UNKNOWN);
        fputc('\n', file);
        print_extra(&page);
        print_score(&page);
        print_verdict(&page);
}
