/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One stage of a record's life, so many batches of it, for a tool that counts instructions
 *
 *     cost STAGE BATCHES
 *
 * Whatever happens before and after the batches is the same for any number of them, so the difference between
 * two runs is the batches' alone.
 */

#include "lib/encoder.h"

#include "model/model.h"
#include "ring/ring.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>

#define BATCH 256u

struct cost {
        struct model *models[MODEL_N_KINDS];
        i4_encoder *encoder;
        struct ring *ring;
        i4_reader *reader;
        uint64_t step;
        struct i4_record records[BATCH];
        char text[BATCH * I4_LINE_MAX];
};

static int cost_init(struct cost *cost) {
        const struct i4_catalog *catalog = i4_catalog_get_default();
        const struct ring_settings ring = { .n_records = 4096, .n_consumers = 8 };
        int r = 0;

        for (unsigned int i = 0; i < MODEL_N_KINDS && r >= 0; ++i) {
                const struct model_settings model = {
                        .kind = (enum model_kind) i, .seed = 1, .anomalies_e4 = 200
                };

                r = model_new(&cost->models[i], &model, catalog);
        }
        if (r >= 0)
                r = i4_encoder_new(&cost->encoder, catalog);
        /* What every processor can: the count is the same on all. */
        if (r >= 0)
                r = encoder_set_copy(cost->encoder, ENCODER_COPY_16);
        if (r >= 0)
                r = ring_new(&cost->ring, &ring, catalog);
        if (r < 0)
                return r;

        ring_set_running(cost->ring);
        return i4_reader_open_fd(&cost->reader, cost->ring->reader_fd);
}

static void cost_deinit(struct cost *cost) {
        i4_reader_close(cost->reader);
        ring_free(cost->ring);
        i4_encoder_free(cost->encoder);
        for (unsigned int i = 0; i < MODEL_N_KINDS; ++i)
                model_free(cost->models[i]);
}

/* At 10,000 readings a second, as a daemon does by default. */
static void generate(struct cost *cost, enum model_kind kind) {
        const struct anchor anchor = {
                .time_ns = UINT64_C(1780000000) * NSEC_PER_SEC,
                .rate = { .n_records = 10000, .period_ns = NSEC_PER_SEC },
        };
        struct timeline timeline;

        timeline_init(&timeline, &anchor, cost->step);
        model_generate(cost->models[kind], cost->step, cost->step, &timeline, cost->records, BATCH);
        cost->step += BATCH;
}

static void run_uniform(struct cost *cost) {
        generate(cost, MODEL_UNIFORM);
}

static void run_network(struct cost *cost) {
        generate(cost, MODEL_NETWORK);
}

static void run_encode(struct cost *cost) {
        size_t n_encoded;

        (void) i4_encoder_encode(
                        cost->encoder, cost->records, BATCH, cost->text, sizeof(cost->text), &n_encoded);
}

static void run_publish(struct cost *cost) {
        size_t n = BATCH;
        struct i4_record *slots = ring_claim(cost->ring, &n);

        memcpy(slots, cost->records, n * sizeof(*slots));
        ring_publish(cost->ring, n);
}

static void run_read(struct cost *cost) {
        run_publish(cost);
        (void) i4_reader_read(cost->reader, cost->records, BATCH);
}

static const struct {
        const char *name;
        void (*run)(struct cost *cost);
} stages[] = {
        { "uniform", run_uniform },
        { "network", run_network },
        { "encode", run_encode },
        { "publish", run_publish },
        { "publish-and-read", run_read },
};

int main(int argc, char *argv[]) {
        _cleanup_(freep) struct cost *cost = calloc(1, sizeof(*cost));
        long n_batches = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
        int r = -EINVAL;

        if (!cost || cost_init(cost) < 0) {
                (void) fprintf(stderr, "cost: cannot begin\n");
                return EXIT_FAILURE;
        }

        generate(cost, MODEL_NETWORK);
        for (size_t i = 0; i < ELEMENTSOF(stages) && n_batches > 0; ++i)
                if (strcmp(stages[i].name, argv[1]) == 0) {
                        for (long j = 0; j < n_batches; ++j)
                                stages[i].run(cost);
                        r = 0;
                }
        cost_deinit(cost);

        if (r < 0)
                (void) fprintf(stderr, "usage: cost STAGE BATCHES\n");
        return r < 0 ? 2 : EXIT_SUCCESS;
}
