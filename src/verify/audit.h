/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was delivered, held against the truth
 *
 * Each line is one of: malformed (no JSON object, a key twice, too long), unidentified (nothing tells which
 * record it is), unknown (a record that the truth does not have), or a record of the truth: the first time
 * delivered, after that a duplicate. Damage and disorder come on top: a damaged one has a field of another
 * value than the truth, one in disorder comes after one that is later in the truth.
 */

#include "verify/truth.h"

#define AUDIT_KEYS_MAX 32u

struct audit_key {
        char name[READING_KEY_MAX]; /* cut if it is longer */
        uint64_t n;
};

struct audit_counts {
        uint64_t n_lines;
        uint64_t n_delivered; /* different records of the truth */
        uint64_t n_lost;
        uint64_t n_gaps; /* in the order of the truth, lost ones without one between them that was delivered
                          */
        uint64_t longest_gap;
        uint64_t n_lost_at_end; /* behind the last one that was delivered */
        uint64_t n_duplicates;
        uint64_t n_disorder;
        uint64_t n_sensor_disorder; /* after a later one of the same sensor */
        uint64_t latest_ns;         /* the most by which one was late, measured in the truth's time */
        uint64_t n_damaged;         /* lines that are malformed, unidentified, or differ */
        uint64_t n_malformed;
        uint64_t n_unidentified;
        uint64_t n_differing[READING_N_FIELDS];
        uint64_t n_missing[READING_N_FIELDS]; /* of these: the field is not there at all */
        uint64_t n_unknown;
        uint64_t n_extra; /* records with keys that i4 does not write */
        struct audit_key keys[AUDIT_KEYS_MAX];
        unsigned int n_keys; /* more than these were not told apart */
};

struct audit;

/*
 * After all of the truth was loaded. @detection: as for reading_parser_init(). @findings: NULL for none.
 * -ENOMEM, -ENAMETOOLONG.
 */
int audit_new(struct audit **auditp, struct truth *truth, const char *detection, FILE *findings);
struct audit *audit_free(struct audit *audit);

/*
 * Takes one line. *@recordp is the record of the truth that it is, or TABLE_NONE; *@readingp is what it says,
 * until the next one, NULL: nothing that could be a record. -ENOMEM, or what the truth complains about.
 */
int audit_take(struct audit *audit, struct json_span line, struct finding_place place, uint32_t *recordp,
                const struct reading **readingp);
void audit_take_long(struct audit *audit, struct finding_place place);

/* When nothing more comes: what is lost. */
void audit_finish(struct audit *audit);

const struct audit_counts *audit_get_counts(const struct audit *audit);

static inline void audit_freep(struct audit **audit) {
        if (*audit)
                (void) audit_free(*audit);
}
