/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/pacer.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <stdatomic.h>

#define CLOCK_STEP_NS      NSEC_PER_SEC
#define CLOCK_LOOK_SPAN_NS (100 * NSEC_PER_MSEC)
/* What a timer can keep. */
#define BATCH_MIN_NS       NSEC_PER_MSEC

struct clocks clocks_now(void) {
        struct clocks now;

        /* Who is stopped between two looks would see a clock that was set. */
        do {
                now.boot_ns = clock_now_ns(CLOCK_BOOTTIME);
                now.real_ns = clock_now_ns(CLOCK_REALTIME);
                now.mono_ns = clock_now_ns(CLOCK_MONOTONIC);
        } while (clock_now_ns(CLOCK_BOOTTIME) - now.boot_ns > CLOCK_LOOK_SPAN_NS);

        return now;
}

int pacer_settings_verify(const struct pacer_settings *settings) {
        const struct rate *rate = &settings->rate;

        if (rate->period_ns > 0 && (rate->n_records == 0 || rate->n_records > rate->period_ns))
                return -EINVAL;
        if (settings->n_shards > 1 && (settings->shard >= settings->n_shards || rate->period_ns == 0 ||
                                                      settings->profile.n_phases > 0))
                return -EINVAL;

        return settings->batch_ns > 0 ? 0 : -EINVAL;
}

static bool rate_is_same(const struct pacer_anchor *anchor, const struct rate *rate) {
        if (anchor->rate_period_ns == 0 || rate->period_ns == 0)
                return anchor->rate_period_ns == rate->period_ns;

        return anchor->rate_records == rate->n_records && anchor->rate_period_ns == rate->period_ns;
}

static struct anchor pacer_get_anchor(const struct pacer *pacer) {
        return (struct anchor){
                .step = pacer->anchor.step,
                .time_ns = pacer->anchor.time_ns,
                .rate = { pacer->anchor.rate_records, pacer->anchor.rate_period_ns },
        };
}

bool pacer_is_free_running(const struct pacer *pacer) {
        return pacer->anchor.rate_period_ns == 0;
}

uint64_t pacer_get_stride(const struct pacer *pacer) {
        return MAX(pacer->settings.n_shards, 1u);
}

uint64_t pacer_get_step(const struct pacer *pacer, uint64_t head) {
        return pacer->anchor.first_step + (head - pacer->anchor.sequence) * pacer_get_stride(pacer);
}

uint64_t pacer_get_time(const struct pacer *pacer, struct clocks now) {
        /* Also right, by wrapping around, before an anchor that lies ahead. */
        return pacer->anchor.time_ns + (now.boot_ns - pacer->anchor.boot_ns);
}

static bool boot_is_ahead(struct clocks now, uint64_t boot_ns) {
        return (int64_t) (boot_ns - now.boot_ns) > 0;
}

/* When @step is due, on CLOCK_BOOTTIME. */
static uint64_t pacer_get_boot(const struct pacer *pacer, uint64_t step) {
        struct anchor anchor = pacer_get_anchor(pacer);

        return pacer->anchor.boot_ns + (anchor_get_time(&anchor, step) - anchor.time_ns);
}

/* What is due after this anchor's time is not its business. */
static uint64_t due_at(const struct pacer *pacer, uint64_t head, uint64_t time_ns) {
        struct anchor anchor = pacer_get_anchor(pacer);
        uint64_t until_ns = pacer->anchor.until_ns, step = pacer_get_step(pacer, head), due;

        due = anchor_get_due(&anchor, until_ns > 0 && time_ns >= until_ns ? until_ns - 1 : time_ns);
        return due > step ? (due - step - 1) / pacer_get_stride(pacer) + 1 : 0;
}

/* How long a batch gathers. What is due at once must not be more than readers have room to stay behind. */
static uint64_t pacer_get_batch(const struct pacer *pacer) {
        const struct pacer_anchor *anchor = &pacer->anchor;
        uint64_t batch_ns = pacer->settings.batch_ns, batch_max = pacer->settings.batch_max;
        unsigned __int128 span_ns;

        if (batch_max == 0 || pacer_is_free_running(pacer))
                return batch_ns;

        span_ns = (unsigned __int128) batch_max * anchor->rate_period_ns / anchor->rate_records;
        return span_ns < batch_ns ? MIN(MAX((uint64_t) span_ns, BATCH_MIN_NS), batch_ns) : batch_ns;
}

uint64_t pacer_get_due(const struct pacer *pacer, uint64_t head, struct clocks now) {
        return due_at(pacer, head, pacer_get_time(pacer, now));
}

uint64_t pacer_get_behind(const struct pacer *pacer, uint64_t head, struct clocks now) {
        return due_at(pacer, head, pacer_get_time(pacer, now) - pacer_get_batch(pacer));
}

void pacer_init_timeline(const struct pacer *pacer, uint64_t head, struct timeline *timeline) {
        struct anchor anchor = pacer_get_anchor(pacer);

        timeline_init_share(timeline, &anchor, pacer_get_step(pacer, head), pacer_get_stride(pacer));
}

uint64_t pacer_get_deadline(const struct pacer *pacer, uint64_t head, struct clocks now) {
        const struct pacer_anchor *anchor = &pacer->anchor;
        uint64_t batch_ns = pacer_get_batch(pacer), wake_ns;

        if (anchor->until_ns > 0 && pacer_get_time(pacer, now) >= anchor->until_ns)
                wake_ns = now.boot_ns;
        else if (boot_is_ahead(now, anchor->boot_ns))
                wake_ns = anchor->boot_ns;
        else if (anchor->rate_period_ns / anchor->rate_records > batch_ns / pacer_get_stride(pacer))
                wake_ns = pacer_get_boot(pacer, pacer_get_step(pacer, head));
        else
                wake_ns = anchor->boot_ns + ((now.boot_ns - anchor->boot_ns) / batch_ns + 1) * batch_ns;

        return wake_ns > now.boot_ns ? now.mono_ns + (wake_ns - now.boot_ns) : now.mono_ns;
}

/* anchors */

/* Both pair with the loads in anchors_pass_implied(): who sees the last one sees the one before. */
static void pacer_mark_explicit(struct pacer_state *state, uint64_t n) {
        uint64_t before = atomic_load_explicit(&state->n_explicit, memory_order_relaxed);

        atomic_store_explicit(&state->n_explicit_before, before, memory_order_relaxed);
        atomic_store_explicit(&state->n_explicit, n, memory_order_release);
}

/*
 * A ring of slots, each written as a sequence lock: the fence pairs with that of pacer_state_get_anchor(),
 * so that who sees a word of the new anchor sees that the one before is in force, and not this slot's.
 */
static void pacer_set_anchor(struct pacer *pacer, const struct pacer_anchor *anchor) {
        struct pacer_state *state = pacer->state;
        uint64_t n = atomic_load_explicit(&state->n_anchors, memory_order_relaxed);
        uint64_t *to = (uint64_t *) &state->anchors[n % PACER_N_ANCHORS];
        const uint64_t *from = (const uint64_t *) anchor;

        if (!pacer_anchor_is_implied(anchor))
                pacer_mark_explicit(state, n + 1);
        atomic_thread_fence(memory_order_release);
        for (size_t i = 0; i < sizeof(*anchor) / sizeof(*from); ++i)
                __atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
        /* Pairs with the acquire in pacer_find_anchor(), in the process that comes after us. */
        atomic_store_explicit(&state->n_anchors, n + 1, memory_order_release);

        pacer->anchor = *anchor;
}

int pacer_state_get_anchor(const struct pacer_state *state, uint64_t number, struct pacer_anchor *anchor) {
        const uint64_t *from = (const uint64_t *) &state->anchors[number % PACER_N_ANCHORS];
        uint64_t *to = (uint64_t *) anchor;

        if (number >= atomic_load_explicit(&state->n_anchors, memory_order_acquire))
                return -ENOENT;

        for (size_t i = 0; i < sizeof(*anchor) / sizeof(*to); ++i)
                to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
        atomic_thread_fence(memory_order_acquire);

        /* The slot of the oldest may be the one that is being written. */
        return number + PACER_N_ANCHORS > atomic_load_explicit(&state->n_anchors, memory_order_relaxed)
                               ? 0
                               : -ENOENT;
}

/* Kept as long as it is not in contradiction to the ring, to the clock or to itself. */
static bool anchor_is_valid(const struct pacer_anchor *anchor, uint64_t head, struct clocks now) {
        if (anchor->sequence > head)
                return false;
        if (anchor->rate_period_ns > 0 &&
                        (anchor->rate_records == 0 || anchor->rate_records > anchor->rate_period_ns))
                return false;

        /* At most a day ahead: the rarest reading. */
        return (int64_t) (anchor->boot_ns - now.boot_ns) <= (int64_t) NSEC_PER_DAY;
}

static bool pacer_find_anchor(struct pacer *pacer, uint64_t head, struct clocks now) {
        uint64_t n = atomic_load_explicit(&pacer->state->n_anchors, memory_order_acquire);

        if (n == 0 || pacer->state->n_shards != pacer_get_stride(pacer) ||
                        pacer->state->shard != pacer->settings.shard)
                return false;

        pacer->anchor = pacer->state->anchors[(n - 1) % PACER_N_ANCHORS];
        return anchor_is_valid(&pacer->anchor, head, now);
}

/* The profile, and where it is. */
static struct course pacer_get_course(const struct pacer *pacer) {
        return (struct course){
                .profile = &pacer->settings.profile,
                .origin_ns = pacer->state->profile_origin_ns,
                .rate = pacer->settings.rate,
                .anchor = pacer_get_anchor(pacer),
                .until_ns = pacer->anchor.until_ns,
        };
}

static void anchor_set_rate(struct pacer_anchor *anchor, const struct rate *rate, uint64_t until_ns) {
        anchor->rate_records = rate->n_records;
        anchor->rate_period_ns = rate->period_ns;
        anchor->until_ns = until_ns;
}

/*
 * What is due from @anchor's time on, in steps that all machines count alike. A whole number of periods after
 * 1970 a whole number of steps is due, with no part of a nanosecond left over.
 */
static void pacer_align(const struct pacer *pacer, struct pacer_anchor *anchor) {
        uint64_t stride = pacer_get_stride(pacer), shard = pacer->settings.shard, past_ns, due;
        struct anchor origin = { .rate = { anchor->rate_records, anchor->rate_period_ns } };

        if (stride == 1)
                return;

        past_ns = anchor->time_ns % anchor->rate_period_ns;
        origin.time_ns = anchor->time_ns - past_ns;
        origin.step = origin.time_ns / anchor->rate_period_ns * anchor->rate_records;

        due = past_ns > 0 ? anchor_get_due(&origin, anchor->time_ns - 1) : origin.step;
        anchor->first_step = due + (shard + stride - due % stride) % stride;
        anchor->step = origin.step;
        anchor->time_ns -= past_ns;
        anchor->boot_ns -= past_ns;
}

/*
 * The profile, or none, begins with @anchor. A kill in between leaves the number of the old one, and it
 * begins once more.
 */
static void pacer_begin_profile(struct pacer *pacer, struct pacer_anchor *anchor) {
        struct pacer_state *state = pacer->state;
        struct course course = pacer_get_course(pacer);
        uint64_t time_ns = anchor->time_ns;

        course.origin_ns = time_ns;
        course_begin(&course, anchor->step, time_ns);
        anchor_set_rate(anchor, &course.anchor.rate, course.until_ns);
        anchor->origin_ns = pacer->settings.profile.n_phases > 0 ? time_ns : 0;
        pacer_align(pacer, anchor);

        pacer_set_anchor(pacer, anchor);
        state->profile_origin_ns = time_ns;
        atomic_signal_fence(memory_order_release);
        state->profile_id = profile_get_id(&pacer->settings.profile);
}

void pacer_init(struct pacer *pacer, const struct pacer_settings *settings, struct pacer_state *state,
                uint64_t head, struct clocks now, struct pacer_event *eventp) {
        *pacer = (struct pacer){ .settings = *settings, .state = state };

        if (pacer_find_anchor(pacer, head, now)) {
                *eventp = (struct pacer_event){ .kind = PACER_RESUMED };
                if (!pacer_is_free_running(pacer))
                        eventp->n_records = pacer_get_due(pacer, head, now);
        } else {
                *eventp = (struct pacer_event){ .kind = PACER_STARTED };
                pacer_begin_profile(pacer, &(struct pacer_anchor){
                                                           .step = head,
                                                           .first_step = head,
                                                           .sequence = head,
                                                           .time_ns = now.real_ns,
                                                           .boot_ns = now.boot_ns,
                                                           .reason = PACER_STARTED,
                                           });
                /* After it: a kill in between makes the next one start as well. */
                atomic_signal_fence(memory_order_release);
                state->shard = settings->shard;
                state->n_shards = (uint32_t) pacer_get_stride(pacer);
        }

        eventp->anchor = pacer->anchor;
}

/* @step at @boot_ns, as the clock of the last anchor sees it. */
static struct pacer_anchor anchor_at(const struct pacer *pacer, uint64_t step, uint64_t head,
                uint64_t boot_ns, enum pacer_event_kind reason) {
        struct pacer_anchor anchor = pacer->anchor;

        anchor.step = step;
        anchor.first_step = step;
        anchor.sequence = head;
        anchor.time_ns += boot_ns - anchor.boot_ns;
        anchor.boot_ns = boot_ns;
        anchor.reason = reason;
        return anchor;
}

static uint64_t pacer_get_next_boot(const struct pacer *pacer, uint64_t head, struct clocks now) {
        return pacer_is_free_running(pacer) ? now.boot_ns
                                            : pacer_get_boot(pacer, pacer_get_step(pacer, head));
}

/* A phase without end has no next anchor, and is in force all the same. */
static bool pacer_has_profile(const struct pacer *pacer) {
        struct rate rate;
        uint64_t until_ns;

        return profile_get_rate(&pacer->settings.profile, pacer->state->profile_origin_ns,
                        pacer->anchor.time_ns, &rate, &until_ns);
}

/*
 * What is overdue is made at the new rate from where the old one stopped: no pause, no gap, and a lower rate
 * relieves at once a machine that could not keep up with the higher one.
 */
static bool pacer_look_rate(struct pacer *pacer, uint64_t head, struct clocks now) {
        const struct rate *rate = &pacer->settings.rate;
        bool is_same_profile = pacer->state->profile_id == profile_get_id(&pacer->settings.profile);
        struct pacer_anchor anchor;

        if (is_same_profile && (pacer_has_profile(pacer) || rate_is_same(&pacer->anchor, rate)))
                return false;

        anchor = anchor_at(pacer, pacer_get_step(pacer, head), head,
                        MIN(pacer_get_next_boot(pacer, head, now), now.boot_ns), PACER_RATE_CHANGED);
        if (is_same_profile) {
                anchor_set_rate(&anchor, rate, 0);
                anchor.origin_ns = 0;
                pacer_align(pacer, &anchor);
                pacer_set_anchor(pacer, &anchor);
        } else
                pacer_begin_profile(pacer, &anchor);

        return true;
}

/* Where a stretch of constant rate ends the next begins, once all before has been made. */
static bool pacer_look_profile(struct pacer *pacer, uint64_t head, struct clocks now) {
        struct course course = pacer_get_course(pacer);
        uint64_t until_ns = course.until_ns, step = pacer_get_step(pacer, head);
        struct pacer_anchor anchor = pacer->anchor;

        if (until_ns == 0 || pacer_get_time(pacer, now) < until_ns || step < course_get_end(&course))
                return false;

        course_advance(&course);
        anchor_set_rate(&anchor, &course.anchor.rate, course.until_ns);
        anchor.step = course.anchor.step;
        anchor.first_step = course.anchor.step;
        anchor.sequence = head;
        anchor.time_ns = course.anchor.time_ns;
        anchor.boot_ns += anchor.time_ns - pacer->anchor.time_ns;
        anchor.reason = PACER_SCHEDULED;
        pacer_set_anchor(pacer, &anchor);
        return true;
}

/* The rhythm stays as it is; only what it is called changes. */
static int64_t pacer_look_clock(struct pacer *pacer, uint64_t head, struct clocks now) {
        int64_t step_ns = (int64_t) (now.real_ns - pacer_get_time(pacer, now));
        struct pacer_anchor anchor;

        if (step_ns >= -(int64_t) CLOCK_STEP_NS && step_ns <= (int64_t) CLOCK_STEP_NS)
                return 0;

        anchor = anchor_at(pacer, pacer_get_step(pacer, head), head, pacer_get_next_boot(pacer, head, now),
                        PACER_CLOCK_STEPPED);
        anchor.time_ns += (uint64_t) step_ns;
        if (anchor.until_ns > 0)
                anchor.until_ns += (uint64_t) step_ns;
        if (anchor.origin_ns > 0)
                anchor.origin_ns += (uint64_t) step_ns;
        pacer_align(pacer, &anchor);
        pacer_set_anchor(pacer, &anchor);
        pacer->state->profile_origin_ns += (uint64_t) step_ns;
        return step_ns;
}

static uint64_t pacer_look_backlog(struct pacer *pacer, uint64_t head, struct clocks now) {
        uint64_t step = pacer_get_step(pacer, head), n_due, boot_ns;
        struct pacer_anchor anchor;

        if (pacer_is_free_running(pacer))
                return 0;

        boot_ns = pacer_get_boot(pacer, step);
        if (boot_ns >= now.boot_ns || now.boot_ns - boot_ns <= pacer->settings.catch_up_ns)
                return 0;

        n_due = pacer_get_due(pacer, head, now);
        if (n_due == 0)
                return 0;
        step += n_due * pacer_get_stride(pacer);
        anchor = anchor_at(pacer, step, head, pacer_get_boot(pacer, step), PACER_SKIPPED);
        pacer_align(pacer, &anchor);
        pacer_set_anchor(pacer, &anchor);
        return n_due;
}

int pacer_look(struct pacer *pacer, uint64_t head, struct clocks now, struct pacer_event *eventp) {
        struct pacer_event event = {};

        /* The rate last: what is skipped counts at the rate it was due at. */
        if ((event.clock_ns = pacer_look_clock(pacer, head, now)) != 0)
                event.kind = PACER_CLOCK_STEPPED;
        else if ((event.n_records = pacer_look_backlog(pacer, head, now)) > 0)
                event.kind = PACER_SKIPPED;
        else if (pacer_look_profile(pacer, head, now))
                event.kind = PACER_SCHEDULED;
        else if (pacer_look_rate(pacer, head, now))
                event.kind = PACER_RATE_CHANGED;
        else
                return 0;

        event.anchor = pacer->anchor;
        *eventp = event;
        return 1;
}
