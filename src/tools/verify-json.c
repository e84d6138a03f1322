/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A verification for programs
 *
 * The keys are an interface: i4-verify(1) lists them, none changes its meaning, new ones may come. What is
 * not known is null. Counters are exact below 2^53.
 */

#include "tools/verification.h"

#include "util/clock.h"
#include "util/json.h"
#include "util/macros.h"
#include "util/timestamp.h"

#include <errno.h>

static void add_time(cJSON *object, const char *key, uint64_t time_ns) {
        char text[TIMESTAMP_MAX];

        (void) cJSON_AddStringToObject(object, key, format_time(time_ns, 6, text));
}

static void add_verdict(cJSON *root, const struct verification *verification) {
        uint64_t n_truth = verification_get_n_truth(verification);
        cJSON *exceeded;

        (void) cJSON_AddBoolToObject(root, "passed", verification_passes(verification));
        exceeded = cJSON_AddArrayToObject(root, "exceeded");
        for (unsigned int i = 0; i < VERDICT_N_COUNTS; ++i)
                if (!verdict_count_passes(verification->limits, i, verification->counts, n_truth))
                        (void) cJSON_AddItemToArray(exceeded, cJSON_CreateString(verdict_count_to_string(i)));
        for (unsigned int i = 0; verification->score && i < VERDICT_N_SHARES; ++i)
                if (!verdict_share_passes(verification->limits, i, verification->score))
                        (void) cJSON_AddItemToArray(exceeded, cJSON_CreateString(verdict_share_to_string(i)));
}

static void add_truth(cJSON *root, const struct verification *verification) {
        const struct truth *truth = verification->truth;
        cJSON *object = cJSON_AddObjectToObject(root, "truth");

        json_add_count(object, "readings", verification_get_n_truth(verification));
        json_add_count(object, "files", sources_get_n(truth_get_sources(truth)));
        (void) cJSON_AddBoolToObject(object, "has_sequence", truth_has_sequence(truth));
        add_time(object, "first_timestamp", truth_get_first_time(truth));
        add_time(object, "last_timestamp", truth_get_last_time(truth));
        json_add_count(object, "memory_bytes", table_get_size(truth_get_table(truth)));
}

static void add_delivery(cJSON *root, const struct verification *verification) {
        const struct audit_counts *counts = verification->counts;
        cJSON *object;

        object = cJSON_AddObjectToObject(root, "delivered");
        json_add_count(object, "files", verification->n_files);
        json_add_count(object, "lines", counts->n_lines);
        json_add_count(object, "readings", counts->n_delivered);

        object = cJSON_AddObjectToObject(root, "loss");
        json_add_count(object, "readings", counts->n_lost);
        json_add_number(object, "share",
                        (double) counts->n_lost / (double) verification_get_n_truth(verification));
        json_add_count(object, "gaps", counts->n_gaps);
        json_add_count(object, "longest_gap_readings", counts->longest_gap);
        json_add_count(object, "at_end_readings", counts->n_lost_at_end);

        object = cJSON_AddObjectToObject(root, "duplicates");
        json_add_count(object, "lines", counts->n_duplicates);

        object = cJSON_AddObjectToObject(root, "disorder");
        json_add_count(object, "readings", counts->n_disorder);
        json_add_count(object, "same_sensor_readings", counts->n_sensor_disorder);
        json_add_number(object, "latest_seconds", (double) counts->latest_ns / (double) NSEC_PER_SEC);
}

static void add_damage(cJSON *root, const struct audit_counts *counts) {
        cJSON *object = cJSON_AddObjectToObject(root, "damage"), *fields, *field;

        json_add_count(object, "lines", counts->n_damaged);
        json_add_count(object, "malformed_lines", counts->n_malformed);
        json_add_count(object, "unidentified_lines", counts->n_unidentified);
        fields = cJSON_AddObjectToObject(object, "fields");
        for (unsigned int i = 0; i < READING_N_FIELDS; ++i) {
                if (counts->n_differing[i] == 0)
                        continue;
                field = cJSON_AddObjectToObject(fields, reading_field_to_string(i));
                json_add_count(field, "lines", counts->n_differing[i]);
                json_add_count(field, "missing_lines", counts->n_missing[i]);
        }

        object = cJSON_AddObjectToObject(root, "unknown");
        json_add_count(object, "lines", counts->n_unknown);
}

/* Keys are a stranger's, as they stand in a string of JSON, and may be cut within an escape. */
static void add_extra(cJSON *root, const struct audit_counts *counts) {
        cJSON *object = cJSON_AddObjectToObject(root, "extra"), *keys;

        json_add_count(object, "lines", counts->n_extra);
        keys = cJSON_AddObjectToObject(object, "keys");
        for (unsigned int i = 0; i < counts->n_keys; ++i)
                json_add_count(keys, counts->keys[i].name, counts->keys[i].n);
}

static void add_kind(cJSON *object, const struct score_kind *kind) {
        json_add_count(object, "readings", kind->n_readings);
        json_add_count(object, "detected_readings", kind->n_detected);
        json_add_count(object, "detections", kind->n_said);
        json_add_count(object, "right_detections", kind->n_said_right);
        json_add_count(object, "events", kind->n_events);
        json_add_count(object, "detected_events", kind->n_events_detected);
        json_add_number(object, "precision", score_kind_get_precision(kind));
        json_add_number(object, "recall", score_kind_get_recall(kind));
        json_add_number(object, "event_recall", score_kind_get_event_recall(kind));
        json_add_number(object, "median_delay_seconds", kind->median_delay_seconds);
        json_add_number(object, "longest_delay_seconds", kind->longest_delay_seconds);
}

static void add_score(cJSON *root, const struct score_counts *score) {
        cJSON *object, *kinds;

        if (!score) {
                (void) cJSON_AddNullToObject(root, "detection");
                return;
        }

        object = cJSON_AddObjectToObject(root, "detection");
        add_kind(object, &score->kinds[I4_FAULT_NONE]);
        json_add_count(object, "repeated_detections", score->n_repeated);
        json_add_count(object, "unknown_detections", score->n_unknown);
        kinds = cJSON_AddObjectToObject(object, "kinds");
        for (unsigned int i = I4_FAULT_NONE + 1; i < I4_N_FAULT; ++i)
                if (score->kinds[i].n_readings > 0 || score->kinds[i].n_said > 0)
                        add_kind(cJSON_AddObjectToObject(kinds, i4_fault_to_string(i)), &score->kinds[i]);
}

int verification_print_json(const struct verification *verification, FILE *file) {
        _cleanup_(json_freep) cJSON *root = cJSON_CreateObject();
        _cleanup_(json_text_freep) char *text = NULL;

        add_verdict(root, verification);
        add_truth(root, verification);
        add_delivery(root, verification);
        add_damage(root, verification->counts);
        add_extra(root, verification->counts);
        add_score(root, verification->score);

        text = cJSON_PrintUnformatted(root);
        if (!text)
                return -ENOMEM;

        fprintf(file, "%s\n", text);
        return 0;
}
