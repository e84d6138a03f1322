/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/anchors.h"

#include "util/macros.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

struct anchors {
        struct spool *spool;
        struct pacer_state *state;
        struct note_settings settings;
        uint64_t settings_id;
        uint64_t n_missed; /* since the last note */
};

int anchors_new(struct anchors **anchorsp, struct spool *spool, struct pacer_state *state) {
        struct anchors *anchors = calloc(1, sizeof(*anchors));

        if (!anchors)
                return -ENOMEM;

        anchors->spool = spool;
        anchors->state = state;
        *anchorsp = anchors;
        return 0;
}

static void settings_deinit(struct note_settings *settings) {
        free(settings->catalog);
        free(settings->scenario);
        *settings = (struct note_settings){};
}

struct anchors *anchors_free(struct anchors *anchors) {
        if (anchors)
                settings_deinit(&anchors->settings);
        free(anchors);
        return NULL;
}

int anchors_set_settings(struct anchors *anchors, const struct note_settings *settings) {
        struct note_settings copy = *settings;
        uint64_t id = note_settings_get_id(settings);

        copy.catalog = settings->catalog ? strdup(settings->catalog) : NULL;
        copy.scenario = settings->scenario ? strdup(settings->scenario) : NULL;
        if ((settings->catalog && !copy.catalog) || (settings->scenario && !copy.scenario) || id == 0) {
                settings_deinit(&copy);
                return -ENOMEM;
        }

        settings_deinit(&anchors->settings);
        anchors->settings = copy;
        anchors->settings_id = id;
        return 0;
}

static const char *reason_to_string(uint64_t reason) {
        switch (reason) {
        case PACER_STARTED:
                return "start";
        case PACER_RATE_CHANGED:
                return "rate change";
        case PACER_CLOCK_STEPPED:
                return "clock step";
        case PACER_SKIPPED:
                return "skip";
        case PACER_SCHEDULED:
                return "schedule";
        default:
                return "unknown";
        }
}

static int anchors_put(struct anchors *anchors, const struct pacer_anchor *anchor, uint64_t sequence,
                const char *reason) {
        struct note note = {
                .sequence = sequence,
                .step = anchor->first_step + (sequence - anchor->sequence) * anchors->settings.n_shards,
                .anchor = { anchor->step, anchor->time_ns, { anchor->rate_records, anchor->rate_period_ns } },
                .until_ns = anchor->until_ns,
                .origin_ns = anchor->origin_ns,
                .n_missed = anchors->n_missed,
                .settings = anchors->settings,
        };
        _cleanup_(freep) char *line = NULL;
        int r;

        (void) snprintf(note.reason, sizeof(note.reason), "%s", reason);
        r = note_format(&note, &line);
        if (r < 0)
                return r;
        r = spool_put(anchors->spool, line);
        if (r < 0)
                return r;

        anchors->n_missed = 0;
        anchors->state->noted_id = anchors->settings_id;
        return 0;
}

static int anchors_note_next(struct anchors *anchors) {
        struct pacer_state *state = anchors->state;
        struct pacer_anchor anchor;
        int r = 0;

        if (pacer_state_get_anchor(state, state->n_noted, &anchor) < 0)
                ++anchors->n_missed;
        else if (anchors->n_missed > 0 || !pacer_anchor_is_implied(&anchor))
                r = anchors_put(anchors, &anchor, anchor.sequence, reason_to_string(anchor.reason));

        /* A kill in between makes the next one write it once more, which does no harm. */
        if (r >= 0)
                ++state->n_noted;
        return r;
}

/* The one in force again, where the file does not say it or not with what holds. */
static int anchors_repeat(struct anchors *anchors, const uint64_t *headp, const char *reason) {
        struct pacer_state *state = anchors->state;
        struct pacer_anchor anchor;
        uint64_t n;

        do
                n = atomic_load_explicit(&state->n_anchors, memory_order_acquire);
        while (n > 0 && pacer_state_get_anchor(state, n - 1, &anchor) < 0);

        if (state->n_noted == 0 || n == 0)
                return 0;

        return anchors_put(anchors, &anchor, headp ? *headp : anchor.sequence, reason);
}

static bool anchors_are_noted(const struct anchors *anchors) {
        const struct pacer_state *state = anchors->state;
        uint64_t n = atomic_load_explicit(&state->n_anchors, memory_order_acquire);

        /* Where one is lost, what holds now is noted, be it implied. */
        if (anchors->n_missed > 0)
                return state->n_noted >= n;

        return state->n_noted >= MIN(n, atomic_load_explicit(&state->n_explicit, memory_order_relaxed));
}

/* Of those that are not noted yet, how many do not have to be: more may lie there than the state keeps. */
static void anchors_pass_implied(struct anchors *anchors) {
        struct pacer_state *state = anchors->state;
        uint64_t n_explicit = atomic_load_explicit(&state->n_explicit, memory_order_acquire);
        uint64_t n_before = atomic_load_explicit(&state->n_explicit_before, memory_order_relaxed);

        if (state->n_noted >= n_before && state->n_noted < n_explicit)
                state->n_noted = n_explicit - 1;
}

int anchors_note(struct anchors *anchors) {
        int r = 0;

        if (spool_take_anew(anchors->spool))
                r = anchors_repeat(anchors, NULL, "new file");

        anchors_pass_implied(anchors);
        while (r >= 0 && !anchors_are_noted(anchors))
                r = anchors_note_next(anchors);

        spool_ask(anchors->spool);
        return r;
}

int anchors_begin(struct anchors *anchors, uint64_t head) {
        uint64_t noted_id = anchors->state->noted_id;
        int r;

        r = anchors_note(anchors);
        if (r < 0 || noted_id == 0 || noted_id == anchors->settings_id)
                return r;

        return anchors_repeat(anchors, &head, "settings");
}
