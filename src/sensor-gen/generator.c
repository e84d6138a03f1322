/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One run
 *
 * Readings are made in chunks that stay in the cache. Three questions drive the loop: which step is the first
 * that is not due yet, is it over, and when is there something to do again. They have three answers:
 *
 * - At a rate, due is what the anchor says. The wall clock is the monotonic one set at the start, so nobody
 * who sets the clock disturbs a run. All that is due is made every -batchsec.
 * - With -from, everything up to the end is due at once. No clock is looked at: same flags, same bytes.
 * - With -then-live besides, the anchor lies in the past and the wall clock does not: all up to now is due at
 *   once, and the rest when it is due. Since it is one schedule there is no seam.
 * - With -speed, the wall clock runs so many times as fast.
 * - At max, another chunk is always due. Its readings are spread over the time since the last one.
 *
 * Where -schedule changes the rate, all of this holds for one stretch of constant rate after the other.
 *
 * A run that lasts 5 s at 10000 a second makes 50000 readings, n = 0 … 49999, due at n / 10000 s. The last of
 * them are made when the 5 s are over. A machine that cannot keep up must not use that to go on for ever: if
 * it had not been on time even once during the last second (or half of the run), what is missing stays
 * missing.
 */

#include "sensor-gen/generator.h"

#include "model/course.h"
#include "sensor-gen/signals.h"
#include "sensor-gen/sink.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>

#define CHUNK_RECORDS 1024u

/* How long after its end a run that was on time may take to make the rest. */
#define GRACE_NS NSEC_PER_SEC

struct generator {
        struct model *model;
        struct chronicle *chronicle; /* NULL: none */
        struct sink sink;
        uint64_t start_offset;

        /* the schedule */
        bool is_simulated, is_free_running, has_from;
        struct course course;
        bool is_last_stretch;
        uint64_t end_ns; /* CLOCK_REALTIME, like all times here that are not called mono; NSEC_INFINITY: none
                          */
        uint64_t end_step;       /* of this stretch */
        uint64_t limit_step;     /* of all */
        const struct part *part; /* NULL: a run of its own */
        uint64_t sequence;       /* of the first reading of a part */
        uint64_t stride;         /* of all steps this makes one in so many */
        uint64_t shard;
        uint64_t start_mono_ns;
        uint64_t base_ns; /* the plant's time at that */
        uint64_t speed;
        bool is_then_live;
        bool is_caught_up; /* with the past: from here on it can be late */
        uint64_t batch_ns;
        uint64_t catch_up_ns;

        /* progress */
        uint64_t step; /* the next one */
        uint64_t n_made;
        uint64_t last_ns; /* of the last chunk */
        uint64_t on_time_ns;
        uint64_t n_missing; /* due and given up */

        alignas(64) struct i4_record records[CHUNK_RECORDS];
};

/* Saturates. */
static uint64_t span_scale(uint64_t span_ns, uint64_t factor) {
        uint64_t product_ns;

        return __builtin_mul_overflow(span_ns, factor, &product_ns) ? NSEC_INFINITY : product_ns;
}

/* schedule */

/* How many of the steps before @end are left to make. */
static uint64_t schedule_count(const struct generator *generator, uint64_t end) {
        return end > generator->step ? (end - generator->step - 1) / generator->stride + 1 : 0;
}

/* What is due at the very end belongs to the next run. */
static void stretch_begin(struct generator *generator) {
        const struct course *course = &generator->course;
        uint64_t end_step = course_get_end(course);

        generator->is_last_stretch = course->until_ns == 0 || course->until_ns >= generator->end_ns ||
                                     end_step >= generator->limit_step;
        if (generator->is_last_stretch)
                end_step = anchor_get_due(&course->anchor, generator->end_ns - 1);
        generator->end_step = MIN(end_step, generator->limit_step);
}

/* Whether @now_ns is behind the end of this stretch, and all of it is made. */
static bool stretch_is_over(const struct generator *generator, uint64_t now_ns) {
        return !generator->is_free_running && !generator->is_last_stretch &&
               generator->step >= generator->end_step &&
               (generator->is_simulated || now_ns >= generator->course.until_ns);
}

static void stretch_end(struct generator *generator) {
        course_advance(&generator->course);
        stretch_begin(generator);
}

/* Leaves out what was due before. */
static void schedule_go_to(struct generator *generator, uint64_t from_ns) {
        for (;;) {
                uint64_t due = from_ns > 0 ? anchor_get_due(&generator->course.anchor, from_ns - 1) : 0;
                uint64_t n = schedule_count(generator, MIN(due, generator->end_step));

                generator->step += n * generator->stride;
                generator->sequence += n;
                if (generator->step < generator->end_step || generator->is_last_stretch)
                        return;
                stretch_end(generator);
        }
}

static void schedule_start(struct generator *generator) {
        struct course *course = &generator->course;

        if (!generator->has_from)
                course->origin_ns = clock_now_ns(CLOCK_REALTIME);
        generator->base_ns = generator->is_then_live ? clock_now_ns(CLOCK_REALTIME) : course->origin_ns;

        if (generator->end_ns < NSEC_INFINITY - generator->base_ns)
                generator->end_ns += generator->base_ns;
        else
                generator->end_ns = NSEC_INFINITY;

        course_begin(course, 0, course->origin_ns);
        if (!generator->is_free_running)
                stretch_begin(generator);

        generator->last_ns = generator->on_time_ns = generator->base_ns;
}

static uint64_t time_to_mono(const struct generator *generator, uint64_t time_ns) {
        if (time_ns == NSEC_INFINITY)
                return NSEC_INFINITY;
        if (time_ns <= generator->base_ns)
                return generator->start_mono_ns;

        return generator->start_mono_ns + (time_ns - generator->base_ns - 1) / generator->speed + 1;
}

static uint64_t time_from_mono(const struct generator *generator, uint64_t mono_ns) {
        uint64_t span_ns = span_scale(mono_ns - generator->start_mono_ns, generator->speed);

        return generator->base_ns + MIN(span_ns, NSEC_INFINITY - 1 - generator->base_ns);
}

/* The first step that is not due at @now_ns. */
static uint64_t schedule_get_due(const struct generator *generator, uint64_t now_ns) {
        if (generator->is_simulated)
                return generator->end_step;
        if (generator->is_free_running)
                return now_ns < generator->end_ns ? generator->step + CHUNK_RECORDS : generator->step;

        return MIN(anchor_get_due(&generator->course.anchor, now_ns), generator->end_step);
}

/* Whether it is of no use to make more, although more is due. */
static bool schedule_is_hopeless(const struct generator *generator, uint64_t now_ns) {
        uint64_t end_ns = generator->end_ns, grace_ns = GRACE_NS * generator->speed, window_ns;

        if (generator->is_simulated || !generator->is_caught_up || now_ns < end_ns)
                return false;

        window_ns = MIN(grace_ns, (end_ns - generator->base_ns) / 2);
        return now_ns - end_ns > grace_ns || end_ns - MIN(end_ns, generator->on_time_ns) > window_ns;
}

/* What is too late to be caught up is given up. */
static void schedule_skip(struct generator *generator, uint64_t now_ns) {
        uint64_t due;

        if (generator->is_simulated || generator->is_free_running || !generator->is_caught_up ||
                        generator->catch_up_ns == NSEC_INFINITY)
                return;
        if (now_ns <= generator->catch_up_ns || anchor_get_time(&generator->course.anchor, generator->step) >=
                                                                now_ns - generator->catch_up_ns)
                return;

        due = schedule_get_due(generator, now_ns);
        due = schedule_count(generator, due);
        generator->n_missing += due;
        generator->step += due * generator->stride;
}

/* When there is something to do again after all was made that is due. */
static uint64_t schedule_get_deadline(const struct generator *generator) {
        uint64_t due_ns, batch_ns = generator->batch_ns;

        if (generator->step >= generator->end_step)
                return time_to_mono(generator,
                                generator->is_last_stretch ? generator->end_ns : generator->course.until_ns);

        due_ns = time_to_mono(generator, anchor_get_time(&generator->course.anchor, generator->step)) -
                 generator->start_mono_ns;
        due_ns = (due_ns + batch_ns - 1) / batch_ns * batch_ns;
        return MIN(generator->start_mono_ns + due_ns, time_to_mono(generator, generator->end_ns));
}

/* running */

/* Hands over @n records, fewer only if a stop is asked for meanwhile. */
static int records_write(struct generator *generator, size_t n) {
        size_t n_taken = 0;
        int r;

        r = sink_put(&generator->sink, generator->records, n, &n_taken);
        if (r >= 0 && generator->chronicle)
                r = chronicle_look(generator->chronicle, generator->records, n_taken);
        generator->step += n_taken * generator->stride;
        generator->n_made += n_taken;
        return r;
}

static int chunk_make(struct generator *generator, size_t n, uint64_t now_ns) {
        struct timeline timeline;

        if (generator->is_free_running)
                timeline_init_span(&timeline, generator->last_ns, now_ns, n);
        else
                timeline_init_share(&timeline, &generator->course.anchor, generator->step, generator->stride);
        generator->last_ns = now_ns;

        model_generate(generator->model, generator->step,
                        generator->n_made * generator->stride + generator->shard, &timeline,
                        generator->records, n);
        if (generator->part)
                records_number(generator->records, n, generator->sequence + generator->n_made);
        return records_write(generator, n);
}

/* Nothing is due: sleeps until something is. */
static int generator_wait(struct generator *generator, const struct console *console, uint64_t mono_ns) {
        uint64_t deadline_ns = MIN(schedule_get_deadline(generator), console_get_deadline(console));

        return sink_wait(&generator->sink, deadline_ns, mono_ns);
}

/* Makes one chunk, or waits: 1 to be called again, 0 when it is over. */
static int generator_step(struct generator *generator, struct console *console) {
        uint64_t mono_ns = clock_now_ns(CLOCK_MONOTONIC);
        uint64_t now_ns = time_from_mono(generator, mono_ns);
        uint64_t due;
        int r;

        while (stretch_is_over(generator, now_ns))
                stretch_end(generator);
        schedule_skip(generator, now_ns);

        due = schedule_get_due(generator, now_ns);
        if (generator->step < due) {
                if (schedule_is_hopeless(generator, now_ns))
                        return 0;
                r = chunk_make(generator, MIN(schedule_count(generator, due), CHUNK_RECORDS), now_ns);
                console_report(console, generator->n_made, mono_ns);
                return r < 0 ? r : 1;
        }

        generator->on_time_ns = now_ns;
        generator->is_caught_up = true;
        if (now_ns >= generator->end_ns ||
                        (generator->is_simulated && generator->step >= generator->end_step &&
                                        generator->is_last_stretch))
                return 0;

        console_report(console, generator->n_made, mono_ns);
        r = generator_wait(generator, console, mono_ns);
        return r < 0 ? r : 1;
}

/* It came to its end: what was not made until then never will be. */
static void schedule_give_up(struct generator *generator) {
        for (;;) {
                uint64_t n = schedule_count(generator, generator->end_step);

                generator->n_missing += n;
                generator->step += n * generator->stride;
                if (generator->is_last_stretch)
                        return;
                stretch_end(generator);
        }
}

int generator_run(struct generator *generator, struct console *console) {
        int r;

        generator->start_mono_ns = clock_now_ns(CLOCK_MONOTONIC);
        if (!generator->part)
                schedule_start(generator);

        do
                r = generator_step(generator, console);
        while (r > 0 && signals_get_n_stops() == 0);

        if (r == 0 && !generator->is_free_running)
                schedule_give_up(generator);

        if (r >= 0)
                r = sink_finish(&generator->sink);
        if (r < 0)
                sink_settle(&generator->sink);

        return r;
}

void generator_get_statistics(const struct generator *generator, struct console_statistics *statistics) {
        struct sink_counters counters = sink_get_counters(&generator->sink);

        *statistics = (struct console_statistics){
                .n_records = counters.n_records,
                .n_bytes = counters.n_bytes,
                .n_missing = generator->n_missing,
                .size = generator->start_offset + counters.n_bytes,
                .dirt = generator->sink.dirt,
        };
}

/* life cycle */

/* Everything is in the past, and begins in the middle. */
static void generator_set_part(struct generator *generator, const struct part *part) {
        const struct note *note = part->note;

        generator->part = part;
        generator->is_simulated = true;
        generator->is_caught_up = true;
        generator->is_free_running = false;
        generator->course = (struct course){
                .profile = &note->settings.profile,
                .origin_ns = note->origin_ns,
                .rate = note->settings.rate,
                .anchor = note->anchor,
                .until_ns = note->until_ns,
        };
        generator->step = part->step;
        generator->limit_step = part->end_step;
        generator->stride = part->stride;
        generator->sequence = note->sequence;
        generator->base_ns = note->anchor.time_ns;
        generator->end_ns = part->to_ns;

        stretch_begin(generator);
        schedule_go_to(generator, part->from_ns);
}

int generator_new(struct generator **generatorp, const struct options *options, const struct part *part,
                const struct i4_catalog *catalog, struct model *model, struct chronicle *chronicle,
                const struct output *output) {
        _cleanup_(generator_freep) struct generator *generator = NULL;
        int r;

        generator = aligned_alloc(64, sizeof(*generator));
        if (!generator)
                return -ENOMEM;

        *generator = (struct generator){
                .model = model,
                .chronicle = chronicle,
                .sink = SINK_INIT,
                .start_offset = output->offset,
                .is_simulated = options->has_from && !options->is_then_live && !options->speed,
                .has_from = options->has_from,
                .is_then_live = options->is_then_live,
                .is_caught_up = !options->is_then_live,
                .speed = MAX(options->speed, UINT64_C(1)),
                .is_free_running = options->rate.period_ns == 0,
                .course = { .profile = &options->profile,
                                .origin_ns = options->from_ns,
                                .rate = options->rate },
                .end_ns = options->duration_ns,
                .limit_step = UINT64_MAX,
                .stride = options->n_shards,
                .shard = options->shard,
                .step = options->shard,
                .batch_ns = options->batch_ns,
                .catch_up_ns = span_scale(options->catch_up_ns, MAX(options->speed, UINT64_C(1))),
        };

        if (part)
                generator_set_part(generator, part);

        r = sink_init(&generator->sink, options, catalog, output, generator->sequence);
        if (r < 0)
                return r;

        *generatorp = TAKE_PTR(generator);
        return 0;
}

struct generator *generator_free(struct generator *generator) {
        if (!generator)
                return NULL;

        sink_deinit(&generator->sink);
        free(generator);
        return NULL;
}
