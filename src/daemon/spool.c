/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/spool.h"

#include "util/clock.h"
#include "util/file.h"
#include "util/macros.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>

#define RETRY_NS NSEC_PER_SEC

struct spool {
        struct spool_memory *memory;

        /* the recorder's */
        char text[SPOOL_SIZE]; /* in one piece */
        uint64_t retry_ns;     /* CLOCK_MONOTONIC; 0: nothing failed */

        /* main loop → recorder */
        _Atomic bool is_asked;

        /* recorder → main loop */
        _Atomic int error;
        _Atomic bool is_anew;
        int fd;

        size_t size_max;
        char path[PATH_MAX], old_path[PATH_MAX];
};

const char *spool_get_path(const struct spool *spool) {
        return spool->path;
}

/* The number of bytes that wait, for the side that adds to them and the side that takes away. */
static size_t spool_get_size(const struct spool *spool) {
        return atomic_load_explicit(&spool->memory->n_put, memory_order_acquire) -
               atomic_load_explicit(&spool->memory->n_written, memory_order_acquire);
}

bool spool_is_empty(const struct spool *spool) {
        return spool_get_size(spool) == 0;
}

/* main loop */

int spool_put(struct spool *spool, const char *line) {
        struct spool_memory *memory = spool->memory;
        uint64_t n_put = atomic_load_explicit(&memory->n_put, memory_order_relaxed);
        size_t size = strlen(line), at = n_put % SPOOL_SIZE, first = MIN(size, SPOOL_SIZE - at);

        if (size > SPOOL_SIZE - spool_get_size(spool))
                return -ENOBUFS;

        memcpy(memory->text + at, line, first);
        memcpy(memory->text, line + first, size - first);
        /* Pairs with spool_get_size(): whoever sees the number sees the bytes. */
        atomic_store_explicit(&memory->n_put, n_put + size, memory_order_release);
        return 0;
}

void spool_ask(struct spool *spool) {
        atomic_store_explicit(&spool->is_asked, true, memory_order_relaxed);
}

int spool_get_fd(const struct spool *spool) {
        return spool->fd;
}

void spool_quieten(struct spool *spool) {
        uint64_t n;

        (void) !read(spool->fd, &n, sizeof(n));
}

int spool_get_error(const struct spool *spool) {
        return atomic_load_explicit(&spool->error, memory_order_relaxed);
}

bool spool_take_anew(struct spool *spool) {
        return atomic_exchange_explicit(&spool->is_anew, false, memory_order_relaxed);
}

/* recorder */

size_t spool_peek(struct spool *spool, const char **textp) {
        const struct spool_memory *memory = spool->memory;
        size_t size = spool_get_size(spool),
               at = atomic_load_explicit(&memory->n_written, memory_order_relaxed) % SPOOL_SIZE,
               first = MIN(size, SPOOL_SIZE - at);

        memcpy(spool->text, memory->text + at, first);
        memcpy(spool->text + first, memory->text, size - first);
        *textp = spool->text;
        return size;
}

static int spool_append(struct spool *spool) {
        const char *text;
        size_t size = spool_peek(spool, &text);
        int r;

        r = file_append(spool->path, text, size, true);
        if (r < 0)
                return r;

        /* A kill before this makes the next one write them once more. Pairs with spool_get_size(). */
        (void) atomic_fetch_add_explicit(&spool->memory->n_written, size, memory_order_release);
        return 0;
}

static int spool_rotate(const struct spool *spool) {
        return *spool->old_path ? file_rotate(spool->path, spool->old_path, spool->size_max) : 0;
}

static bool spool_is_due(const struct spool *spool) {
        return !spool_is_empty(spool) &&
               (spool->retry_ns == 0 || clock_now_ns(CLOCK_MONOTONIC) >= spool->retry_ns);
}

static void spool_set_error(struct spool *spool, int error) {
        spool->retry_ns = error < 0 ? clock_now_ns(CLOCK_MONOTONIC) + RETRY_NS : 0;
        atomic_store_explicit(&spool->error, error, memory_order_relaxed);
}

void spool_write(struct spool *spool) {
        bool is_asked = atomic_load_explicit(&spool->is_asked, memory_order_relaxed) &&
                        atomic_exchange_explicit(&spool->is_asked, false, memory_order_relaxed);
        int before = atomic_load_explicit(&spool->error, memory_order_relaxed), r;
        bool is_anew, has_written = false;
        const uint64_t one = 1;

        if (!is_asked && !spool_is_due(spool))
                return;

        r = spool_rotate(spool);
        is_anew = r > 0 && spool_is_empty(spool);
        if (is_anew)
                atomic_store_explicit(&spool->is_anew, true, memory_order_relaxed);
        /* Those that come meanwhile as well: they stand in front of all readings that come after them. */
        while (r >= 0 && !spool_is_empty(spool)) {
                r = spool_append(spool);
                has_written |= r >= 0;
        }

        spool_set_error(spool, MIN(r, 0));
        if (is_anew || has_written || MIN(r, 0) != before)
                (void) !write(spool->fd, &one, sizeof(one));
}

/* life cycle */

int spool_new(struct spool **spoolp, const struct spool_settings *settings, struct spool_memory *memory) {
        _cleanup_(spool_freep) struct spool *spool = NULL;

        spool = calloc(1, sizeof(*spool));
        if (!spool)
                return -ENOMEM;

        spool->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (spool->fd < 0)
                return -errno;

        spool->memory = memory;
        /* Noise, of which nothing can be used. */
        if (spool_get_size(spool) > SPOOL_SIZE)
                atomic_store_explicit(&memory->n_written, memory->n_put, memory_order_relaxed);
        spool->size_max = settings->size_max;
        (void) snprintf(spool->path, sizeof(spool->path), "%s/%s", settings->directory, settings->name);
        if (settings->old_name)
                (void) snprintf(spool->old_path, sizeof(spool->old_path), "%s/%s", settings->directory,
                                settings->old_name);

        *spoolp = TAKE_PTR(spool);
        return 0;
}

struct spool *spool_free(struct spool *spool) {
        if (spool)
                closep(&spool->fd);
        free(spool);
        return NULL;
}
