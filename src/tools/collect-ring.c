/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4 batch from the ring
 *
 * Goes on where the last batch ended, as long as the ring is the same or continues the sequence; what was
 * overwritten meanwhile is lost, and counted in the next batch.
 */

#include "tools/collector.h"
#include "tools/origin.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define READ_RECORDS 2048u

struct ring_source {
        struct collector *collector;
        i4_reader *reader;
        i4_encoder *encoder;
        struct i4_record *records;
        bool is_gone; /* the daemon, and this has been told */
};

static const char *source_get_who(const struct ring_source *source) {
        return source->collector->options->attachment.who;
}

static int source_find_place(struct ring_source *source) {
        const struct collector *collector = source->collector;
        const struct outbox_position *position = &collector->position;

        if (collector->has_position &&
                        origin_is_continued(source->reader, position->source, position->sequence))
                return i4_reader_seek(source->reader, position->sequence);

        if (collector->options->attachment.program->is_successor)
                return attachment_seek_place(&collector->options->attachment, source->reader);

        return i4_reader_seek(source->reader, collector->options->from);
}

static int source_set_ring(struct ring_source *source) {
        const i4_catalog *catalog = i4_reader_get_catalog(source->reader);
        char origin[ORIGIN_SIZE];
        int r;

        source->encoder = i4_encoder_free(source->encoder);
        r = i4_encoder_new(&source->encoder, catalog);
        if (r < 0)
                return r;
        i4_encoder_set_extras(source->encoder, source->collector->options->extras);

        origin_get(source->reader, origin);
        return collector_set_source(source->collector, catalog, origin, i4_reader_get_cursor(source->reader));
}

static int source_attach(struct ring_source *source) {
        int r;

        r = attachment_open(&source->collector->options->attachment, &source->reader);
        if (r != 0)
                return r < 0 ? r : -EINTR;

        r = source_find_place(source);
        if (r >= 0)
                r = source_set_ring(source);
        if (r < 0)
                say(source_get_who(source), "%s", strerror(-r));

        return r;
}

static int source_add(struct ring_source *source, size_t n_records) {
        struct collector *collector = source->collector;
        int r;

        source->is_gone = false;
        r = batch_add_records(&collector->batch, source->encoder, source->records, n_records,
                        clock_now_ns(CLOCK_REALTIME));
        if (r < 0) {
                say(source_get_who(source), "%s", strerror(-r));
                return r;
        }

        collector_mark(collector);
        return 0;
}

/* A batch is of one ring. */
static int source_renew(struct ring_source *source) {
        const struct attachment *attachment = &source->collector->options->attachment;
        int r;

        r = collector_deliver(source->collector);
        if (r < 0)
                return r;
        r = attachment_renew(attachment, source->reader);
        if (r != 0)
                return r < 0 ? r : -EINTR;

        r = source_set_ring(source);
        if (r < 0)
                say(attachment->who, "%s", strerror(-r));
        return r;
}

/* What libi4 answers besides records. @first: where the reader stood before it was asked. */
static int source_handle(struct ring_source *source, int answer, uint64_t first) {
        switch (answer) {
        case -EINTR:
                return 0;
        case -EOVERFLOW:
                origin_tell_gap(source_get_who(source), first, i4_reader_get_cursor(source->reader));
                return 0;
        case -ESTALE:
                return source_renew(source);
        case -EPIPE:
                return attachment_tell_gone(&source->collector->options->attachment, &source->is_gone);
        default:
                return attachment_tell_unreadable(&source->collector->options->attachment, answer, first);
        }
}

static int source_step(struct ring_source *source) {
        uint64_t cursor = i4_reader_get_cursor(source->reader);
        uint64_t n_room = collector_get_room(source->collector);
        int n;

        n = i4_reader_read(source->reader, source->records, (size_t) MIN(n_room, READ_RECORDS));
        if (n > 0)
                return source_add(source, (size_t) n);
        if (n == 0)
                n = i4_reader_wait(source->reader, (int64_t) collector_get_timeout(source->collector));

        return n < 0 ? source_handle(source, n, cursor) : 0;
}

static void source_deinit(struct ring_source *source) {
        free(source->records);
        source->encoder = i4_encoder_free(source->encoder);
        source->reader = i4_reader_close(source->reader);
}

int collect_ring(struct collector *collector) {
        _cleanup_(source_deinit) struct ring_source source = { .collector = collector };
        int r;

        source.records = calloc(READ_RECORDS, sizeof(*source.records));
        if (!source.records) {
                say(source_get_who(&source), "%s", strerror(ENOMEM));
                return -ENOMEM;
        }

        r = source_attach(&source);
        if (r < 0)
                return r;

        while (!stop_is_requested() && !collector_is_finished(collector)) {
                r = source_step(&source);
                if (r >= 0)
                        r = collector_tend(collector);
                if (r < 0)
                        return r;
        }

        return collector_deliver(collector);
}
