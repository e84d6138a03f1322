/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The writing half of the ring protocol
 *
 * One thread claims slots, fills them in place and publishes them; it never waits. Whoever owns the memory
 * last (a restarted daemon) adopts it and goes on with the next sequence number.
 */

#include "lib/catalog.h"
#include "ring/layout.h"

struct ring {
        struct ring_header *header;
        struct i4_record *records;
        struct ring_statistics *statistics;
        struct ring_consumer *consumers;
        struct i4_record *bounce; /* under TSan alone: slots are then written as atomic words */
        uint64_t n_records;
        uint64_t head; /* sequence of the next record */
        size_t size;
        uint32_t n_consumers;
        int fd;        /* writable */
        int reader_fd; /* the same memory, opened read-only, to be handed out */
};

struct ring_settings {
        uint64_t n_records;   /* a power of two, RING_RECORDS_MIN … RING_RECORDS_MAX */
        uint32_t n_consumers; /* 1 … */
        uint64_t first_sequence;
};

/* Allocates all memory: -ENOSPC and -ENOMEM are told here, not by SIGBUS later. */
int ring_new(struct ring **ringp, const struct ring_settings *settings, const struct i4_catalog *catalog);

/*
 * Takes over the ring in @fd (read-write) and @reader_fd (read-only), both consumed on success only. Checks
 * everything: -EBADMSG, -EPROTONOSUPPORT as ring_view_init(); -EMEDIUMTYPE if it is sound but not what
 * @settings and @catalog ask for: retire it and make another.
 */
int ring_adopt(struct ring **ringp, int fd, int reader_fd, const struct ring_settings *settings,
                const struct i4_catalog *catalog);

/* Tells the readers of a ring that cannot be adopted to reattach. Safe on any descriptor. */
int ring_retire_fd(int fd);

struct ring *ring_free(struct ring *ring);

/*
 * Has the kernel map all slots for writing now, as far as it can, rather than one page at a time in the
 * middle of a batch. Takes some microseconds a megabyte; any thread.
 */
void ring_populate(struct ring *ring);

/* The owner's signs of life. Running raises the generation: readers reconnect. */
void ring_set_running(struct ring *ring);
void ring_set_state(struct ring *ring, enum i4_ring_state state);
void ring_beat(struct ring *ring);

/*
 * Slots for the next up to *@n records in one piece; *@n shrinks to what fits before the wrap. Readers that
 * are still at the records which lay there are overtaken by this call, not by ring_publish().
 */
struct i4_record *ring_claim(struct ring *ring, size_t *n);

/* Makes the first @n claimed records visible. @n is at most what ring_claim() gave. */
void ring_publish(struct ring *ring, size_t n);

/* Wakes at most @n sleepers and says how many there were. One system call. */
int ring_wake(struct ring *ring, int n);

/*
 * Around changes of an entry in the table of consumers, by its only writer. They pair with peer_read(): who
 * reads in between throws away what it has read. An owner that was killed may have left the lock odd.
 */
static inline void ring_consumer_begin(struct ring_consumer *consumer) {
        atomic_store_explicit(&consumer->lock,
                        atomic_load_explicit(&consumer->lock, memory_order_relaxed) | 1,
                        memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
}

static inline void ring_consumer_end(struct ring_consumer *consumer) {
        atomic_store_explicit(&consumer->lock,
                        atomic_load_explicit(&consumer->lock, memory_order_relaxed) + 1,
                        memory_order_release);
}

static inline void ring_freep(struct ring **ring) {
        if (*ring)
                (void) ring_free(*ring);
}
