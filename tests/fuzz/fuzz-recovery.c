/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A start on what others left in the directory of readings
 *
 * The input is a small head and three files: .sequence, .readings.first and readings.jsonl, the last of which
 * takes what is left. With bit 0 of the head the daemon's own notes are there as well, and name this file;
 * with bit 1 they are bytes of the input. Whatever they hold, what stood in the file up to where it is
 * certain stays as it is, what is stored then are whole lines at its end, and the file can be sealed.
 */

#include "daemon/keeper.h"
#include "storage/ledger.h"
#include "util/clock.h"
#include "util/macros.h"

#include "../unit/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define HEAD_SIZE 32u
#define LIVE_MAX  65536u
#define N_STORED  3u
#define TURNS_MAX 1000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct head {
        uint8_t flags;
        uint8_t ledger_size, first_size;
        uint8_t reserved;
        uint32_t sequence, offset, n_readable;
        uint64_t words[2];
};

static_assert(sizeof(struct head) == HEAD_SIZE, "as inputs begin");

static void require(bool condition) {
        if (!condition)
                abort();
}

static void file_put(int directory_fd, const char *name, const uint8_t *bytes, size_t size) {
        _cleanup_(closep) int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

        require(fd >= 0 && pwrite(fd, bytes, size, 0) == (ssize_t) size);
}

/* All of it; the caller's to free. */
static char *file_get(int directory_fd, const char *name, size_t *sizep) {
        _cleanup_(closep) int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
        struct stat st;
        char *bytes;

        require(fd >= 0 && fstat(fd, &st) == 0);
        bytes = malloc((size_t) st.st_size + 1);
        require(bytes && pread(fd, bytes, (size_t) st.st_size, 0) == st.st_size);
        *sizep = (size_t) st.st_size;
        return bytes;
}

static void state_fill(struct recorder_state *state, const struct head *head, int directory_fd) {
        struct stat st;

        if (head->flags & 2) {
                memcpy(&state->positions[0], head->words, sizeof(head->words));
                state->magic = head->words[0];
                state->selected = head->words[1];
        }
        if (head->flags & 1) {
                require(fstatat(directory_fd, "readings.jsonl", &st, 0) == 0);
                state->magic = UINT64_C(0x31657461747372);
                state->positions[state->selected & 1] = (struct recorder_position){
                        .sequence = head->sequence,
                        .offset = head->offset,
                        .device = st.st_dev,
                        .inode = st.st_ino,
                };
        }
}

static void ignore_event(void *userdata, const struct recorder_event *event) {}

static struct i4_record record_make(uint64_t sequence) {
        return (struct i4_record){ .sequence = sequence, .time_ns = sequence % NSEC_PER_DAY };
}

/* The sequence of the first of those that were stored. */
static uint64_t store(struct keeper *keeper) {
        uint64_t first = keeper_get_next(keeper);

        for (uint64_t i = 0; i < N_STORED; ++i) {
                struct i4_record record = record_make(first + i);

                require(keeper_append(keeper, &record, 1) == 1);
        }

        keeper_flush(keeper);
        for (unsigned int i = 0; !keeper_is_written(keeper); ++i) {
                require(i < TURNS_MAX);
                keeper_run(keeper, NSEC_PER_MSEC);
        }
        require(keeper_get_error(keeper) == 0);
        return first;
}

/* What was there up to @n_sure is there still, and it ends in the lines of the records from @first on. */
static void file_check(int directory_fd, const uint8_t *before, size_t n_sure, uint64_t first) {
        _cleanup_(i4_encoder_freep) i4_encoder *encoder = NULL;
        struct i4_record records[N_STORED];
        char lines[N_STORED * I4_LINE_MAX];
        _cleanup_(freep) char *after = NULL;
        size_t size, n_lines, n_encoded;

        for (uint64_t i = 0; i < N_STORED; ++i)
                records[i] = record_make(first + i);
        require(i4_encoder_new(&encoder, i4_catalog_get_default()) >= 0);
        n_lines = i4_encoder_encode(encoder, records, N_STORED, lines, sizeof(lines), &n_encoded);
        require(n_encoded == N_STORED);

        after = file_get(directory_fd, "readings.jsonl", &size);
        require(size >= n_sure + n_lines && memcmp(after, before, n_sure) == 0);
        require(memcmp(after + size - n_lines, lines, n_lines) == 0);
        require(size == n_lines || after[size - n_lines - 1] == '\n');
}

static void recover(const char *path, int directory_fd, const struct head *head, const uint8_t *live,
                size_t size) {
        struct recorder_settings settings = RECORDER_SETTINGS_DEFAULT;
        struct ring_statistics statistics = {};
        struct recorder_state state = {};
        _cleanup_(keeper_freep) struct keeper *keeper = NULL;
        struct recovery_range range;
        uint64_t next = 0, first;
        size_t n_sure = size;

        if (ledger_read(path, &next) < 0)
                return;
        /* No sequence comes near the end of numbers. */
        next = MIN(next, UINT64_MAX / 2);

        state_fill(&state, head, directory_fd);
        range = (struct recovery_range){ .oldest = next, .published = next + head->n_readable };
        settings.engine = ENGINE_PWRITE;
        settings.direct_io = DIRECT_IO_NO;
        settings.sync_ns = NSEC_INFINITY;
        settings.retention.keep_free = (struct retention_limit){ .share_e4 = 10000 };
        settings.retention.max_file_ns = NSEC_INFINITY;
        settings.retention.max_file_size = RETENTION_FILE_SIZE_MIN;

        require(keeper_new(&keeper, &settings, path, &statistics, &state, ignore_event, NULL) >= 0);
        require(keeper_start(keeper, i4_catalog_get_default(), range) >= 0);
        /* looks into the file */
        keeper_run(keeper, 0);
        first = store(keeper);

        /* With its own notes it may write a torn line again, but nothing before that. */
        while ((head->flags & 3) && n_sure > 0 && live[n_sure - 1] != '\n')
                --n_sure;
        file_check(directory_fd, live, n_sure, first);

        keeper_rotate(keeper);
        keeper_run(keeper, 0);
        require(keeper_stop(keeper, clock_now_ns(CLOCK_MONOTONIC) + NSEC_PER_MIN) >= 0);
        require(ledger_read(path, &next) == 0 && next == first + N_STORED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char path[] = "/dev/shm/fuzz-recovery.XXXXXX";
        _cleanup_(closep) int fd = -1;
        size_t n_ledger, n_first;
        struct head head;

        if (size < HEAD_SIZE || size > LIVE_MAX)
                return 0;
        memcpy(&head, data, HEAD_SIZE);
        data += HEAD_SIZE;
        size -= HEAD_SIZE;
        n_ledger = MIN(head.ledger_size, size);
        n_first = MIN(head.first_size, size - n_ledger);

        require(mkdtemp(path) && (fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
        file_put(fd, ".sequence", data, n_ledger);
        file_put(fd, ".readings.first", data + n_ledger, n_first);
        file_put(fd, "readings.jsonl", data + n_ledger + n_first, size - n_ledger - n_first);

        recover(path, fd, &head, data + n_ledger + n_first, size - n_ledger - n_first);
        tree_remove(path);
        return 0;
}
