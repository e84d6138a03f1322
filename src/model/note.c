/* SPDX-License-Identifier: Apache-2.0 */

#include "model/note.h"

#include "util/clock.h"
#include "util/file.h"
#include "util/json.h"
#include "util/macros.h"
#include "util/random.h"
#include "util/timestamp.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t) 64 * 1024 * 1024)
#define LINE_SIZE_MAX ((size_t) 64 * 1024)

#define NUMBER_SIZE 32

/* digests */

/* Not against an enemy: against a file that was changed meanwhile. */
static uint64_t digest(const char *bytes, size_t n) {
        uint64_t state = n;

        for (size_t i = 0; i < n; ++i)
                state = random_mix(state + (uint8_t) bytes[i] + 1);

        return MAX(state, 1);
}

int note_digest_file(const char *path, uint64_t *digestp) {
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = file_read(path, FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return r;

        *digestp = digest(text, size);
        return 0;
}

/* writing */

static const char *labels_get_name(unsigned int extras) {
        return extras & I4_EXTRA_LABEL ? "inline" : "none";
}

static bool add_number(cJSON *json, const char *name, uint64_t number) {
        char text[NUMBER_SIZE];

        (void) snprintf(text, sizeof(text), "%" PRIu64, number);
        return cJSON_AddStringToObject(json, name, text);
}

static bool add_time(cJSON *json, const char *name, uint64_t time_ns) {
        char text[TIMESTAMP_MAX];

        return time_ns == 0 || cJSON_AddStringToObject(json, name, format_time(time_ns, 9, text));
}

static bool add_file(
                cJSON *json, const char *name, const char *path, const char *digest_name, uint64_t number) {
        char text[NUMBER_SIZE];

        if (!path)
                return true;

        (void) snprintf(text, sizeof(text), "%016" PRIx64, number);
        return (!name || cJSON_AddStringToObject(json, name, path)) &&
               cJSON_AddStringToObject(json, digest_name, text);
}

static bool add_mix(cJSON *json, const struct mix *mix) {
        char text[MIX_TEXT_MAX];

        return mix_get_sum(mix) == 0 || cJSON_AddStringToObject(json, "anomaly_mix", mix_format(mix, text));
}

static bool add_profile(cJSON *json, const struct profile *profile) {
        char text[PROFILE_TEXT_MAX];

        return profile->n_phases == 0 ||
               cJSON_AddStringToObject(json, "schedule", profile_format(profile, text));
}

static bool add_settings(cJSON *json, const struct note_settings *settings, bool has_paths) {
        char rate[FORMAT_MAX], share[NUMBER_SIZE], shard[NUMBER_SIZE];

        (void) snprintf(share, sizeof(share), "%" PRIu32 ".%02" PRIu32 "%%", settings->anomalies_e4 / 100,
                        settings->anomalies_e4 % 100);
        (void) snprintf(shard, sizeof(shard), "%" PRIu32 "/%" PRIu32, settings->shard, settings->n_shards);

        return add_number(json, "seed", settings->seed) &&
               cJSON_AddNumberToObject(json, "sensors", settings->n_sensors) &&
               cJSON_AddStringToObject(json, "model", model_kind_to_string(settings->model)) &&
               cJSON_AddStringToObject(json, "anomalies", share) && add_mix(json, &settings->mix) &&
               cJSON_AddStringToObject(json, "shard", shard) &&
               cJSON_AddStringToObject(json, "rate", format_rate(settings->rate, rate)) &&
               add_profile(json, &settings->profile) &&
               cJSON_AddStringToObject(json, "labels", labels_get_name(settings->extras)) &&
               cJSON_AddBoolToObject(json, "numbered", settings->extras & I4_EXTRA_SEQUENCE) &&
               add_file(json, has_paths ? "catalog" : NULL, settings->catalog, "catalog_digest",
                               settings->catalog_digest) &&
               add_file(json, has_paths ? "scenario" : NULL, settings->scenario, "scenario_digest",
                               settings->scenario_digest) &&
               cJSON_AddStringToObject(json, "version", I4_VERSION);
}

static bool add_anchor(cJSON *json, const struct note *note) {
        return add_number(json, "sequence", note->sequence) && add_number(json, "step", note->step) &&
               add_number(json, "anchor_step", note->anchor.step) &&
               add_time(json, "anchor_time", note->anchor.time_ns) &&
               add_number(json, "rate_records", note->anchor.rate.n_records) &&
               add_number(json, "rate_period_ns", note->anchor.rate.period_ns) &&
               add_time(json, "until", note->until_ns) && add_time(json, "schedule_time", note->origin_ns) &&
               (note->n_missed == 0 || add_number(json, "missed_anchors", note->n_missed)) &&
               cJSON_AddStringToObject(json, "reason", note->reason);
}

int note_format(const struct note *note, char **linep) {
        _cleanup_(json_freep) cJSON *json = cJSON_CreateObject();
        _cleanup_(freep) char *text = NULL;

        if (json && add_anchor(json, note) && add_settings(json, &note->settings, true))
                text = cJSON_PrintUnformatted(json);

        return text && asprintf(linep, "%s\n", text) >= 0 ? 0 : -ENOMEM;
}

uint64_t note_settings_get_id(const struct note_settings *settings) {
        _cleanup_(json_freep) cJSON *json = cJSON_CreateObject();
        _cleanup_(freep) char *text = NULL;

        if (json && add_settings(json, settings, false))
                text = cJSON_PrintUnformatted(json);

        return text ? digest(text, strlen(text)) : 0;
}

/* reading */

static int number_take(const char *text, uint64_t *value) {
        return parse_uint64(text, value);
}

#define TAKE_NUMBER(name, member)                                                                            \
        static int name##_take(struct note *note, const char *text) {                                        \
                return number_take(text, &note->member);                                                     \
        }
#define TAKE_TIME(name, member)                                                                              \
        static int name##_take(struct note *note, const char *text) {                                        \
                return parse_time(text, &note->member);                                                      \
        }

TAKE_NUMBER(sequence, sequence)
TAKE_NUMBER(step, step)
TAKE_NUMBER(anchor_step, anchor.step)
TAKE_NUMBER(records, anchor.rate.n_records)
TAKE_NUMBER(period, anchor.rate.period_ns)
TAKE_NUMBER(missed, n_missed)
TAKE_NUMBER(seed, settings.seed)
TAKE_TIME(anchor_time, anchor.time_ns)
TAKE_TIME(until, until_ns)
TAKE_TIME(origin, origin_ns)

static int reason_take(struct note *note, const char *text) {
        (void) snprintf(note->reason, sizeof(note->reason), "%s", text);
        return 0;
}

static int sensors_take(struct note *note, const char *text) {
        uint64_t n;
        int r;

        r = parse_uint64(text, &n);
        if (r < 0)
                return r;
        if (n < 1 || n > UINT32_MAX)
                return -ERANGE;

        note->settings.n_sensors = (uint32_t) n;
        return 0;
}

static int model_take(struct note *note, const char *text) {
        return model_kind_from_string(text, &note->settings.model);
}

static int anomalies_take(struct note *note, const char *text) {
        return parse_percent(text, &note->settings.anomalies_e4);
}

static int mix_take(struct note *note, const char *text) {
        return mix_parse(text, &note->settings.mix);
}

static int shard_take(struct note *note, const char *text) {
        return parse_shard(text, &note->settings.shard, &note->settings.n_shards);
}

static int rate_take(struct note *note, const char *text) {
        return parse_rate(text, &note->settings.rate);
}

static int schedule_take(struct note *note, const char *text) {
        return profile_parse(text, &note->settings.profile);
}

static int labels_take(struct note *note, const char *text) {
        if (strcmp(text, "inline") == 0)
                note->settings.extras |= I4_EXTRA_LABEL;
        else if (strcmp(text, "none") != 0)
                return -EINVAL;

        return 0;
}

static int numbered_take(struct note *note, const char *text) {
        bool is_numbered;
        int r;

        r = parse_bool(text, &is_numbered);
        if (r >= 0 && is_numbered)
                note->settings.extras |= I4_EXTRA_SEQUENCE;
        return r;
}

static int path_take(const char *text, char **pathp) {
        free(*pathp);
        *pathp = strdup(text);
        return *pathp ? 0 : -ENOMEM;
}

static int catalog_take(struct note *note, const char *text) {
        return path_take(text, &note->settings.catalog);
}

static int scenario_take(struct note *note, const char *text) {
        return path_take(text, &note->settings.scenario);
}

static int digest_take(const char *text, uint64_t *digestp) {
        size_t n = strlen(text);

        if (n != 16 || strspn(text, "0123456789abcdef") != n)
                return -EINVAL;

        *digestp = strtoull(text, NULL, 16);
        return 0;
}

static int catalog_digest_take(struct note *note, const char *text) {
        return digest_take(text, &note->settings.catalog_digest);
}

static int scenario_digest_take(struct note *note, const char *text) {
        return digest_take(text, &note->settings.scenario_digest);
}

/* Another version may make other readings; that is for who makes them to say. */
static int version_take(struct note *note, const char *text) {
        return 0;
}

static const struct key {
        const char *name;
        int (*take)(struct note *note, const char *text);
        bool is_optional;
} keys[] = {
        { "sequence", sequence_take },
        { "step", step_take },
        { "anchor_step", anchor_step_take },
        { "anchor_time", anchor_time_take },
        { "rate_records", records_take },
        { "rate_period_ns", period_take },
        { "until", until_take, true },
        { "schedule_time", origin_take, true },
        { "missed_anchors", missed_take, true },
        { "reason", reason_take },
        { "seed", seed_take },
        { "sensors", sensors_take },
        { "model", model_take },
        { "anomalies", anomalies_take },
        { "anomaly_mix", mix_take, true },
        { "shard", shard_take },
        { "rate", rate_take },
        { "schedule", schedule_take, true },
        { "labels", labels_take },
        { "numbered", numbered_take },
        { "catalog", catalog_take, true },
        { "catalog_digest", catalog_digest_take, true },
        { "scenario", scenario_take, true },
        { "scenario_digest", scenario_digest_take, true },
        { "version", version_take },
};

/* As text whatever it is; NULL: neither string, whole number nor yes or no. */
static const char *json_get_text(const cJSON *json, char buffer[static NUMBER_SIZE]) {
        double number = cJSON_GetNumberValue(json);

        if (cJSON_IsString(json))
                return json->valuestring;
        if (cJSON_IsBool(json))
                return cJSON_IsTrue(json) ? "yes" : "no";
        if (!(number >= 0 && number <= UINT32_MAX))
                return NULL;

        (void) snprintf(buffer, NUMBER_SIZE, "%.17g", number);
        return buffer;
}

static int note_take_key(struct note *note, const cJSON *json, const struct key *key, const char *file,
                unsigned int line, struct complaints *complaints) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, key->name);
        char buffer[NUMBER_SIZE];
        const char *text;
        int r;

        if (!value && key->is_optional)
                return 0;

        text = value ? json_get_text(value, buffer) : NULL;
        r = text ? key->take(note, text) : -EINVAL;
        if (r < 0 && r != -ENOMEM)
                complain(complaints, file, line,
                                value ? "\"%s\" is not what i4d writes" : "An anchor lacks its \"%s\"",
                                key->name);
        return r;
}

static void note_deinit(struct note *note) {
        free(note->settings.catalog);
        free(note->settings.scenario);
        *note = (struct note){};
}

/* Whatever a stranger writes there, the arithmetic of schedules can be done with it. */
static bool note_is_sane(const struct note *note) {
        const struct rate *rate = &note->anchor.rate;
        const struct note_settings *settings = &note->settings;

        if (rate->period_ns > 0 && (rate->n_records == 0 || rate->n_records > rate->period_ns))
                return false;
        if (note->until_ns > 0 && (note->until_ns <= note->anchor.time_ns || rate->period_ns == 0))
                return false;

        return note->step >= note->anchor.step &&
               note->step % settings->n_shards == settings->shard % settings->n_shards;
}

/* 1; 0: there is none in this line. */
static int note_parse(struct note *note, const char *file, unsigned int line, const char *text, size_t size,
                struct complaints *complaints) {
        _cleanup_(json_freep) cJSON *json = size <= LINE_SIZE_MAX ? cJSON_ParseWithLength(text, size) : NULL;
        int r;

        /* A line that was torn when the node lost its power, and ended since. */
        if (!cJSON_IsObject(json)) {
                complain(complaints, file, line, "This is not JSON, or no object: skipped");
                return 0;
        }

        for (size_t i = 0; i < ELEMENTSOF(keys); ++i) {
                r = note_take_key(note, json, &keys[i], file, line, complaints);
                if (r < 0)
                        return r == -ENOMEM ? r : -EINVAL;
        }

        if (!note_is_sane(note)) {
                complain(complaints, file, line, "These numbers are no anchor's");
                return -EINVAL;
        }

        return 1;
}

/* Takes over what @note owns. */
static int notes_add(struct notes *notes, struct note *note) {
        struct note *larger;

        while (notes->n > 0 && notes->notes[notes->n - 1].sequence >= note->sequence)
                note_deinit(&notes->notes[--notes->n]);

        larger = reallocarray(notes->notes, notes->n + 1, sizeof(*larger));
        if (!larger)
                return -ENOMEM;

        notes->notes = larger;
        notes->notes[notes->n++] = *note;
        *note = (struct note){};
        return 0;
}

int notes_parse(struct notes *notes, const char *file, const char *text, size_t size,
                struct complaints *complaints) {
        const char *end = text + size, *newline;
        unsigned int line = 0;
        int r;

        while ((newline = memchr(text, '\n', (size_t) (end - text)))) {
                struct note note = {};

                r = note_parse(&note, file, ++line, text, (size_t) (newline - text), complaints);
                if (r > 0)
                        r = notes_add(notes, &note);
                note_deinit(&note);
                if (r < 0)
                        return r;
                text = newline + 1;
        }

        return 0;
}

static int notes_load_file(
                struct notes *notes, const char *directory, const char *name, struct complaints *complaints) {
        _cleanup_(freep) char *text = NULL;
        char path[PATH_MAX];
        size_t size;
        int r;

        if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int) sizeof(path))
                return -ENAMETOOLONG;

        r = file_read(path, FILE_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                return 0;
        if (r < 0) {
                complain(complaints, path, 0, "Cannot be read: %s", strerror(-r));
                return -EINVAL;
        }

        return notes_parse(notes, path, text, size, complaints);
}

int notes_load(struct notes *notes, const char *directory, struct complaints *complaints) {
        int r;

        r = notes_load_file(notes, directory, NOTES_OLD_NAME, complaints);
        if (r >= 0)
                r = notes_load_file(notes, directory, NOTES_NAME, complaints);
        if (r < 0)
                return r;

        if (notes->n == 0) {
                complain(complaints, directory, 0,
                                "There is no " NOTES_NAME " with an anchor in it: is this where i4d "
                                "keeps readings?");
                return -EINVAL;
        }

        return 0;
}

void notes_deinit(struct notes *notes) {
        for (size_t i = 0; i < notes->n; ++i)
                note_deinit(&notes->notes[i]);

        free(notes->notes);
        *notes = (struct notes){};
}
