/* SPDX-License-Identifier: Apache-2.0 */

#include "verify/audit.h"

#include "util/macros.h"

#include <errno.h>
#include <string.h>

struct audit {
        struct truth *truth;
        FILE *findings;
        struct reading_parser parser;
        struct reading reading;
        unsigned int ignored;
        struct audit_counts counts;

        bool has_any;
        uint64_t latest_position; /* of all that have come */
        uint64_t latest_time_ns;
        uint64_t *sensor_positions; /* one more than of the latest of each sensor, 0: none has come */
};

int audit_new(struct audit **auditp, struct truth *truth, const char *detection, FILE *findings) {
        _cleanup_(audit_freep) struct audit *audit = calloc(1, sizeof(*audit));
        int r;

        if (!audit)
                return -ENOMEM;

        audit->truth = truth;
        audit->findings = findings;
        audit->ignored = truth_get_ignored(truth);
        r = reading_parser_init(&audit->parser, detection);
        if (r < 0)
                return r;
        /* A detector's label is its opinion. */
        if (detection && strcmp(detection, reading_field_to_string(READING_LABEL)) == 0)
                audit->ignored |= READING_BIT(READING_LABEL) | READING_BIT(READING_EVENT);

        audit->sensor_positions =
                        calloc(names_get_n(truth_get_names(truth)) + 1, sizeof(*audit->sensor_positions));
        if (!audit->sensor_positions)
                return -ENOMEM;

        *auditp = TAKE_PTR(audit);
        return 0;
}

struct audit *audit_free(struct audit *audit) {
        if (audit) {
                reading_parser_deinit(&audit->parser);
                free(audit->sensor_positions);
        }
        free(audit);
        return NULL;
}

/* damage */

static void audit_tell_field(struct audit *audit, struct finding_place place, uint32_t record,
                enum reading_field field, const struct reading *truth) {
        const struct json_span nothing = { "", 0 };
        unsigned int bit = READING_BIT(field);

        findings_tell_field(audit->findings, place, truth_describe(audit->truth, record),
                        reading_field_to_string(field), truth->seen & bit ? truth->values[field] : nothing,
                        audit->reading.seen & bit ? audit->reading.values[field] : nothing);
}

/* Another digest is no damage yet: it may be that the truth has a label and the reading, rightly, has none.
 */
static int audit_compare(struct audit *audit, struct finding_place place, uint32_t record) {
        const struct reading *truth;
        unsigned int differing, missing;
        int r;

        if (likely(table_record_has_digest(table_get(truth_get_table(audit->truth), record),
                            reading_get_digest(&audit->reading, audit->ignored))))
                return 0;

        r = truth_read(audit->truth, record, &truth);
        if (r < 0)
                return r;

        differing = reading_compare(&audit->reading, truth, audit->ignored, &missing);
        audit->counts.n_damaged += differing != 0;
        for (; differing != 0; differing &= differing - 1) {
                unsigned int field = (unsigned int) __builtin_ctz(differing);

                ++audit->counts.n_differing[field];
                audit->counts.n_missing[field] += !!(missing & READING_BIT(field));
                audit_tell_field(audit, place, record, field, truth);
        }

        return 0;
}

static void audit_count_key(struct audit *audit, struct json_span key) {
        struct audit_counts *counts = &audit->counts;
        size_t size = MIN(key.size, sizeof(counts->keys->name) - 1);
        unsigned int i = 0;

        /* Not within a character. */
        while (size > 0 && size < key.size && ((unsigned char) key.text[size] & 0xc0) == 0x80)
                --size;
        while (i < counts->n_keys && !(strncmp(counts->keys[i].name, key.text, size) == 0 &&
                                                     counts->keys[i].name[size] == 0))
                ++i;
        if (i == AUDIT_KEYS_MAX)
                return;

        if (i == counts->n_keys) {
                memcpy(counts->keys[i].name, key.text, size);
                ++counts->n_keys;
        }
        ++counts->keys[i].n;
}

static void audit_count_extras(struct audit *audit) {
        const struct reading *reading = &audit->reading;

        audit->counts.n_extra += reading->n_extras > 0;
        for (unsigned int i = 0; i < MIN(reading->n_extras, READING_EXTRAS_MAX); ++i)
                audit_count_key(audit, reading->extras[i]);
}

/* order */

static void audit_count_disorder(struct audit *audit, struct finding_place place, uint32_t record) {
        const struct table_record *entry = table_get(truth_get_table(audit->truth), record);
        uint64_t position = truth_get_position(audit->truth, record);
        uint64_t *sensor_position = &audit->sensor_positions[entry->sensor];
        uint64_t late_ns = audit->latest_time_ns - MIN(audit->latest_time_ns, entry->time_ns);

        if (audit->has_any && position < audit->latest_position) {
                ++audit->counts.n_disorder;
                audit->counts.latest_ns = MAX(audit->counts.latest_ns, late_ns);
                findings_tell(audit->findings, "disorder", place, truth_describe(audit->truth, record),
                                late_ns);
        }
        audit->counts.n_sensor_disorder += position + 1 < *sensor_position;

        audit->has_any = true;
        audit->latest_position = MAX(audit->latest_position, position);
        audit->latest_time_ns = MAX(audit->latest_time_ns, entry->time_ns);
        *sensor_position = MAX(*sensor_position, position + 1);
}

/* lines */

static void audit_count_unidentified(struct audit *audit, struct finding_place place) {
        ++audit->counts.n_damaged;
        ++audit->counts.n_unidentified;
        findings_tell_line(audit->findings, "damage", place,
                        "nothing tells which record this is: it needs seq, or sensor_id and timestamp");
}

static void audit_count_malformed(struct audit *audit, struct finding_place place, const char *reason) {
        ++audit->counts.n_damaged;
        ++audit->counts.n_malformed;
        findings_tell_line(audit->findings, "damage", place, reason);
}

static int audit_take_record(struct audit *audit, struct finding_place place, uint32_t record) {
        struct table_record *entry = table_get(truth_get_table(audit->truth), record);

        if (entry->is_delivered) {
                ++audit->counts.n_duplicates;
                findings_tell(audit->findings, "duplicate", place, truth_describe(audit->truth, record), 0);
        } else {
                ++audit->counts.n_delivered;
                audit_count_disorder(audit, place, record);
                entry->is_delivered = true;
        }

        audit_count_extras(audit);
        return audit_compare(audit, place, record);
}

int audit_take(struct audit *audit, struct json_span line, struct finding_place place, uint32_t *recordp,
                const struct reading **readingp) {
        uint32_t record = TABLE_NONE;
        int r;

        ++audit->counts.n_lines;
        *readingp = NULL;
        *recordp = TABLE_NONE;

        r = reading_parse(&audit->parser, &audit->reading, line.text, line.size);
        if (r < 0) {
                audit_count_malformed(audit, place, audit->reading.reason);
                return 0;
        }

        r = truth_find(audit->truth, &audit->reading, &record);
        if (r == -EBADMSG) {
                audit_count_unidentified(audit, place);
                return 0;
        }
        if (r < 0)
                return r;

        *readingp = &audit->reading;
        if (record == TABLE_NONE) {
                ++audit->counts.n_unknown;
                findings_tell_line(audit->findings, "unknown", place, "the truth has no such record");
                return 0;
        }

        *recordp = record;
        return audit_take_record(audit, place, record);
}

void audit_take_long(struct audit *audit, struct finding_place place) {
        ++audit->counts.n_lines;
        audit_count_malformed(audit, place, "the line is too long to be a reading");
}

void audit_finish(struct audit *audit) {
        struct audit_counts *counts = &audit->counts;
        const struct finding_place nowhere = {};
        uint64_t gap = 0;

        for (uint32_t i = 0; i < table_get_n(truth_get_table(audit->truth)); ++i) {
                if (table_get(truth_get_table(audit->truth), i)->is_delivered) {
                        gap = 0;
                        continue;
                }

                ++counts->n_lost;
                counts->n_gaps += gap == 0;
                ++gap;
                counts->longest_gap = MAX(counts->longest_gap, gap);
                findings_tell(audit->findings, "lost", nowhere, truth_describe(audit->truth, i), 0);
        }
        counts->n_lost_at_end = gap;
}

const struct audit_counts *audit_get_counts(const struct audit *audit) {
        return &audit->counts;
}
