/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/view.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

int ring_memory_verify(int fd, int seals, size_t *sizep) {
        struct stat st;
        int found;

        /* Before the size: that may change until the seal is there. And nothing but memory has seals, so that
         * no file system gets to answer what follows. */
        found = fcntl(fd, F_GET_SEALS);
        if (found < 0)
                return errno == EINVAL ? -EBADMSG : -errno;
        if ((found & seals) != seals)
                return -EBADMSG;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < (off_t) RING_PAGE)
                return -EBADMSG;

        *sizep = (size_t) st.st_size;
        return 0;
}

/* A section of @n times @item_size bytes lies within the memory, aligned, behind the header. */
static bool section_is_valid(uint64_t offset, uint64_t n, uint64_t item_size, size_t size) {
        return offset >= RING_PAGE && offset % RING_PAGE == 0 && offset <= size && item_size > 0 &&
               n <= (size - offset) / item_size;
}

static bool geometry_is_valid(const struct ring_geometry *geometry, size_t size) {
        uint64_t n = geometry->n_records;

        return n >= RING_RECORDS_MIN && n <= RING_RECORDS_MAX && (n & (n - 1)) == 0 &&
               geometry->record_size == sizeof(struct i4_record) &&
               geometry->consumer_size == sizeof(struct ring_consumer) &&
               geometry->n_consumers <= RING_CONSUMERS_MAX &&
               geometry->statistics_size >= sizeof(struct ring_statistics) &&
               section_is_valid(geometry->statistics_offset, 1, geometry->statistics_size, size) &&
               section_is_valid(geometry->consumers_offset, geometry->n_consumers, geometry->consumer_size,
                               size) &&
               section_is_valid(geometry->catalog_offset, 1, geometry->catalog_size, size) &&
               section_is_valid(geometry->records_offset, n, sizeof(struct i4_record), size);
}

static int identity_verify(const struct ring_identity *identity, size_t size) {
        uint32_t version;

        if (identity->magic != RING_MAGIC)
                return -EBADMSG;

        /* Pairs with the release in ring_new(): a version says that all the rest is there. */
        version = atomic_load_explicit(&identity->version, memory_order_acquire);
        if (version == 0)
                return -EAGAIN;
        if (version != RING_VERSION || identity->byte_order != RING_BYTE_ORDER || identity->word_bits != 64)
                return -EPROTONOSUPPORT;

        return identity->size == size ? 0 : -EBADMSG;
}

int ring_view_init(struct ring_view *view, const void *memory, size_t size) {
        const struct ring_header *header = memory;
        const char *base = memory;
        struct ring_geometry geometry;
        int r;

        if (size < RING_PAGE)
                return -EBADMSG;

        r = identity_verify(&header->identity, size);
        if (r < 0)
                return r;

        copy_once(&geometry, &header->geometry, sizeof(geometry));
        if (!geometry_is_valid(&geometry, size))
                return -EBADMSG;

        *view = (struct ring_view){
                .header = header,
                .records = (const void *) (base + geometry.records_offset),
                .statistics = (const void *) (base + geometry.statistics_offset),
                .consumers = (const void *) (base + geometry.consumers_offset),
                .catalog = base + geometry.catalog_offset,
                .n_records = geometry.n_records,
                .first_sequence = geometry.first_sequence,
                .n_consumers = geometry.n_consumers,
                .statistics_size = geometry.statistics_size,
                .catalog_size = geometry.catalog_size,
                .size = size,
        };
        return 0;
}

int ring_view_skip(const struct ring_view *view, uint64_t *cursor, uint64_t oldest, uint64_t margin,
                uint64_t *lost) {
        uint64_t published, next;

        /* Pairs with the release of the claim in ring_claim(): what was published before it is seen here. */
        atomic_thread_fence(memory_order_acquire);
        /* Beyond what is published nothing is lost yet. */
        published = atomic_load_explicit(&view->header->published, memory_order_relaxed);
        if (published < oldest)
                return -EBADMSG;

        next = oldest + MIN(margin, published - oldest);
        *lost += next - *cursor;
        *cursor = next;
        return -EOVERFLOW;
}
