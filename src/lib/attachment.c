/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How a reader stays in touch with a daemon
 *
 * Records come from the mapping; the connection only lets the daemon know who reads. Once a second, inside
 * the calls that read and wait, the reader tends to it: reports where it is, and looks at the header. A
 * daemon that has gone away is not called back by connecting, since that would start one which was stopped on
 * purpose: the reader waits until the header, or the time stamp of the socket, says that a daemon is there
 * again.
 */

#include "lib/attachment.h"

#include "lib/connection.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TEND_INTERVAL_NS  NSEC_PER_SEC
#define GONE_TIMEOUT_NS   (30 * NSEC_PER_SEC)
#define ANSWER_TIMEOUT_NS (10 * NSEC_PER_SEC)

/* Instead of the first, while a daemon has been asked and has not answered. */
#define ANSWER_INTERVAL_NS (20 * NSEC_PER_MSEC)

static uint32_t reader_get_state(const struct i4_reader *reader) {
        /* Pairs with the release in identity_set_state(). */
        return atomic_load_explicit(&reader->view.header->identity.state, memory_order_acquire);
}

static uint32_t reader_get_generation(const struct i4_reader *reader) {
        /* Pairs with the release in ring_set_running(). */
        return atomic_load_explicit(&reader->view.header->identity.generation, memory_order_acquire);
}

int descriptor_watch(int epoll_fd, int fd) {
        struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP };

        if (epoll_fd < 0 || fd < 0)
                return 0;

        return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void reader_set_connection(struct i4_reader *reader, int fd) {
        reader->fd = fd;
        reader->condition = 0;
        reader->lost_before = reader->lost_told;
        reader->generation = reader_get_generation(reader);
        reader->mark = socket_mark_get(reader->path);
        reader->is_armed = false;
        /* A descriptor that cannot be watched still has the timer beside it. */
        (void) descriptor_watch(reader->epoll_fd, fd);
}

void reader_disconnect(struct i4_reader *reader, uint64_t now_ns) {
        closep(&reader->fd);
        closep(&reader->asked_fd);
        reader->fd = reader->asked_fd = -1;
        reader->is_armed = false;
        reader->gone_since_ns = now_ns;
        reader->gone_beat_ns = reader_get_beat(reader);
}

/* Is there a daemon at the socket, so that connecting does not start one? One that came and was stopped
 * between two looks is none. */
static bool reader_sees_daemon(const struct i4_reader *reader) {
        bool is_running = reader_get_state(reader) == I4_RING_RUNNING;
        struct socket_mark mark = socket_mark_get(reader->path);

        if (socket_mark_is_of_nobody(mark))
                return false;

        return !socket_mark_is_same(reader->mark, mark) ||
               (is_running && (reader_get_generation(reader) != reader->generation ||
                                              reader_get_beat(reader) > reader->gone_beat_ns));
}

static int instance_compare(const struct i4_reader *reader, int ring_fd) {
        struct ring_identity identity;
        size_t size;
        ssize_t n;
        int r;

        r = ring_memory_verify(ring_fd, F_SEAL_SHRINK, &size);
        if (r < 0)
                return r;

        n = pread(ring_fd, &identity, sizeof(identity), 0);
        if (n != (ssize_t) sizeof(identity))
                return -EBADMSG;

        return memcmp(identity.instance, reader->view.header->identity.instance, sizeof(identity.instance)) ==
               0;
}

static int reader_ask(struct i4_reader *reader, uint64_t now_ns) {
        int r;

        if (reader->asked_fd >= 0)
                return 0;
        if (!reader_sees_daemon(reader))
                return -ENOENT;

        r = connection_start(reader->path, &reader->hello, &reader->asked_fd);
        if (r < 0)
                return r;

        reader->asked_ns = now_ns;
        return 0;
}

/* Never waits for the answer. -ESTALE: the daemon has another ring now. */
static int reader_reconnect(struct i4_reader *reader, uint64_t now_ns) {
        _cleanup_(closep) int fd = -1, ring_fd = -1;
        int r;

        r = reader_ask(reader, now_ns);
        if (r < 0)
                return r;
        r = connection_finish(reader->asked_fd, &ring_fd);
        if (r == -ETIMEDOUT && now_ns < reader->asked_ns + ANSWER_TIMEOUT_NS)
                return r;

        fd = TAKE_FD(reader->asked_fd);
        if (r < 0)
                return r;
        r = instance_compare(reader, ring_fd);
        if (r < 0)
                return r;
        if (r == 0)
                return -ESTALE;

        reader_set_connection(reader, TAKE_FD(fd));
        return 0;
}

void reader_report(struct i4_reader *reader, uint64_t now_ns) {
        uint64_t published = ring_view_get_published(&reader->view);
        struct wire_message report = {
                .kind = WIRE_REPORT,
                .cursor = reader->cursor,
                .lag = published > reader->cursor ? published - reader->cursor : 0,
                .lost = reader->lost - reader->lost_before,
        };
        int r;

        r = connection_send(reader->fd, &report);
        if (r >= 0)
                reader->lost_told = reader->lost;
        else if (r == -EPIPE)
                reader_disconnect(reader, now_ns);
}

void reader_receive(struct i4_reader *reader, uint64_t now_ns) {
        int r;

        r = connection_drain(reader->fd);
        if (r < 0)
                reader_disconnect(reader, now_ns);
        else if (r > 0)
                reader->is_armed = false;
}

/* Only a daemon that answers ends the wait; one that cannot yet is asked again in a second. */
static void reader_seek_daemon(struct i4_reader *reader, uint64_t now_ns) {
        int r;

        r = reader_reconnect(reader, now_ns);
        if (r == -ESTALE)
                reader->condition = -ESTALE;
        else if (r < 0 && now_ns >= reader->gone_since_ns + GONE_TIMEOUT_NS)
                reader->condition = -EPIPE;
}

static void reader_tend_connection(struct i4_reader *reader, uint64_t now_ns) {
        if (reader->fd >= 0)
                reader_receive(reader, now_ns);
        if (reader->fd >= 0 && !reader->hello.is_observer)
                reader_report(reader, now_ns);
        /* From a stale ring the way leads through i4_reader_reattach() alone. */
        if (reader->fd < 0 && reader->condition != -ESTALE)
                reader_seek_daemon(reader, now_ns);
}

void reader_set_timer(const struct i4_reader *reader, uint64_t now_ns) {
        uint64_t due_ns = MAX(reader->next_tend_ns, now_ns + 1);
        struct itimerspec timer = { .it_value = timespec_from_ns(due_ns - now_ns) };

        if (reader->timer_fd >= 0)
                (void) timerfd_settime(reader->timer_fd, 0, &timer, NULL);
}

void reader_tend(struct i4_reader *reader, uint64_t now_ns) {
        if (likely(now_ns < reader->next_tend_ns))
                return;

        /* Not before there is somebody to reattach to. */
        if (reader_get_state(reader) == I4_RING_RETIRED &&
                        !(reader->path && socket_is_deserted(reader->path)))
                reader->condition = -ESTALE;
        if (reader->path)
                reader_tend_connection(reader, now_ns);

        reader->next_tend_ns = now_ns + (reader->asked_fd >= 0 ? ANSWER_INTERVAL_NS : TEND_INTERVAL_NS);
        reader_set_timer(reader, now_ns);
}
