/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/view.h"
#include "ring/ring.h"
#include "util/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#define N_RECORDS 8u

/* Shrunk and sealed as soon as its size is known. The program's own functions come before libc's. */
static int shrinking_fd = -1;

int fstat(int fd, struct stat *st) {
        int r = fstatat(fd, "", st, AT_EMPTY_PATH);

        if (r == 0 && fd == shrinking_fd &&
                        (ftruncate(fd, RING_PAGE) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0))
                r = -1;
        return r;
}

static const struct ring_settings settings = {
        .n_records = N_RECORDS, .n_consumers = 4, .first_sequence = 100
};

struct fixture {
        struct ring *ring;
        i4_reader *reader;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        assert_int_equal(ring_new(&f->ring, &settings, i4_catalog_get_default()), 0);
        ring_set_running(f->ring);
        assert_int_equal(i4_reader_open_fd(&f->reader, f->ring->reader_fd), 0);

        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        i4_reader_close(f->reader);
        ring_free(f->ring);
        free(f);
        return 0;
}

/* Every field carries the sequence, so that a record in the wrong place shows. */
static void record_fill(struct i4_record *record, uint64_t sequence) {
        *record = (struct i4_record){
                .sequence = sequence,
                .time_ns = sequence * 3,
                .sensor = (uint32_t) sequence,
        };
}

static void publish(struct ring *ring, uint64_t n) {
        while (n > 0) {
                size_t n_claimed = MIN(n, N_RECORDS / 2);
                struct i4_record *records = ring_claim(ring, &n_claimed);

                for (size_t i = 0; i < n_claimed; ++i)
                        record_fill(&records[i], ring->head + i);
                ring_publish(ring, n_claimed);
                n -= n_claimed;
        }
}

static void assert_next(i4_reader *reader, uint64_t first, int n) {
        struct i4_record records[2 * N_RECORDS];

        assert_int_equal(i4_reader_read(reader, records, ELEMENTSOF(records)), n);
        for (int i = 0; i < n; ++i) {
                assert_int_equal(records[i].sequence, first + (uint64_t) i);
                assert_int_equal(records[i].time_ns, 3 * (first + (uint64_t) i));
        }
}

/* Not a byte is left to be found missing when it is written. */
static void test_allocated(void **state) {
        struct fixture *f = *state;
        struct stat st;

        assert_int_equal(fstat(f->ring->fd, &st), 0);
        assert_int_equal(st.st_size, f->ring->size);
        assert_true((uint64_t) st.st_blocks * 512 >= f->ring->size);
}

/* What is published is read, in order, across the wrap, until there is nothing new. */
static void test_order(void **state) {
        struct fixture *f = *state;

        assert_next(f->reader, 0, 0);

        publish(f->ring, 5);
        assert_next(f->reader, 100, 5);
        assert_next(f->reader, 0, 0);

        publish(f->ring, 7);
        assert_next(f->reader, 105, 7);
        assert_int_equal(i4_reader_get_lost(f->reader), 0);
        assert_int_equal(i4_reader_get_cursor(f->reader), 112);
}

/* A reader that was lapped learns exactly how much it missed and goes on at the oldest record. */
static void test_overrun(void **state) {
        struct fixture *f = *state;
        struct i4_record record;

        publish(f->ring, N_RECORDS + 3);

        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EOVERFLOW);
        assert_int_equal(i4_reader_get_lost(f->reader), 3);
        assert_next(f->reader, 103, N_RECORDS);

        publish(f->ring, 5 * N_RECORDS);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EOVERFLOW);
        assert_int_equal(i4_reader_get_lost(f->reader), 3 + 4 * N_RECORDS);
        assert_next(f->reader, 111 + 4 * N_RECORDS, N_RECORDS);
}

/* Claimed slots are given up for their old records before one byte of the new ones is written. */
static void test_claim_overtakes(void **state) {
        struct fixture *f = *state;
        struct i4_record record;
        size_t n = 2;

        publish(f->ring, N_RECORDS);
        (void) ring_claim(f->ring, &n);
        assert_int_equal(n, 2);

        assert_int_equal(i4_reader_get_oldest(f->reader), 102);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EOVERFLOW);
        assert_int_equal(i4_reader_get_lost(f->reader), 2);
        assert_next(f->reader, 102, N_RECORDS - 2);
}

/* Sleepers compare half of the counter, which begins anew now and then: in the middle of this. */
static void test_half_counter(void **state) {
        static const struct ring_settings late = {
                .n_records = N_RECORDS, .n_consumers = 1, .first_sequence = UINT32_MAX - 3
        };
        _cleanup_(ring_freep) struct ring *ring = NULL;
        _cleanup_(i4_reader_closep) i4_reader *reader = NULL;

        assert_int_equal(ring_new(&ring, &late, i4_catalog_get_default()), 0);
        assert_int_equal(i4_reader_open_fd(&reader, ring->reader_fd), 0);
        for (unsigned int i = 0; i < N_RECORDS; ++i) {
                assert_int_equal(i4_reader_wait(reader, NSEC_PER_MSEC), 0);
                publish(ring, 1);
                assert_int_equal(i4_reader_wait(reader, I4_FOREVER), 1);
                assert_next(reader, late.first_sequence + i, 1);
        }

        publish(ring, N_RECORDS + 1);
        assert_int_equal(i4_reader_wait(reader, I4_FOREVER), 1);
        assert_int_equal(i4_reader_read(reader, &(struct i4_record){}, 1), -EOVERFLOW);
        assert_int_equal(i4_reader_get_lost(reader), 1);
        assert_next(reader, late.first_sequence + N_RECORDS + 1, N_RECORDS);
}

static void test_seek(void **state) {
        struct fixture *f = *state;
        struct i4_record record;

        publish(f->ring, N_RECORDS + 1);

        assert_int_equal(i4_reader_seek(f->reader, I4_NEWEST), 0);
        assert_next(f->reader, 0, 0);
        assert_int_equal(i4_reader_seek(f->reader, I4_OLDEST), 0);
        assert_next(f->reader, 101, N_RECORDS);
        assert_int_equal(i4_reader_seek(f->reader, 105), 0);
        assert_next(f->reader, 105, 4);
        assert_int_equal(i4_reader_seek(f->reader, 110), -ERANGE);

        assert_int_equal(i4_reader_seek(f->reader, 100), 0);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EOVERFLOW);
        assert_int_equal(i4_reader_get_lost(f->reader), 1);
}

/* Nothing of the catalog is needed to read the ring but what lies in it. */
static void test_catalog(void **state) {
        struct fixture *f = *state;
        const i4_catalog *catalog = i4_reader_get_catalog(f->reader);
        uint32_t sensor = 0;

        assert_int_equal(i4_catalog_get_n_types(catalog), 8);
        assert_string_equal(i4_catalog_get_type_name(catalog, 2), "flow_rate");
        assert_string_equal(i4_catalog_get_type_unit(catalog, 2), "bbl/hr");
        assert_int_equal(i4_catalog_find_pipeline(catalog, "PIPE-ND-001"), 7);
        assert_int_equal(i4_catalog_find_pipeline(catalog, "PIPE-ND-002"), -EINVAL);
        assert_null(i4_catalog_get_pipeline_id(catalog, 8));

        assert_int_equal(i4_catalog_find_sensor(catalog, "SNS-flo-2977", &sensor), 0);
        assert_int_equal(sensor, 2977);
        assert_int_equal(i4_catalog_find_sensor(catalog, "SNS-flo-02977", &sensor), -EINVAL);
        assert_int_equal(i4_catalog_find_sensor(catalog, "SNS-abc-2977", &sensor), -EINVAL);
        assert_int_equal(i4_catalog_find_sensor(catalog, "SNS-flo-8000", &sensor), -EINVAL);
        assert_int_equal(i4_catalog_find_sensor(catalog, "SNS-", &sensor), -EINVAL);
}

/* A new owner goes on where the last one was killed, even between claim and publish. */
static void test_adopt(void **state) {
        struct fixture *f = *state;
        struct ring *ring = NULL;
        int fd, reader_fd;
        size_t n = 3;

        publish(f->ring, N_RECORDS);
        (void) ring_claim(f->ring, &n);

        fd = fcntl(f->ring->fd, F_DUPFD_CLOEXEC, 0);
        reader_fd = fcntl(f->ring->reader_fd, F_DUPFD_CLOEXEC, 0);
        assert_true(fd >= 0 && reader_fd >= 0);
        assert_int_equal(ring_adopt(&ring, fd, reader_fd, &settings, i4_catalog_get_default()), 0);
        assert_int_equal(ring->head, 108);

        /* A smaller claim does not bring back what the first one may have destroyed. */
        n = 1;
        (void) ring_claim(ring, &n);
        assert_int_equal(i4_reader_get_oldest(f->reader), 103);

        publish(ring, 1);
        assert_int_equal(i4_reader_seek(f->reader, I4_OLDEST), 0);
        assert_next(f->reader, 103, 6);
        ring_free(ring);
}

/* Other settings need another ring; readers of the old one are told. */
static void test_retire(void **state) {
        struct fixture *f = *state;
        struct ring_settings other = settings;
        struct ring *ring = NULL;
        struct i4_record record;

        other.n_records *= 2;
        publish(f->ring, 1);
        assert_int_equal(ring_adopt(&ring, f->ring->fd, f->ring->reader_fd, &other, i4_catalog_get_default()),
                        -EMEDIUMTYPE);
        assert_int_equal(ring_retire_fd(f->ring->fd), 0);

        /* Its records first. */
        assert_int_equal(i4_reader_read(f->reader, &record, 1), 1);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -ESTALE);
        assert_int_equal(i4_reader_wait(f->reader, I4_FOREVER), -ESTALE);
        assert_int_equal(ring_adopt(&ring, f->ring->fd, f->ring->reader_fd, &settings,
                                         i4_catalog_get_default()),
                        -EMEDIUMTYPE);
}

/* What readers get cannot be written, resized or reopened. */
static void test_read_only(void **state) {
        struct fixture *f = *state;
        char path[64];

        assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f->ring->reader_fd, 0),
                        MAP_FAILED);
        assert_int_equal(errno, EACCES);
        assert_int_equal(ftruncate(f->ring->fd, 4096), -1);
        assert_int_equal(errno, EPERM);

        if (geteuid() == 0) {
                /* Root may; whoever is not the owner may not. */
                assert_int_equal(seteuid(65534), 0);
                (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", f->ring->reader_fd);
                assert_int_equal(open(path, O_RDWR | O_CLOEXEC), -1);
                assert_int_equal(errno, EACCES);
                assert_int_equal(seteuid(0), 0);
        }
}

static void test_settings(void **state) {
        struct ring_settings bad = settings;
        struct ring *ring = NULL;

        bad.n_records = 12;
        assert_int_equal(ring_new(&ring, &bad, i4_catalog_get_default()), -EINVAL);
        bad.n_records = 4;
        assert_int_equal(ring_new(&ring, &bad, i4_catalog_get_default()), -EINVAL);
        bad = settings;
        bad.n_consumers = RING_CONSUMERS_MAX + 1;
        assert_int_equal(ring_new(&ring, &bad, i4_catalog_get_default()), -EINVAL);
        bad.n_consumers = 0;
        assert_int_equal(ring_new(&ring, &bad, i4_catalog_get_default()), -EINVAL);
}

/* Headers that lie */

struct damage {
        const char *what;
        size_t offset;
        uint64_t value;
        size_t size;
        int error;
};

#define DAMAGE(field, to, result)                                                                            \
        {                                                                                                    \
                .what = #field, .offset = offsetof(struct ring_header, field), .value = (to),                \
                .size = sizeof(((struct ring_header *) 0)->field), .error = (result)                         \
        }

static const struct damage damages[] = {
        DAMAGE(identity.magic, 0, -EBADMSG),
        DAMAGE(identity.version, 0, -EAGAIN),
        DAMAGE(identity.version, RING_VERSION + 1, -EPROTONOSUPPORT),
        DAMAGE(identity.byte_order, 0x04030201, -EPROTONOSUPPORT),
        DAMAGE(identity.word_bits, 32, -EPROTONOSUPPORT),
        DAMAGE(identity.size, 4096, -EBADMSG),
        DAMAGE(identity.size, UINT64_MAX, -EBADMSG),
        DAMAGE(geometry.n_records, 0, -EBADMSG),
        DAMAGE(geometry.n_records, 12, -EBADMSG),
        DAMAGE(geometry.n_records, UINT64_C(1) << 63, -EBADMSG),
        DAMAGE(geometry.n_records, 4096, -EBADMSG),
        DAMAGE(geometry.records_offset, 0, -EBADMSG),
        DAMAGE(geometry.records_offset, UINT64_MAX - 4095, -EBADMSG),
        DAMAGE(geometry.records_offset, 4097, -EBADMSG),
        DAMAGE(geometry.record_size, 32, -EBADMSG),
        DAMAGE(geometry.statistics_size, 8, -EBADMSG),
        DAMAGE(geometry.statistics_size, UINT32_MAX, -EBADMSG),
        DAMAGE(geometry.consumer_size, 0, -EBADMSG),
        DAMAGE(geometry.n_consumers, UINT32_MAX, -EBADMSG),
        DAMAGE(geometry.n_consumers, RING_CONSUMERS_MAX + 1, -EBADMSG),
        DAMAGE(geometry.catalog_offset, UINT64_C(1) << 40, -EBADMSG),
        DAMAGE(geometry.catalog_size, UINT64_MAX, -EBADMSG),
        DAMAGE(geometry.catalog_size, 8, -EBADMSG),
};

static void test_damage(void **state) {
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(damages); ++i) {
                const struct damage *damage = &damages[i];
                char *field = (char *) f->ring->header + damage->offset;
                i4_reader *reader = NULL;
                uint64_t saved = 0;

                memcpy(&saved, field, damage->size);
                memcpy(field, &damage->value, damage->size);
                if (i4_reader_open_fd(&reader, f->ring->reader_fd) != damage->error)
                        fail_msg("%s = %#llx", damage->what, (unsigned long long) damage->value);
                memcpy(field, &saved, damage->size);
        }
}

/* Counters that run backwards are an answer, not a crash. */
static void test_damaged_counters(void **state) {
        struct fixture *f = *state;
        struct i4_record record;

        publish(f->ring, 4);
        assert_next(f->reader, 100, 4);
        atomic_store(&f->ring->header->published, 50);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EBADMSG);

        atomic_store(&f->ring->header->published, 110);
        atomic_store(&f->ring->header->claimed, UINT64_MAX);
        assert_int_equal(i4_reader_read(f->reader, &record, 1), -EBADMSG);
}

/* Memory that somebody could shrink under our feet is not read at all. */
static void test_unsealed(void **state) {
        struct fixture *f = *state;
        i4_reader *reader = NULL;
        int fd;

        fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, f->ring->header, f->ring->size), f->ring->size);
        assert_int_equal(i4_reader_open_fd(&reader, fd), -EBADMSG);

        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
        assert_int_equal(i4_reader_open_fd(&reader, fd), 0);
        i4_reader_close(reader);
        close(fd);
}

/* What is sealed after a look at its size has another size. */
static void test_shrinking(void **state) {
        struct fixture *f = *state;
        i4_reader *reader = NULL;
        int fd;

        fd = memfd_create("shrinking", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, f->ring->header, f->ring->size), f->ring->size);

        shrinking_fd = fd;
        assert_int_equal(i4_reader_open_fd(&reader, fd), -EBADMSG);
        shrinking_fd = -1;
        close(fd);
}

/* Neither is a file of another kind, which might make its reader wait. */
static void test_no_memory(void **state) {
        i4_reader *reader = NULL;
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(i4_reader_open_fd(&reader, fds[0]), -EBADMSG);
        close(fds[0]);
        close(fds[1]);
        assert_int_equal(i4_reader_open_fd(&reader, fds[0]), -EBADF);
}

/* The lock of an entry counts on over owners: who looked before and looks after sees that it changed. */
static void test_adopt_consumers(void **state) {
        struct fixture *f = *state;
        struct ring_consumer *consumers = f->ring->consumers;
        struct i4_peer peers[4];
        int fd, reader_fd;

        ring_consumer_begin(&consumers[0]);
        atomic_store(&consumers[0].is_used, 1);
        ring_consumer_end(&consumers[0]);
        /* Killed in the middle. */
        ring_consumer_begin(&consumers[1]);
        atomic_store(&consumers[1].is_used, 1);
        assert_int_equal(i4_reader_get_peers(f->reader, peers, sizeof(*peers), ELEMENTSOF(peers)), 1);

        fd = fcntl(f->ring->fd, F_DUPFD_CLOEXEC, 3);
        reader_fd = fcntl(f->ring->reader_fd, F_DUPFD_CLOEXEC, 3);
        f->ring = ring_free(f->ring);
        assert_int_equal(ring_adopt(&f->ring, fd, reader_fd, &settings, i4_catalog_get_default()), 0);

        assert_int_equal(i4_reader_get_peers(f->reader, peers, sizeof(*peers), ELEMENTSOF(peers)), 0);
        consumers = f->ring->consumers;
        assert_int_equal(consumers[0].lock, 4);
        assert_int_equal(consumers[1].lock, 2);
        assert_int_equal(consumers[2].lock, 0);
}

static void test_stats(void **state) {
        struct fixture *f = *state;
        struct i4_stats stats;

        publish(f->ring, N_RECORDS + 1);
        atomic_store(&f->ring->statistics->behind, 5);

        assert_int_equal(i4_reader_get_stats(f->reader, &stats, sizeof(stats)), 0);
        assert_int_equal(stats.state, I4_RING_RUNNING);
        assert_int_equal(stats.pid, getpid());
        assert_int_equal(stats.ring_records, N_RECORDS);
        assert_int_equal(stats.ring_oldest, 101);
        assert_int_equal(stats.ring_next, 109);
        assert_int_equal(stats.behind_records, 5);
        assert_int_equal(stats.generation, 1);

        /* A program built against an older header gets what it knows. */
        memset(&stats, 0xff, sizeof(stats));
        assert_int_equal(i4_reader_get_stats(f->reader, &stats, 8), 0);
        assert_int_equal(stats.pid, getpid());
        assert_int_equal(stats.start_time_ns, UINT64_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_allocated, setup, teardown),
                cmocka_unit_test_setup_teardown(test_order, setup, teardown),
                cmocka_unit_test_setup_teardown(test_overrun, setup, teardown),
                cmocka_unit_test_setup_teardown(test_claim_overtakes, setup, teardown),
                cmocka_unit_test(test_half_counter),
                cmocka_unit_test_setup_teardown(test_seek, setup, teardown),
                cmocka_unit_test_setup_teardown(test_catalog, setup, teardown),
                cmocka_unit_test_setup_teardown(test_adopt, setup, teardown),
                cmocka_unit_test_setup_teardown(test_retire, setup, teardown),
                cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
                cmocka_unit_test(test_settings),
                cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged_counters, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unsealed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_shrinking, setup, teardown),
                cmocka_unit_test(test_no_memory),
                cmocka_unit_test_setup_teardown(test_adopt_consumers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stats, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
