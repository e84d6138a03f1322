/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What it takes to make a run again
 *
 * A daemon notes each anchor in a file beside its readings (anchors.jsonl), one JSON object a line: from
 * which reading on which step is due when, and all settings that decide what is in it. A line says
 * everything, so the file may begin anywhere. Numbers of 64 bits are strings, since those of JSON are
 * doubles.
 *
 *     {"sequence":"0","step":"0","anchor_step":"0","anchor_time":"2026-11-25T10:00:00.123456789Z",
 *      "rate_records":"10000","rate_period_ns":"1000000000","reason":"start","seed":"7","sensors":8000,…}
 *
 * Files that the settings name are known by a digest of what was in them.
 */

#include "model/model.h"
#include "model/profile.h"
#include "util/complaint.h"
#include "util/parse.h"

#define NOTES_NAME     "anchors.jsonl"
#define NOTES_OLD_NAME "anchors.old.jsonl" /* what was in it before it grew too large */

/* Incidents that were ordered, beside the readings too. */
#define INJECTED_NAME "injected.jsonl"

/* Paths are the owner's. */
struct note_settings {
        uint64_t seed;
        uint32_t n_sensors;
        uint32_t anomalies_e4;
        uint32_t shard, n_shards;
        struct mix mix; /* all zero: the usual one */
        enum model_kind model;
        unsigned int extras; /* of stored lines, enum i4_extra */
        struct rate rate;    /* what holds after the end of a profile */
        struct profile profile;
        char *catalog; /* NULL: the compiled-in one */
        char *scenario;
        uint64_t catalog_digest, scenario_digest; /* 0: no such file */
};

struct note {
        uint64_t sequence; /* of the first reading it holds for */
        uint64_t step;     /* which step that is */
        struct anchor anchor;
        uint64_t until_ns;  /* when the profile sets the next one; 0: it does not */
        uint64_t origin_ns; /* when the profile began; 0: there is none */
        uint64_t n_missed;  /* anchors before this one that nobody could note */
        char reason[32];    /* "start" */
        struct note_settings settings;
};

/* One line with its end, to be freed. -ENOMEM. */
int note_format(const struct note *note, char **linep);

/* Equal ones have equal numbers, never 0; what a file is called does not count if it is the same. 0: no
 * memory. */
uint64_t note_settings_get_id(const struct note_settings *settings);

/* Of what is in a file of at most 64 MiB; never 0. */
int note_digest_file(const char *path, uint64_t *digestp);

struct notes {
        struct note *notes; /* by sequence, which grows from each to the next */
        size_t n;
};

/*
 * A file's text, behind what is in @notes. Where two notes hold from one reading on, the later line counts,
 * and so does a line with a sequence before those of earlier ones. A last line without its end is left out:
 * it is being written. What is no JSON is told to @complaints and skipped. -EINVAL: a mistake, told as well.
 * -ENOMEM.
 */
int notes_parse(struct notes *notes, const char *file, const char *text, size_t size,
                struct complaints *complaints);

/* Both files of @directory. As above; -EINVAL as well if there is none, or nothing in it. */
int notes_load(struct notes *notes, const char *directory, struct complaints *complaints);

void notes_deinit(struct notes *notes);
