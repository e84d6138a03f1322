/* SPDX-License-Identifier: Apache-2.0 */

#include "ring/ring.h"

#include "lib/view.h"
#include "ring/slots.h"
#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Linux 5.14 has it, the oldest headers this is built with do not. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/*
 * Without SHRINK a reader could be sent SIGBUS. Not FUTURE_WRITE: a restarted daemon could not map its own
 * ring writable again.
 */
#define RING_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static struct ring_geometry geometry_plan(
                const struct ring_settings *settings, size_t catalog_size, size_t *sizep) {
        struct ring_geometry geometry = {
                .n_records = settings->n_records,
                .record_size = sizeof(struct i4_record),
                .statistics_offset = RING_PAGE,
                .statistics_size = sizeof(struct ring_statistics),
                .consumers_offset = 2 * RING_PAGE,
                .consumer_size = sizeof(struct ring_consumer),
                .n_consumers = settings->n_consumers,
                .catalog_size = catalog_size,
                .first_sequence = settings->first_sequence,
        };

        geometry.catalog_offset = geometry.consumers_offset +
                                  ALIGN_TO(settings->n_consumers * sizeof(struct ring_consumer), RING_PAGE);
        geometry.records_offset = geometry.catalog_offset + ALIGN_TO(catalog_size, RING_PAGE);
        *sizep = geometry.records_offset + settings->n_records * sizeof(struct i4_record);
        return geometry;
}

/* All zeros where the sandbox hides it: of use to whoever looks at a copy of the memory, not to the protocol.
 */
static void read_boot_id(uint8_t boot_id[static 16]) {
        _cleanup_(fclosep) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
        char text[37];
        size_t n = 0;

        memset(boot_id, 0, 16);
        if (!file || !fgets(text, sizeof(text), file))
                return;
        for (const char *p = text; *p && n < 16; p += 2) {
                p += *p == '-';
                if (sscanf(p, "%2hhx", &boot_id[n++]) != 1)
                        return;
        }
}

static int memory_create(size_t size, int *fdp) {
        _cleanup_(closep) int fd = -1;

        fd = memfd_create("i4-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        if (fchmod(fd, 0600) < 0 || ftruncate(fd, (off_t) size) < 0)
                return -errno;

        *fdp = TAKE_FD(fd);
        return 0;
}

/* A descriptor that cannot be reopened for writing by who receives it: the file's mode is 0600. */
static int memory_open_reader(int fd) {
        char path[sizeof("/proc/self/fd/") + 10];
        int reader_fd;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        reader_fd = open(path, O_RDONLY | O_CLOEXEC);
        return reader_fd < 0 ? -errno : reader_fd;
}

static int ring_alloc(struct ring **ringp) {
        struct ring *ring;

        ring = calloc(1, sizeof(*ring));
        if (!ring)
                return -ENOMEM;

        ring->fd = ring->reader_fd = -1;
        *ringp = ring;
        return 0;
}

/* @fd stays the caller's. */
static int ring_map(struct ring *ring, int fd, size_t size) {
        void *memory;

        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                return -errno;

        ring->header = memory;
        ring->size = size;
        return 0;
}

/*
 * Where shmem_enabled says "advise", huge pages are for what touches memory and has asked for them, which
 * posix_fallocate() does not. So a page of each is touched before it, and it adds what is missing, sooner
 * than touching all of it would.
 */
static int ring_allocate(struct ring *ring) {
        int r;

        (void) madvise(ring->header, ring->size, MADV_HUGEPAGE);
        for (size_t offset = 0; offset < ring->size; offset += HUGE_PAGE_SIZE)
                (void) madvise((char *) ring->header + offset, RING_PAGE, MADV_POPULATE_WRITE);
        r = posix_fallocate(ring->fd, 0, (off_t) ring->size);
        return -r;
}

static int ring_make_memory(struct ring *ring, size_t size) {
        int r;

        r = memory_create(size, &ring->fd);
        if (r < 0)
                return r;
        r = ring_map(ring, ring->fd, size);
        if (r < 0)
                return r;
        r = ring_allocate(ring);
        if (r < 0)
                return r;
        if (fcntl(ring->fd, F_ADD_SEALS, RING_SEALS) < 0)
                return -errno;

        ring->reader_fd = memory_open_reader(ring->fd);
        return ring->reader_fd < 0 ? ring->reader_fd : 0;
}

static int ring_set_geometry(struct ring *ring, const struct ring_geometry *geometry) {
        char *base = (char *) ring->header;

        ring->statistics = (void *) (base + geometry->statistics_offset);
        ring->consumers = (void *) (base + geometry->consumers_offset);
        ring->records = (void *) (base + geometry->records_offset);
        ring->n_records = geometry->n_records;
        ring->n_consumers = geometry->n_consumers;

        if (SLOTS_ATOMIC) {
                ring->bounce = calloc(ring->n_records, sizeof(*ring->bounce));
                if (!ring->bounce)
                        return -ENOMEM;
        }

        return 0;
}

static int identity_init(struct ring_identity *identity, size_t size) {
        identity->magic = RING_MAGIC;
        identity->byte_order = RING_BYTE_ORDER;
        identity->word_bits = 64;
        identity->size = size;
        atomic_init(&identity->state, I4_RING_STOPPED);

        return getrandom(identity->instance, sizeof(identity->instance), 0) < 0 ? -errno : 0;
}

static int settings_verify(const struct ring_settings *settings) {
        uint64_t n = settings->n_records;

        if (n < RING_RECORDS_MIN || n > RING_RECORDS_MAX || (n & (n - 1)) || settings->n_consumers < 1 ||
                        settings->n_consumers > RING_CONSUMERS_MAX)
                return -EINVAL;

        return 0;
}

int ring_new(struct ring **ringp, const struct ring_settings *settings, const struct i4_catalog *catalog) {
        _cleanup_(ring_freep) struct ring *ring = NULL;
        struct ring_geometry geometry;
        size_t size;
        int r;

        r = settings_verify(settings);
        if (r < 0)
                return r;

        geometry = geometry_plan(settings, catalog_get_size(catalog), &size);
        geometry.created_ns = clock_now_ns(CLOCK_REALTIME);
        read_boot_id(geometry.boot_id);

        r = ring_alloc(&ring);
        if (r < 0)
                return r;
        r = ring_make_memory(ring, size);
        if (r < 0)
                return r;
        r = identity_init(&ring->header->identity, size);
        if (r < 0)
                return r;

        ring->header->geometry = geometry;
        ring->head = settings->first_sequence;
        atomic_init(&ring->header->claimed, ring->head);
        atomic_init(&ring->header->published, ring->head);
        catalog_write(catalog, (char *) ring->header + geometry.catalog_offset);

        r = ring_set_geometry(ring, &geometry);
        if (r < 0)
                return r;

        /* Pairs with the acquire in ring_view_init(): whoever sees the version sees all of the above. */
        atomic_store_explicit(&ring->header->identity.version, RING_VERSION, memory_order_release);

        *ringp = TAKE_PTR(ring);
        return 0;
}

static bool catalog_is_same(const struct ring_view *view, const struct i4_catalog *catalog) {
        size_t size = catalog_get_size(catalog);
        _cleanup_(freep) void *bytes = malloc(size);

        if (!bytes || view->catalog_size != size)
                return false;

        catalog_write(catalog, bytes);
        return memcmp(view->catalog, bytes, size) == 0;
}

/* The lock only counts on: whoever was reading the entry must see that it changed. */
static void consumer_clear(struct ring_consumer *consumer) {
        if (!atomic_load_explicit(&consumer->is_used, memory_order_relaxed) &&
                        atomic_load_explicit(&consumer->lock, memory_order_relaxed) % 2 == 0)
                return;

        ring_consumer_begin(consumer);
        atomic_store_explicit(&consumer->is_used, 0, memory_order_relaxed);
        ring_consumer_end(consumer);
}

/* The owner before us may have been killed at any instant: what was only its own starts afresh. */
static void ring_clear(struct ring *ring) {
        uint64_t storage_next = atomic_load_explicit(&ring->statistics->storage_next, memory_order_relaxed);

        memset(ring->statistics, 0, sizeof(*ring->statistics));
        atomic_store_explicit(&ring->statistics->storage_next, storage_next, memory_order_relaxed);

        for (uint32_t i = 0; i < ring->n_consumers; ++i)
                consumer_clear(&ring->consumers[i]);
}

int ring_adopt(struct ring **ringp, int fd, int reader_fd, const struct ring_settings *settings,
                const struct i4_catalog *catalog) {
        _cleanup_(ring_freep) struct ring *ring = NULL;
        struct ring_view view;
        size_t size = 0;
        int r;

        r = settings_verify(settings);
        if (r < 0)
                return r;
        r = ring_memory_verify(fd, RING_SEALS, &size);
        if (r < 0)
                return r;
        r = ring_alloc(&ring);
        if (r < 0)
                return r;
        r = ring_map(ring, fd, size);
        if (r < 0)
                return r;

        r = ring_view_init(&view, ring->header, size);
        if (r < 0)
                return r == -EAGAIN ? -EBADMSG : r;
        if (view.n_records != settings->n_records || view.n_consumers != settings->n_consumers ||
                        !catalog_is_same(&view, catalog) ||
                        atomic_load_explicit(&ring->header->identity.state, memory_order_relaxed) ==
                                        I4_RING_RETIRED)
                return -EMEDIUMTYPE;

        r = ring_set_geometry(ring, &ring->header->geometry);
        if (r < 0)
                return r;

        ring->head = ring_view_get_published(&view);
        if (ring->head < view.first_sequence || ring_view_get_oldest(&view) > ring->head)
                return -EBADMSG;
        ring_clear(ring);

        ring->fd = fd;
        ring->reader_fd = reader_fd;
        *ringp = TAKE_PTR(ring);
        return 0;
}

static void identity_set_state(struct ring_identity *identity, enum i4_ring_state state) {
        /* Pairs with the acquire in the reader's look at the header: a generation is seen with its state. */
        atomic_store_explicit(&identity->state, state, memory_order_release);
}

int ring_retire_fd(int fd) {
        struct ring_identity *identity;
        struct stat st;
        int r = 0;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < (off_t) RING_PAGE)
                return -EBADMSG;

        identity = mmap(NULL, RING_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (identity == MAP_FAILED)
                return -errno;

        /* The identity means the same in every version, so one that cannot be adopted can still be retired.
         */
        if (identity->magic == RING_MAGIC)
                identity_set_state(identity, I4_RING_RETIRED);
        else
                r = -EBADMSG;

        (void) munmap(identity, RING_PAGE);
        return r;
}

struct ring *ring_free(struct ring *ring) {
        if (!ring)
                return NULL;

        if (ring->header)
                (void) munmap(ring->header, ring->size);
        closep(&ring->reader_fd);
        closep(&ring->fd);
        free(ring->bounce);
        free(ring);
        return NULL;
}

void ring_set_state(struct ring *ring, enum i4_ring_state state) {
        identity_set_state(&ring->header->identity, state);
}

void ring_beat(struct ring *ring) {
        atomic_store_explicit(&ring->header->identity.heartbeat_ns, clock_now_ns(CLOCK_BOOTTIME),
                        memory_order_relaxed);
}

void ring_set_running(struct ring *ring) {
        struct ring_identity *identity = &ring->header->identity;

        ring_beat(ring);
        atomic_store_explicit(&identity->pid, (uint32_t) getpid(), memory_order_relaxed);
        atomic_store_explicit(
                        &ring->statistics->start_time_ns, clock_now_ns(CLOCK_REALTIME), memory_order_relaxed);
        (void) atomic_fetch_add_explicit(&identity->generation, 1, memory_order_release);
        identity_set_state(identity, I4_RING_RUNNING);
}

void ring_populate(struct ring *ring) {
        /* Older kernels do it as pages are touched. */
        (void) madvise(ring->records, ring->n_records * sizeof(*ring->records), MADV_POPULATE_WRITE);
}

struct i4_record *ring_claim(struct ring *ring, size_t *n) {
        uint64_t index = ring->head & (ring->n_records - 1), end;

        *n = MIN(*n, ring->n_records - index);
        end = ring->head + *n;

        /*
         * Never backwards: an owner that was killed may have half overwritten more than we are about to.
         *
         * The fence pairs with the one in ring_view_read(): who copies a word that is written below sees this
         * claim. The release pairs with the acquires in ring_view_skip() and ring_view_get_oldest(): who sees
         * the claim sees all that was published before it, so the oldest record is never beyond the newest.
         */
        if (atomic_load_explicit(&ring->header->claimed, memory_order_relaxed) < end)
                atomic_store_explicit(&ring->header->claimed, end, memory_order_release);
        atomic_thread_fence(memory_order_release);

        return SLOTS_ATOMIC ? ring->bounce : ring->records + index;
}

void ring_publish(struct ring *ring, size_t n) {
        if (SLOTS_ATOMIC)
                slots_store(ring->records + (ring->head & (ring->n_records - 1)), ring->bounce, n);

        ring->head += n;

        /* Pairs with the acquire in ring_view_read(). */
        atomic_store_explicit(&ring->header->published, ring->head, memory_order_release);
        /* It left the caches a lap ago: the next record would wait for it, and its counter for the record. */
        __builtin_prefetch(ring->records + (ring->head & (ring->n_records - 1)), 1);
}

int ring_wake(struct ring *ring, int n) {
        /* The lower half: what a sleeper compares. Not FUTEX_PRIVATE: sleepers are other processes. */
        return (int) syscall(SYS_futex, &ring->header->published, FUTEX_WAKE, n, NULL, NULL, 0);
}
