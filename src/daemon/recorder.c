/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A turn of the thread reads what is due from the ring, lets the keeper work, and rests. Records are due when
 * FlushSec= has passed since the ring was last found empty, when a good part of it or of a block has come
 * together, or when somebody waits: the generator, a rotation, the end. The generator rings the bell only
 * when the number that the thread sleeps for has been reached.
 *
 * Both ways of waiting are the same handshake of two sequentially consistent words. Who sleeps says what for,
 * and then looks; who makes it happen does it, and then looks who sleeps. One of them sees the other.
 */

#include "daemon/recorder.h"

#include "daemon/keeper.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <string.h>
#include <sys/syscall.h>

#define BATCH_MAX      128u  /* records, 8 KiB: half of a small first-level cache */
#define TURN_MAX       2048u /* records, well below a block, so that writing begins while encoding goes on */
#define THRESHOLD_MAX  3000u /* records, about a block */
#define WAIT_MAX_NS    NSEC_PER_SEC
#define REST_MAX_NS    (10 * NSEC_PER_SEC)
#define STOP_GRACE_NS  NSEC_PER_SEC
/* Who rests for longer than he wanted to does not rest. */
#define REST_GRACE_NS  NSEC_PER_SEC
#define SEQUENCE_NEVER UINT64_MAX

enum fill {
        FILL_EMPTY,   /* the ring is */
        FILL_MORE,    /* there is more to read */
        FILL_BLOCKED, /* the keeper takes no more now */
};

struct recorder {
        /* constant while the thread runs */
        struct ring_view view;
        struct ring_statistics *statistics;
        const struct i4_catalog *catalog;
        void (*look)(void *userdata, const struct i4_record *records, size_t n);
        void (*write)(void *userdata);
        void *userdata;
        pthread_t thread;
        bool is_running;

        /* the thread's own */
        struct keeper *keeper;
        struct i4_record batch[BATCH_MAX];
        size_t batch_begin, batch_end;
        uint64_t cursor; /* sequence of the next record to read into the batch */
        uint64_t kept;   /* what the keeper took next when we last gave it something */
        uint64_t flush_ns;
        uint64_t gather_ns; /* when what is in the ring is due; NSEC_INFINITY: it was empty, and stayed so */
        uint64_t rotate_at; /* sequence to rotate at */
        enum fill fill;
        uint64_t n_operations;
        uint64_t n_changes;
        bool has_moved; /* the keeper, in the last turn */
        int result;

        /* requests to the thread; ring the bell after one */
        _Atomic uint32_t bell;
        _Atomic uint64_t announced; /* published, as the generator says */
        _Atomic uint64_t wake_at;   /* ring the bell when so much is announced */
        _Atomic uint64_t wanted;    /* the generator waits until so much is stored; 0: it does not */
        _Atomic bool is_rotate_wanted;
        _Atomic bool is_stopping;
        _Atomic bool has_settings;
        uint64_t stop_deadline_ns; /* written before is_stopping */

        /* answers */
        _Atomic uint64_t stored;
        _Atomic uint32_t stored_bell;
        _Atomic uint64_t progress;
        _Atomic bool is_resting;
        _Atomic uint64_t rest_end_ns; /* CLOCK_MONOTONIC, if resting */
        _Atomic bool is_waiting;      /* resting, with something under way */
        _Atomic bool is_at_disk;
        _Atomic uint64_t n_hangs; /* the main loop's, as the next */
        _Atomic bool is_hanging;
        _Atomic uint32_t start_bell; /* 1 once @start_result is there */
        _Atomic uint32_t end_bell;   /* 1 once @result is, and there is nothing left that could hang */
        int start_result;

        /* both ways, rarely */
        pthread_mutex_t lock;
        struct recorder_settings settings; /* under the lock */
        struct recorder_events events;
};

/* futexes */

static void word_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t timeout_ns) {
        struct timespec timeout = timespec_from_ns(timeout_ns);

        (void) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &timeout, NULL, 0);
}

static void word_wake(_Atomic uint32_t *word) {
        (void) atomic_fetch_add(word, 1);
        (void) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static bool word_wait_until(_Atomic uint32_t *word, uint64_t deadline_ns) {
        uint64_t now;

        while (atomic_load(word) == 0) {
                now = clock_now_ns(CLOCK_MONOTONIC);
                if (now >= deadline_ns)
                        return false;
                word_wait(word, 0, MIN(deadline_ns - now, WAIT_MAX_NS));
        }

        return true;
}

/* events */

static void recorder_tell(void *userdata, const struct recorder_event *event) {
        struct recorder *recorder = userdata;

        recorder_events_add(&recorder->events, event);
}

int recorder_get_fd(const struct recorder *recorder) {
        return recorder_events_get_fd(&recorder->events);
}

int recorder_next_event(struct recorder *recorder, struct recorder_event *eventp) {
        return recorder_events_next(&recorder->events, eventp);
}

/* the generator's side */

void recorder_kick(struct recorder *recorder, uint64_t published) {
        uint64_t wake_at;

        /* Pairs with recorder_rest(): either this is seen there, or what it sleeps for is seen here. */
        atomic_store(&recorder->announced, published);
        wake_at = atomic_load(&recorder->wake_at);
        if (published < wake_at)
                return;

        if (atomic_compare_exchange_strong(&recorder->wake_at, &wake_at, SEQUENCE_NEVER))
                word_wake(&recorder->bell);
}

uint64_t recorder_get_stored(const struct recorder *recorder) {
        return atomic_load(&recorder->stored);
}

int recorder_wait(struct recorder *recorder, uint64_t sequence, uint64_t timeout_ns) {
        uint64_t now = clock_now_ns(CLOCK_MONOTONIC), deadline;
        uint32_t seen;
        int r = 0;

        if (recorder_get_stored(recorder) >= sequence)
                return 0;

        deadline = add_saturating(now, timeout_ns);
        atomic_store(&recorder->wanted, sequence);
        word_wake(&recorder->bell);

        /* Pairs with recorder_answer(). */
        while (seen = atomic_load(&recorder->stored_bell), recorder_get_stored(recorder) < sequence) {
                now = clock_now_ns(CLOCK_MONOTONIC);
                if (now >= deadline) {
                        r = -ETIMEDOUT;
                        break;
                }
                word_wait(&recorder->stored_bell, seen, MIN(deadline - now, WAIT_MAX_NS));
        }

        atomic_store(&recorder->wanted, 0);
        return r;
}

static void recorder_answer(struct recorder *recorder) {
        uint64_t stored = keeper_get_stored(recorder->keeper), wanted;

        atomic_store(&recorder->stored, stored);
        wanted = atomic_load(&recorder->wanted);
        if (wanted == 0 || stored < wanted)
                return;

        if (atomic_compare_exchange_strong(&recorder->wanted, &wanted, 0))
                word_wake(&recorder->stored_bell);
}

/* reading the ring */

static size_t recorder_get_n_batch(const struct recorder *recorder) {
        return recorder->batch_end - recorder->batch_begin;
}

/* Sequence of the next record that goes to the keeper. */
static uint64_t recorder_get_next(const struct recorder *recorder) {
        return recorder->cursor - recorder_get_n_batch(recorder);
}

static void recorder_set_at_disk(struct recorder *recorder, bool is_at_disk) {
        atomic_store_explicit(&recorder->is_at_disk, is_at_disk, memory_order_relaxed);
}

static void recorder_look(struct recorder *recorder) {
        if (!recorder->look)
                return;

        recorder_set_at_disk(recorder, true);
        recorder->look(recorder->userdata, recorder->batch, recorder->batch_end);
        recorder_set_at_disk(recorder, false);
}

/* False: nothing new. */
static bool recorder_read(struct recorder *recorder) {
        uint64_t margin = recorder->view.n_records / 8, lost = 0;
        int n;

        /* Overtaken: the ring says where to go on; how much that skips is counted when the keeper does. */
        do
                n = ring_view_read(&recorder->view, &recorder->cursor, recorder->batch, BATCH_MAX, margin,
                                &lost);
        while (n == -EOVERFLOW);

        recorder->batch_begin = 0;
        recorder->batch_end = n > 0 ? (size_t) n : 0;
        if (n > 0)
                recorder_look(recorder);
        return n > 0;
}

/* The keeper gave up a file, and what it had not completed is read again; or it got to see one at last, and
 * some of what we have is in it. */
static void recorder_follow(struct recorder *recorder) {
        uint64_t next = keeper_get_next(recorder->keeper);

        if (next != recorder->kept) {
                recorder->cursor = next;
                recorder->batch_begin = recorder->batch_end = 0;
        }
        recorder->kept = next;
}

/* What the keeper does in these three may take as long as the disk likes. */
static int recorder_skip(struct recorder *recorder) {
        int r;

        recorder_set_at_disk(recorder, true);
        r = keeper_skip(recorder->keeper, recorder_get_next(recorder));
        recorder_set_at_disk(recorder, false);
        return r;
}

static size_t recorder_append(struct recorder *recorder) {
        size_t n;

        recorder_set_at_disk(recorder, true);
        n = keeper_append(recorder->keeper, recorder->batch + recorder->batch_begin,
                        recorder_get_n_batch(recorder));
        recorder_set_at_disk(recorder, false);
        return n;
}

static void recorder_run(struct recorder *recorder, uint64_t timeout_ns) {
        keeper_set_hangs(recorder->keeper, atomic_load_explicit(&recorder->n_hangs, memory_order_relaxed),
                        atomic_load(&recorder->is_hanging));

        recorder_set_at_disk(recorder, true);
        keeper_run(recorder->keeper, timeout_ns);
        recorder_set_at_disk(recorder, false);
}

static enum fill recorder_fill(struct recorder *recorder) {
        size_t n_left = TURN_MAX, n;

        while (n_left >= BATCH_MAX) {
                if (recorder_get_n_batch(recorder) == 0 && !recorder_read(recorder))
                        return FILL_EMPTY;

                if (recorder_get_next(recorder) != keeper_get_next(recorder->keeper) &&
                                recorder_skip(recorder) < 0) {
                        keeper_flush(recorder->keeper);
                        return FILL_BLOCKED;
                }

                n = recorder_append(recorder);
                if (n == 0)
                        return FILL_BLOCKED;
                recorder->batch_begin += n;
                n_left -= n;
        }

        return FILL_MORE;
}

static void recorder_write(struct recorder *recorder) {
        if (!recorder->write)
                return;

        recorder_set_at_disk(recorder, true);
        recorder->write(recorder->userdata);
        recorder_set_at_disk(recorder, false);
}

/* a turn */

static uint64_t recorder_get_n_unread(const struct recorder *recorder) {
        uint64_t published = ring_view_get_published(&recorder->view), next = recorder_get_next(recorder);

        return published > next ? published - next : 0;
}

/* Overwritten while there was no room for it: skipped already, or yet to be. */
static uint64_t recorder_get_n_doomed(const struct recorder *recorder) {
        uint64_t n_skipped = recorder_get_next(recorder) - keeper_get_next(recorder->keeper),
                 oldest = ring_view_get_oldest(&recorder->view);

        return n_skipped + (oldest > recorder->cursor ? oldest - recorder->cursor : 0);
}

/* Somebody waits for what is in the ring: no gathering. */
static bool recorder_is_urgent(const struct recorder *recorder) {
        return atomic_load(&recorder->is_stopping) || recorder->rotate_at != SEQUENCE_NEVER ||
               atomic_load(&recorder->wanted) > keeper_get_stored(recorder->keeper);
}

static uint64_t recorder_get_threshold(const struct recorder *recorder) {
        return MIN(MAX(recorder->view.n_records / 4, 1), THRESHOLD_MAX);
}

static void recorder_take_requests(struct recorder *recorder) {
        struct recorder_settings settings;

        if (atomic_exchange(&recorder->has_settings, false)) {
                (void) pthread_mutex_lock(&recorder->lock);
                settings = recorder->settings;
                (void) pthread_mutex_unlock(&recorder->lock);

                recorder->flush_ns = settings.flush_ns;
                keeper_set_settings(recorder->keeper, &settings);
        }

        if (atomic_exchange(&recorder->is_rotate_wanted, false))
                recorder->rotate_at = ring_view_get_published(&recorder->view);
}

/*
 * Reads if it is time to. What comes to an empty ring may wait for FlushSec=, counted from when we see it: we
 * are woken for it only if the ring has been empty that long already.
 */
static void recorder_gather(struct recorder *recorder) {
        uint64_t now = clock_now_ns(CLOCK_MONOTONIC), n_unread = recorder_get_n_unread(recorder);
        bool is_urgent = recorder_is_urgent(recorder);

        if (n_unread == 0) {
                if (now >= recorder->gather_ns)
                        recorder->gather_ns = NSEC_INFINITY;
                recorder->fill = FILL_EMPTY;
        } else {
                if (recorder->gather_ns == NSEC_INFINITY)
                        recorder->gather_ns = now + recorder->flush_ns;
                if (!is_urgent && recorder->fill == FILL_EMPTY && now < recorder->gather_ns &&
                                n_unread < recorder_get_threshold(recorder))
                        return;

                recorder->fill = recorder_fill(recorder);
        }

        if (recorder->fill != FILL_EMPTY)
                return;
        if (is_urgent || now >= recorder->gather_ns)
                keeper_flush(recorder->keeper);
        if (n_unread > 0)
                recorder->gather_ns = now + recorder->flush_ns;
}

/* How long to wait for what is under way: not at all unless there is nothing better to do. */
static uint64_t recorder_get_wait(const struct recorder *recorder) {
        if (!keeper_is_busy(recorder->keeper) || recorder->fill == FILL_MORE)
                return 0;
        if (recorder->fill == FILL_BLOCKED || recorder_is_urgent(recorder))
                return WAIT_MAX_NS;

        return keeper_get_deadline(recorder->keeper) <= clock_now_ns(CLOCK_MONOTONIC) ? WAIT_MAX_NS : 0;
}

static void recorder_note_progress(struct recorder *recorder) {
        uint64_t n_operations = keeper_get_n_operations(recorder->keeper);
        uint64_t n_changes = keeper_get_n_changes(recorder->keeper);
        bool is_done = n_operations != recorder->n_operations;

        recorder->has_moved = n_changes != recorder->n_changes;
        recorder->n_changes = n_changes;
        recorder->n_operations = n_operations;
        if (is_done || !keeper_is_busy(recorder->keeper))
                (void) atomic_fetch_add_explicit(&recorder->progress, 1, memory_order_relaxed);
}

/* True when all that was published is in a file, or when it is too late for that. */
static bool recorder_is_finished(const struct recorder *recorder) {
        if (!atomic_load(&recorder->is_stopping))
                return false;
        if (clock_now_ns(CLOCK_MONOTONIC) >= recorder->stop_deadline_ns)
                return true;

        return recorder->fill == FILL_EMPTY && recorder_get_n_unread(recorder) == 0 &&
               keeper_is_written(recorder->keeper);
}

static void recorder_turn(struct recorder *recorder) {
        recorder_take_requests(recorder);
        recorder_write(recorder);
        recorder_follow(recorder);
        recorder_gather(recorder);
        recorder->kept = keeper_get_next(recorder->keeper);

        if (recorder->rotate_at <= recorder->kept) {
                keeper_rotate(recorder->keeper);
                recorder->rotate_at = SEQUENCE_NEVER;
        }

        keeper_set_doomed(recorder->keeper, recorder_get_n_doomed(recorder));
        recorder_run(recorder, recorder_get_wait(recorder));
        recorder_answer(recorder);
        recorder_note_progress(recorder);
}

/* CLOCK_MONOTONIC until which there is nothing to do, as far as is known now. */
static uint64_t recorder_get_rest(const struct recorder *recorder) {
        uint64_t until_ns = keeper_get_deadline(recorder->keeper);

        if (recorder->fill == FILL_MORE || (recorder->fill == FILL_BLOCKED && recorder->has_moved))
                return 0;
        /* Somebody waits for what is under way: so do we, in the next turn. */
        if (keeper_is_busy(recorder->keeper) &&
                        (recorder->fill == FILL_BLOCKED || recorder_is_urgent(recorder)))
                return 0;

        if (recorder->fill == FILL_EMPTY)
                until_ns = MIN(until_ns, recorder->gather_ns);
        if (atomic_load(&recorder->is_stopping))
                until_ns = MIN(until_ns, recorder->stop_deadline_ns);
        return until_ns;
}

/* The number published for which to be woken: none while the keeper takes nothing. */
static uint64_t recorder_get_wake_at(const struct recorder *recorder) {
        if (recorder->fill != FILL_EMPTY)
                return SEQUENCE_NEVER;

        return recorder->cursor +
               (recorder->gather_ns == NSEC_INFINITY ? 1 : recorder_get_threshold(recorder));
}

static void recorder_rest(struct recorder *recorder, uint32_t seen) {
        uint64_t now = clock_now_ns(CLOCK_MONOTONIC), until_ns = recorder_get_rest(recorder);
        uint64_t wake_at = recorder_get_wake_at(recorder);

        if (until_ns <= now)
                return;

        /* Pairs with recorder_kick(). */
        atomic_store(&recorder->wake_at, wake_at);
        if (atomic_load(&recorder->announced) < wake_at) {
                uint64_t rest_ns = MIN(until_ns - now, REST_MAX_NS);

                atomic_store(&recorder->rest_end_ns, now + rest_ns);
                /* With something under way it is the disk that is waited for. */
                atomic_store(keeper_is_busy(recorder->keeper) ? &recorder->is_waiting : &recorder->is_resting,
                                true);
                word_wait(&recorder->bell, seen, rest_ns);
                atomic_store(&recorder->is_resting, false);
                atomic_store(&recorder->is_waiting, false);
        }
        atomic_store(&recorder->wake_at, SEQUENCE_NEVER);
}

/* the thread */

static int recorder_begin(struct recorder *recorder) {
        struct recovery_range range = {
                .oldest = ring_view_get_oldest(&recorder->view),
                .published = ring_view_get_published(&recorder->view),
        };
        int r;

        r = keeper_start(recorder->keeper, recorder->catalog, range);
        if (r < 0)
                return r;

        recorder->cursor = recorder->kept = keeper_get_next(recorder->keeper);
        atomic_store(&recorder->stored, keeper_get_stored(recorder->keeper));
        atomic_store(&recorder->announced, range.published);
        return 0;
}

static void *recorder_main(void *userdata) {
        struct recorder *recorder = userdata;
        int r;

        (void) pthread_setname_np(pthread_self(), "recorder");

        r = recorder_begin(recorder);
        recorder->start_result = r;
        word_wake(&recorder->start_bell);
        if (r < 0)
                return NULL;

        for (;;) {
                /* Read before the requests are: one that comes later rings it once more. */
                uint32_t seen = atomic_load(&recorder->bell);

                recorder_turn(recorder);
                if (recorder_is_finished(recorder))
                        break;
                recorder_rest(recorder, seen);
        }

        recorder_write(recorder);
        recorder->result = keeper_stop(recorder->keeper, recorder->stop_deadline_ns);
        if (recorder->result >= 0 && recorder_get_n_unread(recorder) > 0)
                recorder->result = keeper_get_error(recorder->keeper) < 0 ? keeper_get_error(recorder->keeper)
                                                                          : -EAGAIN;
        atomic_store(&recorder->stored, keeper_get_stored(recorder->keeper));
        word_wake(&recorder->end_bell);
        return NULL;
}

int recorder_start(struct recorder *recorder) {
        int r;

        assert(!recorder->is_running);

        r = pthread_create(&recorder->thread, NULL, recorder_main, recorder);
        if (r > 0)
                return -r;
        recorder->is_running = true;

        (void) word_wait_until(&recorder->start_bell, NSEC_INFINITY);
        if (recorder->start_result < 0) {
                (void) pthread_join(recorder->thread, NULL);
                recorder->is_running = false;
        }

        return recorder->start_result;
}

int recorder_stop(struct recorder *recorder, uint64_t deadline_ns) {
        if (!recorder->is_running)
                return 0;

        recorder->stop_deadline_ns = deadline_ns;
        atomic_store(&recorder->is_stopping, true);
        word_wake(&recorder->bell);

        if (!word_wait_until(&recorder->end_bell,
                            MIN(deadline_ns, NSEC_INFINITY - STOP_GRACE_NS) + STOP_GRACE_NS))
                return -ETIMEDOUT;

        (void) pthread_join(recorder->thread, NULL);
        recorder->is_running = false;
        return recorder->result;
}

int recorder_set_settings(struct recorder *recorder, const struct recorder_settings *settings) {
        (void) pthread_mutex_lock(&recorder->lock);
        recorder->settings = *settings;
        (void) pthread_mutex_unlock(&recorder->lock);

        atomic_store(&recorder->has_settings, true);
        word_wake(&recorder->bell);
        return 0;
}

void recorder_rotate(struct recorder *recorder) {
        atomic_store(&recorder->is_rotate_wanted, true);
        word_wake(&recorder->bell);
}

void recorder_wake(struct recorder *recorder) {
        word_wake(&recorder->bell);
}

static bool recorder_is_on_time(const struct recorder *recorder) {
        return clock_now_ns(CLOCK_MONOTONIC) < atomic_load(&recorder->rest_end_ns) + REST_GRACE_NS;
}

uint64_t recorder_get_progress(struct recorder *recorder) {
        /* Who rests has nothing to do, or a reason to wait, and a time at which to look again. */
        if (atomic_load(&recorder->is_resting) && recorder_is_on_time(recorder))
                (void) atomic_fetch_add_explicit(&recorder->progress, 1, memory_order_relaxed);

        return atomic_load_explicit(&recorder->progress, memory_order_relaxed);
}

bool recorder_is_at_disk(const struct recorder *recorder) {
        return atomic_load_explicit(&recorder->is_at_disk, memory_order_relaxed) ||
               (atomic_load(&recorder->is_waiting) && recorder_is_on_time(recorder));
}

void recorder_set_hanging(struct recorder *recorder, bool is_hanging) {
        if (is_hanging) {
                (void) atomic_fetch_add_explicit(&recorder->n_hangs, 1, memory_order_relaxed);
                /* The thread, which counts otherwise, may be where it cannot. */
                atomic_store_explicit(
                                &recorder->statistics->storage_state, I4_STORAGE_HANGS, memory_order_relaxed);
        }

        atomic_store(&recorder->is_hanging, is_hanging);
        word_wake(&recorder->bell);
}

int recorder_new(struct recorder **recorderp, const struct recorder_settings *settings, const char *path,
                const struct ring_view *view, struct ring_statistics *statistics,
                const struct i4_catalog *catalog, struct recorder_state *state) {
        _cleanup_(recorder_freep) struct recorder *recorder = NULL;
        int r;

        recorder = calloc(1, sizeof(*recorder));
        if (!recorder)
                return -ENOMEM;

        (void) pthread_mutex_init(&recorder->lock, NULL);
        r = recorder_events_init(&recorder->events);
        if (r < 0)
                return r;
        recorder->settings = *settings;
        recorder->view = *view;
        recorder->statistics = statistics;
        recorder->catalog = catalog;
        recorder->look = settings->look;
        recorder->write = settings->write;
        recorder->userdata = settings->userdata;
        recorder->flush_ns = settings->flush_ns;
        recorder->gather_ns = NSEC_INFINITY;
        recorder->rotate_at = SEQUENCE_NEVER;
        atomic_init(&recorder->wake_at, SEQUENCE_NEVER);

        r = keeper_new(&recorder->keeper, settings, path, statistics, state, recorder_tell, recorder);
        if (r < 0)
                return r;

        *recorderp = TAKE_PTR(recorder);
        return 0;
}

struct recorder *recorder_free(struct recorder *recorder) {
        if (!recorder)
                return NULL;

        assert(!recorder->is_running);

        keeper_free(recorder->keeper);
        recorder_events_deinit(&recorder->events);
        (void) pthread_mutex_destroy(&recorder->lock);
        free(recorder);
        return NULL;
}
