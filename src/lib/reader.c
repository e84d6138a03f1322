/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One program's place in the stream
 *
 * A mapping of the ring and a number: the sequence number of the next record. Reading moves it on, waiting
 * sleeps on the ring's counter, and both look after the attachment once in a while.
 */

#include "lib/reader.h"

#include "lib/attachment.h"
#include "lib/catalog.h"
#include "lib/connection.h"
#include "util/clock.h"
#include "util/relax.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#define DEFAULT_SOCKET "/run/i4/ring.sock"

/* A daemon that ends lets everybody go, and systemd, once it has ended, whoever came since, once or twice.
 * Where another one is to come, the next call waits for it. */
#define CALLS_MAX 4u

static inline void reader_freep(struct i4_reader **reader) {
        i4_reader_closep(reader);
}

/* memory */

static void reader_unmap(struct i4_reader *reader) {
        if (reader->view.header)
                (void) munmap((void *) reader->view.header, reader->view.size);
        reader->view = (struct ring_view){};
        reader->catalog = catalog_free(reader->catalog);
}

/* Maps what is in @fd, which stays the caller's, and believes nothing. */
static int reader_map(struct ring_view *view, struct i4_catalog **catalogp, int fd) {
        size_t size = 0;
        void *memory;
        int r;

        r = ring_memory_verify(fd, F_SEAL_SHRINK, &size);
        if (r < 0)
                return r;

        memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                return -errno;

        r = ring_view_init(view, memory, size);
        if (r >= 0) {
                r = catalog_read(catalogp, view->catalog, view->catalog_size);
                if (r >= 0)
                        return 0;
        }

        *view = (struct ring_view){};
        (void) munmap(memory, size);
        return r;
}

static bool reader_has_records(const struct i4_reader *reader) {
        return ring_view_get_published(&reader->view) != reader->cursor;
}

/*
 * What the last look at header and connection found, once all records are read: the writer may have published
 * some more between our look at the counter and its end. A stale ring stays stale; a daemon that is gone is
 * waited for again.
 */
static int reader_take_condition(struct i4_reader *reader) {
        int condition = reader->condition;

        if (likely(condition == 0) || reader_has_records(reader))
                return 0;

        if (condition == -EPIPE) {
                reader->condition = 0;
                reader->gone_since_ns = clock_now_ns(CLOCK_MONOTONIC_COARSE);
        }

        return condition;
}

/* life cycle */

static int reader_new(struct i4_reader **readerp) {
        struct i4_reader *reader;

        reader = calloc(1, sizeof(*reader));
        if (!reader)
                return -ENOMEM;

        reader->fd = reader->asked_fd = reader->epoll_fd = reader->timer_fd = -1;
        *readerp = reader;
        return 0;
}

static const char *socket_path(const char *path) {
        if (!path)
                path = secure_getenv("I4_SOCKET");

        return path && *path ? path : DEFAULT_SOCKET;
}

/* Only who comes for the first time, and to read, has systemd start a daemon. */
static int reader_call(const struct i4_reader *reader, bool may_start, int *fdp, int *ring_fdp) {
        int r = -ECONNRESET;

        for (unsigned int i = 0; i < CALLS_MAX && r == -ECONNRESET; ++i) {
                if (!may_start && socket_is_deserted(reader->path))
                        return -ECONNREFUSED;
                r = connection_open(reader->path, &reader->hello, fdp, ring_fdp);
        }

        return r == -ECONNRESET ? -ECONNREFUSED : r;
}

/* Until it succeeds the reader keeps the ring it has. */
static int reader_attach(struct i4_reader *reader, bool may_start) {
        _cleanup_(closep) int fd = -1, ring_fd = -1;
        struct i4_catalog *catalog = NULL;
        struct ring_view view = {};
        int r;

        r = reader_call(reader, may_start, &fd, &ring_fd);
        if (r < 0)
                return r;
        r = reader_map(&view, &catalog, ring_fd);
        if (r < 0)
                return r;

        reader_unmap(reader);
        reader->view = view;
        reader->catalog = catalog;
        reader_set_connection(reader, TAKE_FD(fd));
        return 0;
}

static int reader_open(struct i4_reader **readerp, const char *path, const char *name, bool is_observer) {
        _cleanup_(reader_freep) struct i4_reader *reader = NULL;
        int r;

        r = reader_new(&reader);
        if (r < 0)
                return r;

        reader->path = strdup(socket_path(path));
        if (!reader->path)
                return -ENOMEM;

        reader->hello = (struct wire_message){ .kind = WIRE_HELLO, .is_observer = is_observer };
        (void) snprintf(reader->hello.name, sizeof(reader->hello.name), "%s",
                        name && *name ? name : program_invocation_short_name);
        (void) snprintf(reader->hello.version, sizeof(reader->hello.version), "%s", I4_VERSION);

        r = reader_attach(reader, !is_observer);
        if (r < 0)
                return r;

        reader->cursor = ring_view_get_published(&reader->view);
        *readerp = TAKE_PTR(reader);
        return 0;
}

/**
 * i4_reader_open() - attach to a daemon
 * @readerp:            return argument
 * @path:               its socket; NULL: $I4_SOCKET, else /run/i4/ring.sock
 * @name:               what the daemon's operator sees, up to 31 printable characters; NULL: the program's
 * name
 *
 * Starts at the newest record: what is published from now on. Blocks until the daemon answers, some seconds
 * at most; where systemd listens on the socket this starts a daemon.
 *
 * Return: 0; -ENOENT, -ECONNREFUSED: no daemon; -EACCES: the user may not, see the socket's group; -EUSERS:
 *         no place left, see MaxReaders= in i4d.conf(5); -EPROTO: the daemon speaks another protocol;
 *         -EPROTONOSUPPORT: its ring has another layout than this library knows; -EBADMSG: the ring is
 *         damaged; -ETIMEDOUT: no answer; -EINTR: a signal was handled meanwhile; or what malloc() and
 *         mmap() say.
 */
_public_ int i4_reader_open(i4_reader **readerp, const char *path, const char *name) {
        return reader_open(readerp, path, name, false);
}

/**
 * i4_reader_open_observer() - attach to look at statistics
 *
 * As i4_reader_open(), but takes no place among the readers, does not appear in their list, makes the daemon
 * wake nobody, and starts none: -ECONNREFUSED where systemd listens for one. Records can be read all the
 * same, not waited for at less than a second.
 */
_public_ int i4_reader_open_observer(i4_reader **readerp, const char *path, const char *name) {
        return reader_open(readerp, path, name, true);
}

/**
 * i4_reader_open_fd() - read a ring without a daemon
 * @readerp:            return argument
 * @fd:                 descriptor of a ring's memory, sealed against shrinking; stays the caller's
 *
 * Starts at the oldest record.
 *
 * Return: 0; -EBADMSG, -EPROTONOSUPPORT as i4_reader_open(); or what malloc() and mmap() say.
 */
_public_ int i4_reader_open_fd(i4_reader **readerp, int fd) {
        _cleanup_(reader_freep) struct i4_reader *reader = NULL;
        int r;

        r = reader_new(&reader);
        if (r < 0)
                return r;
        r = reader_map(&reader->view, &reader->catalog, fd);
        if (r < 0)
                return r;

        reader->cursor = ring_view_get_oldest(&reader->view);
        *readerp = TAKE_PTR(reader);
        return 0;
}

/* Returns NULL. The last report is sent, so that the daemon's record of this reader ends true. */
_public_ i4_reader *i4_reader_close(i4_reader *reader) {
        if (!reader)
                return NULL;

        if (reader->fd >= 0 && !reader->hello.is_observer)
                reader_report(reader, 0);
        reader_unmap(reader);
        closep(&reader->fd);
        closep(&reader->asked_fd);
        closep(&reader->timer_fd);
        closep(&reader->epoll_fd);
        free(reader->path);
        free(reader);
        return NULL;
}

/**
 * i4_reader_reattach() - go on with the daemon's new ring
 * @reader:             reader to which a call has answered -ESTALE
 *
 * Pointers from i4_reader_get_catalog() become invalid. Where the new ring continues the sequence, so does
 * the reader, and what it missed in between is told by -EOVERFLOW; else it starts at the oldest record.
 * Starts no daemon: -ECONNREFUSED where the one with the new ring has been stopped.
 *
 * Return: as i4_reader_open(); after a failure the reader still holds its old ring, and may try again. But
 *         -EPROTO and -EPROTONOSUPPORT stay: the daemon was updated, and needs the library that came with it.
 */
_public_ int i4_reader_reattach(i4_reader *reader) {
        uint8_t instance[sizeof(reader->view.header->identity.instance)];
        uint64_t published = ring_view_get_published(&reader->view);
        int r;

        if (!reader->path)
                return -EOPNOTSUPP;

        memcpy(instance, reader->view.header->identity.instance, sizeof(instance));
        reader_disconnect(reader, clock_now_ns(CLOCK_MONOTONIC_COARSE));

        r = reader_attach(reader, false);
        if (r < 0)
                return r;

        if (memcmp(instance, reader->view.header->identity.instance, sizeof(instance)) != 0 &&
                        reader->view.first_sequence < published)
                reader->cursor = ring_view_get_oldest(&reader->view);

        reader->margin = 0;
        return 0;
}

/* records */

/**
 * i4_reader_seek() - choose the next record
 * @reader:             reader to operate on
 * @sequence:           its sequence number, I4_OLDEST or I4_NEWEST
 *
 * A sequence number that is no longer in the ring is accepted: the next read tells how much was missed.
 *
 * Return: 0, -ERANGE if it has not been published yet.
 */
_public_ int i4_reader_seek(i4_reader *reader, uint64_t sequence) {
        if (sequence == I4_NEWEST)
                sequence = ring_view_get_published(&reader->view);
        else if (sequence == I4_OLDEST)
                sequence = ring_view_get_oldest(&reader->view);
        else if (sequence > ring_view_get_published(&reader->view))
                return -ERANGE;

        reader->cursor = sequence;
        reader->margin = 0;
        return 0;
}

/* Who is overtaken again before it has caught up is slower than the writer: at the edge it would lose a
 * little after every read. */
static uint64_t margin_grow(uint64_t margin, uint64_t n_records) {
        return margin == 0 ? MAX(n_records / 64, 1) : MIN(margin * 2, n_records / 2);
}

/**
 * i4_reader_read() - copy records out of the ring
 * @reader:             reader to operate on
 * @records:            where they go
 * @n_records:          how many at most
 *
 * Never blocks. A record is returned whole or not at all. A reader that was overtaken goes on at the oldest
 * record that is safe, and further from the edge if it is overtaken again before it has caught up.
 *
 * Return: 1 … @n_records (at most INT_MAX) records copied; 0 nothing new; -EOVERFLOW records were lost, see
 *         i4_reader_get_lost(), read on; -ESTALE the ring is retired, see i4_reader_reattach(); -EPIPE the
 *         daemon has been gone for 30 s, read on to wait for it; -EBADMSG the ring is damaged.
 */
_public_ int i4_reader_read(i4_reader *reader, struct i4_record *records, size_t n_records) {
        uint64_t beat_ns;
        int r;

        if (unlikely(n_records == 0))
                return 0;

        r = ring_view_read(&reader->view, &reader->cursor, records, n_records, reader->margin, &reader->lost);
        if (r == -EOVERFLOW)
                reader->margin = margin_grow(reader->margin, reader->view.n_records);
        else if (r >= 0 && (size_t) r < n_records)
                reader->margin = 0;

        /* While records come the daemon's own signs of life pace the look at it: the clock costs more. */
        beat_ns = reader_get_beat(reader);
        if (likely(r > 0) && beat_ns == reader->beat_ns)
                return r;

        reader->beat_ns = beat_ns;
        reader_tend(reader, clock_now_ns(CLOCK_MONOTONIC_COARSE));
        return r == 0 ? reader_take_condition(reader) : r;
}

/* 0: woken, or the time is up, or something else was published: look again. */
static int reader_sleep(const struct i4_reader *reader, uint64_t duration_ns) {
        struct timespec timeout = timespec_from_ns(duration_ns);
        long r;

        /* The lower half of the counter: equal to the cursor's while nothing new is published. */
        r = syscall(SYS_futex, &reader->view.header->published, FUTEX_WAIT, (uint32_t) reader->cursor,
                        &timeout, NULL, 0);
        return r < 0 && errno == EINTR ? -EINTR : 0;
}

static uint64_t deadline_after(int64_t timeout_ns) {
        return timeout_ns == I4_FOREVER ? NSEC_INFINITY
                                        : clock_now_ns(CLOCK_MONOTONIC) + (uint64_t) MAX(timeout_ns, 0);
}

/**
 * i4_reader_wait() - sleep until there is something to read
 * @reader:             reader to operate on
 * @timeout_ns:         at most so long, nanoseconds; I4_FOREVER
 *
 * Return: 1 there is; 0 the time is up; -EINTR a signal was handled; -ESTALE, -EPIPE as i4_reader_read().
 */
_public_ int i4_reader_wait(i4_reader *reader, int64_t timeout_ns) {
        uint64_t deadline_ns = deadline_after(timeout_ns);

        for (;;) {
                uint64_t now_ns;
                int r;

                if (reader_has_records(reader))
                        return 1;

                now_ns = clock_now_ns(CLOCK_MONOTONIC);
                reader_tend(reader, now_ns);
                r = reader_take_condition(reader);
                if (r < 0)
                        return r;
                if (now_ns >= deadline_ns)
                        return 0;

                r = reader_sleep(reader, MIN(deadline_ns, reader->next_tend_ns) - now_ns);
                if (r < 0)
                        return r;
        }
}

/**
 * i4_reader_spin() - burn a core until there is something to read
 *
 * As i4_reader_wait(), with the latency of a cache line instead of a wake-up; -EINTR is not told.
 */
_public_ int i4_reader_spin(i4_reader *reader, int64_t timeout_ns) {
        uint64_t deadline_ns = deadline_after(timeout_ns);

        for (;;) {
                int r;

                for (unsigned int i = 0; i < 1024; ++i) {
                        if (reader_has_records(reader))
                                return 1;
                        cpu_relax();
                }

                reader_tend(reader, clock_now_ns(CLOCK_MONOTONIC_COARSE));
                r = reader_take_condition(reader);
                if (r < 0)
                        return r;
                if (clock_now_ns(CLOCK_MONOTONIC) >= deadline_ns)
                        return 0;
        }
}

static int timer_new(int epoll_fd, int *timer_fdp) {
        struct epoll_event event = { .events = EPOLLIN };
        _cleanup_(closep) int fd = -1;

        fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
                return -errno;

        *timer_fdp = TAKE_FD(fd);
        return 0;
}

/**
 * i4_reader_get_fd() - a descriptor for poll() and epoll
 * @reader:             reader to operate on
 *
 * Becomes readable after i4_reader_arm() has answered 0 and something was published, and once a second, so
 * that the reader can look after its connection. Stays the same for the reader's life; belongs to the reader.
 *
 * Return: the descriptor; -EOPNOTSUPP for a reader without a daemon; or what epoll_create1() says.
 */
_public_ int i4_reader_get_fd(i4_reader *reader) {
        _cleanup_(closep) int epoll_fd = -1, timer_fd = -1;
        int r;

        if (!reader->path)
                return -EOPNOTSUPP;
        if (reader->epoll_fd >= 0)
                return reader->epoll_fd;

        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (epoll_fd < 0)
                return -errno;
        r = timer_new(epoll_fd, &timer_fd);
        if (r < 0)
                return r;
        r = descriptor_watch(epoll_fd, reader->fd);
        if (r < 0)
                return r;

        reader->timer_fd = TAKE_FD(timer_fd);
        reader->epoll_fd = TAKE_FD(epoll_fd);
        reader_set_timer(reader, clock_now_ns(CLOCK_MONOTONIC));
        return reader->epoll_fd;
}

/**
 * i4_reader_arm() - ask for the descriptor to become readable
 * @reader:             reader whose i4_reader_read() has answered 0
 *
 * Quietens the descriptor and has the daemon wake it once. To be called before each sleep on the descriptor.
 *
 * Return: 1 there is something to read already; 0 sleep; -ESTALE, -EPIPE as i4_reader_read(); -EINVAL there
 * is no descriptor, see i4_reader_get_fd().
 */
_public_ int i4_reader_arm(i4_reader *reader) {
        struct wire_message arm = { .kind = WIRE_ARM, .cursor = reader->cursor };
        uint64_t now_ns = clock_now_ns(CLOCK_MONOTONIC), n_expirations;

        if (reader->epoll_fd < 0)
                return -EINVAL;

        /* Fails only when it has not expired. */
        (void) !read(reader->timer_fd, &n_expirations, sizeof(n_expirations));
        if (reader->fd >= 0)
                reader_receive(reader, now_ns);
        reader_tend(reader, now_ns);

        if (reader_has_records(reader))
                return 1;
        /* A request that cannot be sent now is made again after a second, when the timer ends the sleep. */
        if (reader->fd >= 0 && !reader->is_armed)
                reader->is_armed = connection_send(reader->fd, &arm) == 0;

        return reader_take_condition(reader);
}

/* what is known */

_public_ uint64_t i4_reader_get_cursor(const i4_reader *reader) {
        return reader->cursor;
}

/* Records lost since the reader was opened. */
_public_ uint64_t i4_reader_get_lost(const i4_reader *reader) {
        return reader->lost;
}

_public_ uint64_t i4_reader_get_oldest(const i4_reader *reader) {
        return ring_view_get_oldest(&reader->view);
}

/* The sequence number that the next record to be published will have. */
_public_ uint64_t i4_reader_get_newest(const i4_reader *reader) {
        return ring_view_get_published(&reader->view);
}

const struct ring_view *reader_get_view(const i4_reader *reader) {
        return &reader->view;
}

_public_ const i4_catalog *i4_reader_get_catalog(const i4_reader *reader) {
        return reader->catalog;
}
