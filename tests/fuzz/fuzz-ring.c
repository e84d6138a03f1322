/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reader given hostile memory
 *
 * The input is the head of a ring: header, statistics, consumers and catalog as a stranger wrote them. Half
 * of the runs first put a sound header in place and let the input change some of its bytes, since random
 * bytes alone never get past the magic.
 */

#include "ring/ring.h"
#include "util/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY_SIZE (1u << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An id that the catalog makes of a record is that of the same sensor, or of none. */
static void id_check(const i4_catalog *catalog, const struct i4_record *record) {
        char id[I4_SENSOR_ID_MAX];
        uint32_t sensor;

        if (i4_catalog_format_sensor_id(catalog, record, id, sizeof(id)) >= 0 &&
                        i4_catalog_find_sensor(catalog, id, &sensor) >= 0 && sensor != record->sensor)
                abort();
}

/* Whatever is in a record, its line parses. The first one is looked at, which takes as long as all the rest.
 */
static void line_check(const char *lines, size_t size) {
        const char *end = memchr(lines, '\n', size);
        _cleanup_(json_freep) cJSON *json = NULL;

        if (!end)
                abort();
        json = cJSON_ParseWithLength(lines, (size_t) (end - lines));
        if (!cJSON_IsObject(json))
                abort();
}

static void records_use(
                i4_encoder *encoder, const i4_catalog *catalog, const struct i4_record *records, size_t n) {
        char lines[16 * I4_LINE_MAX];
        size_t size, n_encoded;

        size = i4_encoder_encode(encoder, records, n, lines, sizeof(lines), &n_encoded);
        if (n_encoded != n)
                abort();
        line_check(lines, size);

        for (size_t i = 0; i < n; ++i)
                id_check(catalog, &records[i]);
}

static void use_reader(i4_reader *reader) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
        const i4_catalog *catalog = i4_reader_get_catalog(reader);
        struct i4_record records[16];
        struct i4_peer peers[4];
        struct i4_stats stats;
        int n;

        (void) i4_reader_get_stats(reader, &stats, sizeof(stats));
        (void) i4_reader_get_peers(reader, peers, sizeof(*peers), ELEMENTSOF(peers));

        if (i4_encoder_new(&encoder, catalog) < 0)
                abort();
        i4_encoder_set_extras(encoder, I4_EXTRA_SEQUENCE | I4_EXTRA_LABEL);

        for (unsigned int i = 0; i < 8; ++i) {
                n = i4_reader_read(reader, records, ELEMENTSOF(records));
                if (n > (int) ELEMENTSOF(records))
                        abort();
                if (n > 0)
                        records_use(encoder, catalog, records, (size_t) n);
                if (i % 4 == 1)
                        (void) i4_reader_seek(reader, 0);
                if (i == 3)
                        (void) i4_reader_seek(reader, I4_OLDEST);
        }
}

/* Pairs of offset (two bytes) and value (one byte), applied to a sound ring. */
static void damage(uint8_t *memory, const uint8_t *data, size_t size) {
        for (size_t i = 0; i + 2 < size; i += 3)
                memory[(size_t) (data[i] | data[i + 1] << 8) % MEMORY_SIZE] = data[i + 2];
}

static void fill_sound(uint8_t *memory) {
        static const struct ring_settings settings = { .n_records = 64, .n_consumers = 4 };
        _cleanup_(ring_freep) struct ring *ring = NULL;
        size_t n = 32;

        if (ring_new(&ring, &settings, i4_catalog_get_default()) < 0)
                abort();
        memset(ring_claim(ring, &n), 0, 32 * sizeof(struct i4_record));
        ring_publish(ring, n);
        if (ring->size > MEMORY_SIZE)
                abort();

        ring->header->identity.size = MEMORY_SIZE;
        memcpy(memory, ring->header, ring->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(i4_reader_closep) i4_reader *reader = NULL;
        _cleanup_(closep) int fd = -1;
        uint8_t *memory;

        if (size < 1 || size > MEMORY_SIZE)
                return 0;

        fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0 || ftruncate(fd, MEMORY_SIZE) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
                abort();
        memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                abort();

        if (data[0] & 1) {
                fill_sound(memory);
                damage(memory, data + 1, size - 1);
        } else
                memcpy(memory, data + 1, size - 1);

        if (i4_reader_open_fd(&reader, fd) >= 0)
                use_reader(reader);

        (void) munmap(memory, MEMORY_SIZE);
        return 0;
}
