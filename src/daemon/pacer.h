/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * When the generator has to make how much
 *
 * What is due follows from an anchor and the time since: nothing is accumulated, so nothing drifts, and a
 * successor that finds the last anchor and the ring goes on as if it had never been away. Whatever breaks the
 * arithmetic sets another anchor: a rate, a clock that was set, a delay too long to catch up. Of a profile,
 * each stretch of constant rate has its own, set exactly where the last one ends, whenever that is noticed.
 *
 * One of several machines makes every so manieth step, counted from one of its own. All of them have to count
 * alike, whenever each began: their anchors lie where a period of the rate begins, counted from 1970.
 *
 * Pure but for the state it notes anchors in: clocks are arguments, so a test needs no time to pass.
 */

#include "model/course.h"
#include "util/parse.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* One look at all of them. */
struct clocks {
        uint64_t boot_ns; /* CLOCK_BOOTTIME: what passes, also while the node is suspended */
        uint64_t real_ns; /* CLOCK_REALTIME: what records say */
        uint64_t mono_ns; /* CLOCK_MONOTONIC: what threads can sleep on */
};

struct clocks clocks_now(void);

enum pacer_event_kind {
        PACER_STARTED = 1,   /* new anchor: there was none to go on from */
        PACER_RESUMED,       /* from the last anchor; n_records: due meanwhile, to be made now */
        PACER_RATE_CHANGED,  /* new anchor */
        PACER_CLOCK_STEPPED, /* new anchor; clock_ns: by how much */
        PACER_SKIPPED,       /* new anchor; n_records: due, later than CatchUpSec= allows, never made */
        PACER_SCHEDULED,     /* new anchor, which follows from the profile: nothing to tell */
};

/*
 * From here on: @step is due at @time_ns, when the node has been up for @boot_ns; record @sequence is step
 * @first_step, which is the same one unless there are several machines. The list of these, with seed, catalog
 * and settings, decides every byte.
 */
struct pacer_anchor {
        uint64_t step;
        uint64_t sequence;
        uint64_t time_ns; /* CLOCK_REALTIME */
        uint64_t boot_ns; /* CLOCK_BOOTTIME; may lie before the node was up, and wraps around then */
        uint64_t rate_records;
        uint64_t rate_period_ns; /* 0: as fast as the machine goes */
        uint64_t reason;         /* enum pacer_event_kind */
        uint64_t until_ns;       /* CLOCK_REALTIME of the next anchor; 0: not known */
        uint64_t first_step;
        uint64_t origin_ns; /* CLOCK_REALTIME at which the profile began; 0: none */
};

#define PACER_N_ANCHORS 32u

/*
 * Lies in memory that survives the process; all zero is a valid beginning. The next anchor goes where the
 * oldest was and counts only once n_anchors says so: a kill at any instruction leaves a whole one in force.
 */
struct pacer_state {
        _Atomic uint64_t n_anchors;         /* ever set; the last one is in force */
        uint64_t profile_origin_ns;         /* CLOCK_REALTIME at which it began */
        uint64_t profile_id;                /* of the one in force; 0: none */
        _Atomic uint64_t n_explicit;        /* of n_anchors: up to the last one that was not implied */
        uint64_t n_noted;                   /* of n_anchors: noted; the main loop's */
        uint64_t noted_id;                  /* of the settings that were noted last; the main loop's */
        uint32_t shard, n_shards;           /* for which the anchors are */
        _Atomic uint64_t n_explicit_before; /* the same of the one before that */
        struct pacer_anchor anchors[PACER_N_ANCHORS];
};

static_assert(sizeof(struct pacer_anchor) == 80, "outlives the process that wrote it");
static_assert(sizeof(struct pacer_state) == 64 + 80 * PACER_N_ANCHORS, "outlives the process that wrote it");

struct pacer_settings {
        struct rate rate;
        struct profile profile; /* Schedule=: goes before the rate, until it ends */
        uint32_t shard;         /* Shard=: which of so many machines this is; the rate is that of all */
        uint32_t n_shards;      /* 0: as 1 */
        uint64_t batch_ns;      /* BatchSec=, and shorter where more than batch_max would be due */
        uint64_t batch_max;     /* records; 0: as many as are due */
        uint64_t catch_up_ns;   /* CatchUpSec=; NSEC_INFINITY: always catch up */
};

struct pacer_event {
        enum pacer_event_kind kind;
        struct pacer_anchor anchor; /* in force after it */
        uint64_t n_records;
        int64_t clock_ns;
};

struct pacer {
        struct pacer_settings settings;
        struct pacer_state *state;
        struct pacer_anchor anchor; /* in force */
};

/* -EINVAL: not a rate, no batch, or what several machines cannot agree on. */
int pacer_settings_verify(const struct pacer_settings *settings);

/*
 * Goes on from the last anchor in @state if it makes sense, else from @now. @head is the sequence of the next
 * record, here and below.
 */
void pacer_init(struct pacer *pacer, const struct pacer_settings *settings, struct pacer_state *state,
                uint64_t head, struct clocks now, struct pacer_event *eventp);

/* Sets an anchor if one is needed: 1 and why, call again; 0 all is well. */
int pacer_look(struct pacer *pacer, uint64_t head, struct clocks now, struct pacer_event *eventp);

/* Of a profile's stretches there are many an hour, and each follows from the one that began it. */
static inline bool pacer_anchor_is_implied(const struct pacer_anchor *anchor) {
        return anchor->reason == PACER_SCHEDULED && anchor->until_ns > 0;
}

/*
 * Anchor @number of those ever set, from 0, as the thread that sets them may be doing right now. -ENOENT: it
 * is not set yet, or no longer kept. Any thread.
 */
int pacer_state_get_anchor(const struct pacer_state *state, uint64_t number, struct pacer_anchor *anchor);

bool pacer_is_free_running(const struct pacer *pacer);

/* Steps from one of this machine's to its next. */
uint64_t pacer_get_stride(const struct pacer *pacer);

/* The step that becomes record @head. */
uint64_t pacer_get_step(const struct pacer *pacer, uint64_t head);

/* What records made now would say, CLOCK_REALTIME: goes on evenly from the anchor. */
uint64_t pacer_get_time(const struct pacer *pacer, struct clocks now);

/* How many records are due and not made; not for one that runs free. */
uint64_t pacer_get_due(const struct pacer *pacer, uint64_t head, struct clocks now);

/* How many of them should have been made a batch ago. */
uint64_t pacer_get_behind(const struct pacer *pacer, uint64_t head, struct clocks now);

/* Due times from @head on. */
void pacer_init_timeline(const struct pacer *pacer, uint64_t head, struct timeline *timeline);

/*
 * When to wake next if nothing is due now, on CLOCK_MONOTONIC: at the next multiple of a batch since the
 * anchor, or when the next reading is due if they are rarer than that.
 */
uint64_t pacer_get_deadline(const struct pacer *pacer, uint64_t head, struct clocks now);
