/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the daemon says of itself
 *
 * Read from the mapping, so that it costs the daemon nothing and works on when the daemon hangs.
 */

#include "lib/reader.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>

#define LOAD(field) atomic_load_explicit(&(field), memory_order_relaxed)

static void stats_read_generator(struct i4_stats *stats, const struct ring_statistics *statistics) {
        stats->rate_records = LOAD(statistics->rate_records);
        stats->rate_period_ns = LOAD(statistics->rate_period_ns);
        stats->target_records = LOAD(statistics->target);
        stats->achieved_records = LOAD(statistics->achieved);
        stats->behind_records = LOAD(statistics->behind);
        stats->behind_max_records = LOAD(statistics->behind_max);
        stats->skipped_records = LOAD(statistics->skipped);
        stats->start_time_ns = LOAD(statistics->start_time_ns);
}

static void stats_read_storage(struct i4_stats *stats, const struct ring_statistics *statistics) {
        stats->storage_state = LOAD(statistics->storage_state);
        stats->storage_errno = LOAD(statistics->storage_errno);
        stats->storage_is_uring = LOAD(statistics->storage_is_uring);
        stats->storage_next = LOAD(statistics->storage_next);
        stats->storage_records = LOAD(statistics->storage_records);
        stats->storage_bytes = LOAD(statistics->storage_bytes);
        stats->storage_dropped_records = LOAD(statistics->storage_dropped);
        stats->storage_errors = LOAD(statistics->storage_errors);
        stats->storage_segments = LOAD(statistics->storage_segments);
        stats->storage_use_bytes = LOAD(statistics->storage_use_bytes);
        stats->storage_limit_bytes = LOAD(statistics->storage_limit_bytes);
}

/**
 * i4_reader_get_stats() - look at the daemon's counters
 * @reader:             reader to operate on
 * @stats:              where they go
 * @size:               sizeof(*@stats) as the caller knows it; later versions add at the end
 *
 * Each counter is true on its own; they are not one snapshot.
 *
 * Return: 0.
 */
_public_ int i4_reader_get_stats(const i4_reader *reader, struct i4_stats *stats, size_t size) {
        const struct ring_view *view = reader_get_view(reader);
        const struct ring_statistics *statistics = view->statistics;
        const struct ring_identity *identity = &view->header->identity;
        struct i4_stats all = {
                .state = LOAD(identity->state),
                .pid = LOAD(identity->pid),
                .heartbeat_ns = LOAD(identity->heartbeat_ns),
                .generation = LOAD(identity->generation),
                .ring_records = view->n_records,
                .ring_oldest = ring_view_get_oldest(view),
                .ring_next = ring_view_get_published(view),
                .n_readers = (uint32_t) LOAD(statistics->n_readers),
                .readers_refused = LOAD(statistics->readers_refused),
                .readers_lost_records = LOAD(statistics->readers_lost),
                .ring_first = view->first_sequence,
        };

        memcpy(all.ring_instance, identity->instance, sizeof(all.ring_instance));
        stats_read_generator(&all, statistics);
        stats_read_storage(&all, statistics);

        memset(stats, 0, size);
        memcpy(stats, &all, MIN(size, sizeof(all)));
        return 0;
}

static void peer_copy(struct i4_peer *peer, const struct ring_consumer *consumer) {
        uint64_t name[ELEMENTSOF(consumer->name)];

        peer->pid = LOAD(consumer->pid);
        peer->uid = LOAD(consumer->uid);
        peer->since_ns = LOAD(consumer->since_ns);
        peer->last_report_ns = LOAD(consumer->last_report_ns);
        peer->cursor = LOAD(consumer->cursor);
        peer->lag_records = LOAD(consumer->lag);
        peer->lost_records = LOAD(consumer->lost);

        for (size_t i = 0; i < ELEMENTSOF(name); ++i)
                name[i] = LOAD(consumer->name[i]);
        memcpy(peer->name, name, sizeof(peer->name));
        peer->name[sizeof(peer->name) - 1] = 0;
}

/* One try: an entry that is changing this moment is left out rather than waited for. */
static bool peer_read(struct i4_peer *peer, const struct ring_consumer *consumer) {
        uint32_t before, is_used;

        /* Pairs with the release that ends the daemon's change of the entry. */
        before = atomic_load_explicit(&consumer->lock, memory_order_acquire);
        is_used = LOAD(consumer->is_used);
        if (!is_used || before % 2)
                return false;

        peer_copy(peer, consumer);

        /* Pairs with the release fence that begins the daemon's change. */
        atomic_thread_fence(memory_order_acquire);
        return LOAD(consumer->lock) == before;
}

/**
 * i4_reader_get_peers() - list who reads the ring
 * @reader:             reader to operate on
 * @peers:              where they go
 * @size:               sizeof(*@peers) as the caller knows it
 * @n_peers:            room in @peers
 *
 * Return: how many were listed, at most @n_peers.
 */
_public_ int i4_reader_get_peers(
                const i4_reader *reader, struct i4_peer *peers, size_t size, size_t n_peers) {
        const struct ring_view *view = reader_get_view(reader);
        char *p = (char *) peers;
        int n = 0;

        for (uint32_t i = 0; i < view->n_consumers && (size_t) n < n_peers; ++i) {
                struct i4_peer peer = {};

                if (!peer_read(&peer, &view->consumers[i]))
                        continue;

                memset(p, 0, size);
                memcpy(p, &peer, MIN(size, sizeof(peer)));
                p += size;
                ++n;
        }

        return n;
}
