/* SPDX-License-Identifier: Apache-2.0 */

#include "kafka/sender.h"

#include "i4.h"

#include "kafka/position.h"
#include "kafka/report.h"
#include "tools/flags.h"
#include "tools/origin.h"
#include "tools/say.h"
#include "tools/stop.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define READ_RECORDS 1024u

#define LOOK_INTERVAL_NS NSEC_PER_SEC

/* How soon acknowledgements are looked at while nothing is read. */
#define POLL_INTERVAL_MS 100

/* What is on its way when a signal comes has so long to arrive; the rest is sent again by the next sender. */
#define FLUSH_NS (10 * NSEC_PER_SEC)

struct sender {
        const struct sender_options *options;
        i4_reader *reader;
        i4_encoder *encoder;
        struct i4_record *records;
        char *lines;
        struct producer producer;
        int state_fd;
        struct position position; /* as it is kept */
        bool has_position;
        uint64_t n_sent;
        uint64_t n_lost;
        uint64_t n_held;       /* times that the ring was not read for want of room */
        uint64_t next_look_ns; /* CLOCK_MONOTONIC */
        bool is_gone;          /* the daemon, and this has been told */
};

static const char *get_who(const struct sender *sender) {
        return sender->options->attachment.who;
}

/* All before this has arrived. */
static uint64_t sender_get_position(const struct sender *sender) {
        return producer_get_position(&sender->producer, i4_reader_get_cursor(sender->reader));
}

/* the position, and how it goes */

static int sender_open_state(struct sender *sender) {
        const char *path = sender->options->state_dir;
        int r;

        if (!path)
                return 0;

        sender->state_fd = position_open(path);
        if (sender->state_fd == -EBUSY)
                say(get_who(sender),
                                "another i4 kafka keeps its position in %s: give each a directory of its own",
                                path);
        else if (sender->state_fd < 0)
                say(get_who(sender), "cannot keep the position in %s: %s", path, strerror(-sender->state_fd));
        if (sender->state_fd < 0)
                return sender->state_fd;

        r = position_load(&sender->position, sender->state_fd, sender->options->producer.topic);
        sender->has_position = r == 0;
        if (r == -EBADMSG)
                say(get_who(sender), "%s/position.json makes no sense, so what was sent before may be again",
                                path);
        else if (r < 0 && r != -ENOENT) {
                say(get_who(sender), "cannot read %s/position.json: %s", path, strerror(-r));
                return r;
        }

        return 0;
}

static int sender_save(struct sender *sender) {
        uint64_t sequence = sender_get_position(sender);
        int r;

        if (sender->state_fd < 0 || (sender->has_position && sequence == sender->position.sequence))
                return 0;

        sender->position.sequence = sequence;
        r = position_save(&sender->position, sender->state_fd, sender->options->producer.topic);
        if (r < 0)
                say(get_who(sender), "cannot keep the position in %s: %s", sender->options->state_dir,
                                strerror(-r));
        sender->has_position = r == 0;
        return r;
}

static int sender_look(struct sender *sender) {
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC);

        if (now_ns < sender->next_look_ns)
                return 0;

        sender->next_look_ns = now_ns + LOOK_INTERVAL_NS;
        report_show(&(struct report){
                        .who = get_who(sender),
                        .topic = sender->options->producer.topic,
                        .n_acknowledged = sender->producer.n_acknowledged,
                        .n_bytes = sender->producer.n_bytes,
                        .n_waiting = sender->producer.window.next - sender->producer.window.first,
                        .n_lost = sender->n_lost,
                        .n_held = sender->n_held,
                        .trouble = sender->producer.trouble,
        });
        return sender_save(sender);
}

/* the ring */

static int sender_set_ring(struct sender *sender) {
        int r;

        sender->encoder = i4_encoder_free(sender->encoder);
        r = i4_encoder_new(&sender->encoder, i4_reader_get_catalog(sender->reader));
        if (r < 0) {
                say(get_who(sender), "%s", strerror(-r));
                return r;
        }

        i4_encoder_set_extras(sender->encoder, sender->options->extras);
        origin_get(sender->reader, sender->position.origin);
        sender->has_position = false;
        return sender_save(sender);
}

static int sender_attach(struct sender *sender) {
        const struct position *position = &sender->position;
        int r;

        r = attachment_open(&sender->options->attachment, &sender->reader);
        if (r != 0)
                return r < 0 ? r : -EINTR;

        if (sender->has_position && origin_is_continued(sender->reader, position->origin, position->sequence))
                r = i4_reader_seek(sender->reader, position->sequence);
        else if (sender->options->attachment.program->is_successor)
                r = attachment_seek_place(&sender->options->attachment, sender->reader);
        else
                r = i4_reader_seek(sender->reader, sender->options->from);
        if (r < 0) {
                say(get_who(sender), "cannot go to where reading begins: %s", strerror(-r));
                return r;
        }

        return sender_set_ring(sender);
}

/* Until all is acknowledged. -EINTR: a signal asks to stop. */
static int sender_drain(struct sender *sender) {
        while (!producer_flush(&sender->producer, POLL_INTERVAL_MS)) {
                int r = sender->producer.error < 0 ? sender->producer.error : sender_look(sender);

                if (r < 0 || stop_is_requested())
                        return r < 0 ? r : -EINTR;
        }

        return 0;
}

/* A position is of one ring, so what was read of the old one arrives before the new one is read. */
static int sender_renew(struct sender *sender) {
        int r;

        r = sender_drain(sender);
        if (r < 0)
                return r;
        r = attachment_renew(&sender->options->attachment, sender->reader);
        if (r != 0)
                return r < 0 ? r : -EINTR;

        return sender_set_ring(sender);
}

/* What libi4 answers besides records. @first: where the reader stood before it was asked. */
static int sender_handle(struct sender *sender, int answer, uint64_t first) {
        uint64_t next = i4_reader_get_cursor(sender->reader);

        switch (answer) {
        case -EINTR:
                return 0;
        case -EOVERFLOW:
                sender->n_lost += next - first;
                origin_tell_gap(get_who(sender), first, next);
                return 0;
        case -ESTALE:
                return sender_renew(sender);
        case -EPIPE:
                return attachment_tell_gone(&sender->options->attachment, &sender->is_gone);
        default:
                return attachment_tell_unreadable(&sender->options->attachment, answer, first);
        }
}

/* records to messages */

/* librdkafka's own bound, on bytes, may be reached before ours. */
static int sender_send(struct sender *sender, const struct message *message) {
        int r;

        while ((r = producer_send(&sender->producer, message)) == -EAGAIN) {
                ++sender->n_held;
                producer_poll(&sender->producer, POLL_INTERVAL_MS);
                r = sender_look(sender);
                if (r < 0 || stop_is_requested())
                        return r < 0 ? r : -EINTR;
        }

        return r;
}

static int sender_add_record(struct sender *sender, const struct i4_record *record) {
        char key[I4_SENSOR_ID_MAX];
        struct message message = {
                .sequence = record->sequence,
                .time_ms = (int64_t) (record->time_ns / NSEC_PER_MSEC),
                .key = key,
                .text = sender->lines,
        };
        size_t n_encoded;
        int r;

        r = i4_catalog_format_sensor_id(i4_reader_get_catalog(sender->reader), record, key, sizeof(key));
        if (r < 0)
                return r;
        message.n_key = strlen(key);
        /* Without the end of the line. */
        message.n_text = i4_encoder_encode(
                                         sender->encoder, record, 1, sender->lines, I4_LINE_MAX, &n_encoded) -
                         1;

        r = sender_send(sender, &message);
        if (r >= 0)
                ++sender->n_sent;
        return r;
}

static int sender_add(struct sender *sender, size_t n_records) {
        sender->is_gone = false;
        for (size_t i = 0; i < n_records; ++i) {
                int r = sender_add_record(sender, &sender->records[i]);

                if (r < 0)
                        return r;
        }

        return 0;
}

static int64_t sender_get_timeout(const struct sender *sender) {
        bool is_idle = window_is_empty(&sender->producer.window);

        return is_idle ? (int64_t) LOOK_INTERVAL_NS : POLL_INTERVAL_MS * (int64_t) NSEC_PER_MSEC;
}

/* Readings to go. */
static uint64_t sender_get_left(const struct sender *sender) {
        uint64_t n = sender->options->n_records;

        return n == UINT64_MAX ? n : n - sender->n_sent;
}

static int sender_step(struct sender *sender) {
        uint64_t cursor = i4_reader_get_cursor(sender->reader);
        uint64_t n_room = producer_get_room(&sender->producer);
        uint64_t n_left = sender_get_left(sender);
        int n;

        n_room = MIN(n_room, n_left);
        if (n_room == 0) {
                ++sender->n_held;
                producer_poll(&sender->producer, POLL_INTERVAL_MS);
                return sender->producer.error;
        }

        producer_poll(&sender->producer, 0);
        if (sender->producer.error < 0)
                return sender->producer.error;

        n = i4_reader_read(sender->reader, sender->records, (size_t) MIN(n_room, READ_RECORDS));
        if (n > 0)
                return sender_add(sender, (size_t) n);
        if (n == 0)
                n = i4_reader_wait(sender->reader, sender_get_timeout(sender));

        return n < 0 ? sender_handle(sender, n, cursor) : 0;
}

/* from start to end */

static int sender_loop(struct sender *sender) {
        while (!stop_is_requested() && sender->n_sent < sender->options->n_records) {
                int r = sender_step(sender);

                if (r >= 0)
                        r = sender_look(sender);
                if (r < 0)
                        return r;
        }

        return stop_is_requested() ? 0 : sender_drain(sender);
}

/* Return: how many readings have been read and are not known to have arrived. */
static uint64_t sender_finish(struct sender *sender) {
        uint64_t deadline_ns = clock_now_ns(CLOCK_MONOTONIC) + FLUSH_NS;

        while (sender->producer.error == 0 && clock_now_ns(CLOCK_MONOTONIC) < deadline_ns &&
                        !producer_flush(&sender->producer, POLL_INTERVAL_MS))
                ;
        (void) sender_save(sender);
        return sender->producer.window.next - sender->producer.window.first;
}

static void sender_tell_end(const struct sender *sender, uint64_t n_open) {
        if (n_open > 0)
                say(get_who(sender), "%" PRIu64 " readings may not have arrived%s", n_open,
                                sender->state_fd >= 0 ? "; they will be sent again" : "");
        if (sender->options->producer.is_verbose)
                say(get_who(sender), "%" PRIu64 " readings arrived, %" PRIu64 " were lost",
                                sender->producer.n_acknowledged, sender->n_lost);
}

static void sender_deinit(struct sender *sender) {
        report_hide();
        producer_deinit(&sender->producer);
        free(sender->lines);
        free(sender->records);
        sender->encoder = i4_encoder_free(sender->encoder);
        sender->reader = i4_reader_close(sender->reader);
        closep(&sender->state_fd);
}

static int sender_init(struct sender *sender) {
        int r;

        sender->records = calloc(READ_RECORDS, sizeof(*sender->records));
        sender->lines = malloc(I4_LINE_MAX);
        if (!sender->records || !sender->lines) {
                say(get_who(sender), "%s", strerror(ENOMEM));
                return -ENOMEM;
        }

        r = sender_open_state(sender);
        if (r < 0)
                return r;
        return producer_init(&sender->producer, &sender->options->producer);
}

static void sender_restart(const struct sender *sender) {
        struct program_place place = {
                .sequence = sender_get_position(sender),
                .n_left = sender_get_left(sender),
                .has_lost = sender->n_lost > 0,
        };

        attachment_restart(&sender->options->attachment, &place);
}

int sender_run(const struct sender_options *options) {
        _cleanup_(sender_deinit) struct sender sender = { .options = options, .state_fd = -1 };
        uint64_t n_open;
        int r;

        r = sender_init(&sender);
        if (r < 0)
                return r == -EINVAL ? STATUS_USAGE : STATUS_FAILED;

        report_begin();
        r = sender_attach(&sender);
        if (r == -ERESTART)
                attachment_restart(&options->attachment, &options->attachment.program->place);
        if (r < 0)
                return r == -EINTR ? STATUS_DONE : STATUS_FAILED;

        r = sender_loop(&sender);
        n_open = sender_finish(&sender);
        report_hide();
        sender_tell_end(&sender, n_open);
        if (r == -ERESTART)
                sender_restart(&sender);

        if (r < 0 && r != -EINTR)
                return STATUS_FAILED;
        return sender.n_lost > 0 || options->attachment.program->place.has_lost ||
                                               (n_open > 0 && sender.state_fd < 0)
                               ? STATUS_LOST
                               : STATUS_DONE;
}
