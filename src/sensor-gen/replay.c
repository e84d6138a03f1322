/* SPDX-License-Identifier: Apache-2.0 */

#include "sensor-gen/replay.h"

#include "model/chronicle.h"
#include "sensor-gen/console.h"
#include "sensor-gen/generator.h"
#include "sensor-gen/sidecar.h"
#include "sensor-gen/signals.h"
#include "storage/ledger.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int fail(const char *subject, const char *format, ...) _printf_(2, 3);

static int fail(const char *subject, const char *format, ...) {
        va_list args;

        (void) fprintf(stderr, "sensor-gen: %s: ", subject);
        va_start(args, format);
        (void) vfprintf(stderr, format, args);
        va_end(args);
        (void) fputc('\n', stderr);
        return -EINVAL;
}

/* settings */

/* A file that was changed since makes other readings. */
static int file_check(const char *path, uint64_t digest, const char *flag) {
        uint64_t now;
        int r;

        r = note_digest_file(path, &now);
        if (r < 0)
                return fail(path, "%s; name a copy with -%s", strerror(-r), flag);
        if (digest != 0 && digest != now)
                return fail(path, "it is not what it was then; name the one of then with -%s", flag);

        return 0;
}

static int files_check(const struct replay *replay, const struct note_settings *settings) {
        const struct options *options = replay->options;
        int r = 0;

        if (settings->catalog && !options->catalog_path)
                r = file_check(settings->catalog, settings->catalog_digest, "catalog");
        if (r >= 0 && settings->scenario && !options->scenario_path)
                r = file_check(settings->scenario, settings->scenario_digest, "scenario");

        return r;
}

/* The flags, and where they say nothing what the daemon did. */
static void replay_set_options(struct replay *replay, const struct note_settings *settings) {
        const struct options *options = replay->options;
        struct options *own = &replay->own;

        *own = *options;
        own->seed = settings->seed;
        own->n_sensors = settings->n_sensors;
        own->anomalies_e4 = settings->anomalies_e4;
        own->mix = settings->mix;
        own->model = settings->model;
        own->rate = settings->rate;
        own->profile = settings->profile;
        own->extras = options->has_extras ? options->extras : settings->extras;
        own->catalog_path = options->catalog_path ? options->catalog_path : settings->catalog;
        own->scenario_path = options->scenario_path ? options->scenario_path : settings->scenario;
        own->record_path = replay->record_path;
        /* Numbers have no gaps, whosever share it is. */
        own->n_shards = 1;
}

/* The plan of @note; that of the note before serves again if it can. */
static int replay_make_plan(struct replay *replay, const struct note *note) {
        uint64_t id = note_settings_get_id(&note->settings);
        int r;

        if (id == 0)
                return -ENOMEM;
        if (id == replay->settings_id)
                return 0;

        plan_deinit(&replay->plan);
        replay->settings_id = 0;
        r = files_check(replay, &note->settings);
        if (r < 0)
                return r;

        replay_set_options(replay, &note->settings);
        r = plan_init(&replay->plan, &replay->own);
        if (r >= 0)
                replay->settings_id = id;
        return r;
}

/* parts */

static const struct note *replay_get_following(const struct replay *replay, size_t i) {
        return i + 1 < replay->notes.n ? &replay->notes.notes[i + 1] : NULL;
}

static uint64_t note_get_time(const struct note *note) {
        return note->anchor.rate.period_ns > 0 ? anchor_get_time(&note->anchor, note->step)
                                               : note->anchor.time_ns;
}

/*
 * Where a daemon began that knew of no ring, the one before may have ended in a crash: then its numbers go on
 * above all that may have been stored, and only time tells which of them were used.
 */
static uint64_t part_get_end_time(const struct replay *replay, size_t i) {
        const struct note *note = &replay->notes.notes[i], *following = replay_get_following(replay, i);
        uint64_t now_ns = clock_now_ns(CLOCK_REALTIME), end_ns = following ? NSEC_INFINITY : now_ns + 1;

        if (following && strcmp(following->reason, "start") == 0 &&
                        note_get_time(following) > note_get_time(note))
                end_ns = note_get_time(following);

        return replay->options->has_to ? MIN(end_ns, replay->options->to_ns) : end_ns;
}

static bool part_is_outside(const struct replay *replay, size_t i) {
        const struct note *note = &replay->notes.notes[i], *following = replay_get_following(replay, i);
        const struct options *options = replay->options;

        if (options->has_to && note_get_time(note) >= options->to_ns)
                return true;

        return options->has_from && following && note_get_time(following) <= options->from_ns;
}

/* Of @note's machine, or of another, or all of them. */
static void part_set_share(const struct replay *replay, const struct note *note, struct part *part) {
        const struct options *options = replay->options;
        uint64_t step = note->step;

        part->stride = note->settings.n_shards;
        part->end_step = step + (part->end_sequence - note->sequence) * part->stride;
        if (options->has_shard) {
                part->stride = options->n_shards;
                step += (options->shard + part->stride - step % part->stride) % part->stride;
        }
        part->step = step;
}

/* 1; 0: nothing of it is to be made. */
static int part_init(struct part *part, const struct replay *replay, size_t i) {
        const struct note *note = &replay->notes.notes[i], *following = replay_get_following(replay, i);
        const struct options *options = replay->options;

        *part = (struct part){
                .note = note,
                .end_sequence = following ? following->sequence : replay->end_sequence,
                .from_ns = options->has_from ? options->from_ns : 0,
                .to_ns = part_get_end_time(replay, i),
        };
        if (part->end_sequence <= note->sequence || part_is_outside(replay, i))
                return 0;

        if (note->anchor.rate.period_ns == 0)
                return fail(options->replay_path,
                                "readings %" PRIu64 " to %" PRIu64
                                " were made as fast as the machine went, which cannot be "
                                "done again: leave them out with -from or -to",
                                note->sequence, part->end_sequence - 1);
        if (note->n_missed > 0)
                (void) fail(options->replay_path,
                                "an anchor before reading %" PRIu64
                                " could not be noted: some before it may differ",
                                note->sequence);

        part_set_share(replay, note, part);
        return 1;
}

/* running */

struct progress {
        struct console console;
        struct console_statistics statistics;
        struct output *output;
        FILE *events; /* NULL: none are told */
};

static int progress_make(struct progress *progress, const struct replay *replay, const struct part *part,
                struct chronicle *chronicle) {
        _cleanup_(generator_freep) struct generator *generator = NULL;
        struct console_statistics statistics;
        int r;

        r = generator_new(&generator, &replay->own, part, replay->plan.catalog, replay->plan.model, chronicle,
                        progress->output);
        if (r < 0)
                return r;

        r = generator_run(generator, &progress->console);
        generator_get_statistics(generator, &statistics);
        progress->statistics.n_records += statistics.n_records;
        progress->statistics.n_bytes += statistics.n_bytes;
        progress->statistics.size = statistics.size;
        progress->output->offset = statistics.size;
        return r;
}

/* All notes whose settings are those of the next one: one plan, and one list of what showed. */
static int replay_run_plan(struct replay *replay, struct progress *progress) {
        _cleanup_(chronicle_freep) struct chronicle *chronicle = NULL;
        const struct plan *plan = &replay->plan;
        uint64_t id = replay->settings_id;
        struct part part;
        int r = 0;

        if (progress->events)
                r = chronicle_new(&chronicle, plan->model, plan->scenario, plan->catalog, progress->events);

        while (r >= 0 && signals_get_n_stops() == 0 && replay->next < replay->notes.n &&
                        note_settings_get_id(&replay->notes.notes[replay->next].settings) == id) {
                r = part_init(&part, replay, replay->next++);
                if (r > 0)
                        r = progress_make(progress, replay, &part, chronicle);
        }

        return r;
}

static int replay_run_all(struct replay *replay, struct progress *progress) {
        int r = 0;

        while (r >= 0 && signals_get_n_stops() == 0 && replay->next < replay->notes.n) {
                r = replay_make_plan(replay, &replay->notes.notes[replay->next]);
                if (r >= 0)
                        r = replay_run_plan(replay, progress);
        }

        return r;
}

int replay_run(struct replay *replay, struct output *output) {
        _cleanup_(sidecar_closep) FILE *events = NULL;
        const struct options *options = replay->options;
        struct progress progress = { .output = output };
        int r = 0, q;

        if (options->has_sidecar)
                r = output->is_stream ? -ESPIPE : sidecar_open(&events, options->path, options->is_append);
        if (r < 0)
                return r;

        progress.events = events;
        console_init(&progress.console, options);
        console_begin(&progress.console, options);
        r = replay_run_all(replay, &progress);
        console_end(&progress.console, &progress.statistics);

        q = sidecar_close(TAKE_PTR(events));
        /* Whoever reads a pipe has had enough: an end like Ctrl-C. */
        if (r < 0)
                return r == -EPIPE ? 0 : r;
        return q;
}

/* life cycle */

int replay_init(struct replay *replay, const struct options *options) {
        struct complaints complaints = { .report = complaint_print };
        int r;

        *replay = (struct replay){ .options = options };
        if (snprintf(replay->record_path, sizeof(replay->record_path), "%s/" INJECTED_NAME,
                            options->replay_path) >= (int) sizeof(replay->record_path))
                return fail(options->replay_path, "%s", strerror(ENAMETOOLONG));

        r = notes_load(&replay->notes, options->replay_path, &complaints);
        if (r < 0)
                return r;
        r = ledger_read(options->replay_path, &replay->end_sequence);
        if (r < 0)
                return fail(options->replay_path, "its .sequence is damaged");

        return replay_make_plan(replay, &replay->notes.notes[0]);
}

void replay_deinit(struct replay *replay) {
        plan_deinit(&replay->plan);
        notes_deinit(&replay->notes);
}
