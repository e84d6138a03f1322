/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Storage alone: ready-made records, encoded and written as fast as the file takes them
 *
 *     bench-writer FILE MIB [BLOCK_KIB]
 *
 * Says how many bytes a second, with the final sync.
 */

#include "model/model.h"
#include "storage/writer.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_RECORDS 4096u
#define N_BLOCKS  4u
#define PIECE     256u /* between two looks at what the disk has done */

static int make_records(struct i4_record *records) {
        const struct anchor anchor = {
                .time_ns = UINT64_C(1700000000) * NSEC_PER_SEC,
                .rate = { .n_records = 1000000, .period_ns = NSEC_PER_SEC },
        };
        const struct model_settings settings = { .kind = MODEL_NETWORK, .seed = 1, .anomalies_e4 = 200 };
        struct timeline timeline;
        struct model *model;
        int r;

        r = model_new(&model, &settings, i4_catalog_get_default());
        if (r < 0)
                return r;

        timeline_init(&timeline, &anchor, 0);
        model_generate(model, 0, 0, &timeline, records, N_RECORDS);
        model_free(model);
        return 0;
}

static int write_records(struct writer *writer, struct i4_record *records, uint64_t size) {
        int r = 0;

        while (r >= 0 && writer_get_end(writer).offset < size) {
                for (size_t i = 0; i < N_RECORDS && r >= 0;) {
                        size_t n = writer_append(writer, records + i, MIN(PIECE, N_RECORDS - i));

                        r = writer_run(writer, n == 0 ? NSEC_PER_SEC : 0);
                        i += n;
                }
                for (size_t i = 0; i < N_RECORDS; ++i)
                        records[i].sequence += N_RECORDS;
        }

        return r < 0 ? r : writer_drain(writer, true, NSEC_INFINITY);
}

static int measure(int fd, uint64_t size, size_t block_size) {
        static struct i4_record records[N_RECORDS];
        _cleanup_(writer_freep) struct writer *writer = NULL;
        const struct writer_settings settings = {
                .block_size = block_size,
                .n_blocks = N_BLOCKS,
                .flush_ns = NSEC_PER_SEC,
                .sync_ns = NSEC_INFINITY,
        };
        uint64_t start_ns;
        int r;

        r = make_records(records);
        if (r >= 0)
                r = writer_new(&writer, &settings, i4_catalog_get_default());
        if (r >= 0)
                r = writer_set_file(writer, fd, false, (struct writer_position){});
        if (r < 0)
                return r;

        start_ns = clock_now_ns(CLOCK_MONOTONIC);
        r = write_records(writer, records, size);
        if (r < 0)
                return r;

        printf("%.0f\n", (double) writer_get_end(writer).offset * 1e9 /
                                         (double) (clock_now_ns(CLOCK_MONOTONIC) - start_ns));
        return 0;
}

int main(int argc, char **argv) {
        uint64_t size = argc > 2 ? strtoull(argv[2], NULL, 10) << 20 : 0;
        size_t block_size = argc > 3 ? strtoull(argv[3], NULL, 10) << 10 : (size_t) 1 << 20;
        _cleanup_(closep) int fd = -1;
        int r;

        if (size == 0 || argc > 4 || block_size == 0 || block_size % 4096 != 0) {
                fprintf(stderr, "Usage: bench-writer FILE MIB [BLOCK_KIB]: blocks are multiples of 4 KiB\n");
                return 2;
        }

        fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        r = fd < 0 ? -errno : measure(fd, size, block_size);
        if (r < 0)
                fprintf(stderr, "%s: %s\n", argv[1], strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
