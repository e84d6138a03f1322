/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a line costs: copying it ready-made, encoding it, making it up and encoding it
 */

#include "bench.h"

#include "model/model.h"

#include <string.h>

#define N_RECORDS 4096u
#define N_REPEAT  200u

struct bench {
        struct i4_record records[N_RECORDS];
        char lines[N_RECORDS * I4_LINE_MAX];
        char buffer[N_RECORDS * I4_LINE_MAX];
        size_t lengths[N_RECORDS];
        struct model *models[MODEL_N_KINDS];
        i4_encoder *encoder;
        struct anchor anchor;
        uint64_t step;
};

static uint64_t run_copy(void *userdata) {
        struct bench *bench = userdata;

        for (unsigned int i = 0; i < N_REPEAT; ++i) {
                const char *from = bench->lines;
                char *to = bench->buffer;

                for (size_t j = 0; j < N_RECORDS; ++j) {
                        memcpy(to, from, bench->lengths[j]);
                        from += bench->lengths[j];
                        to += bench->lengths[j];
                }
                __asm__ __volatile__("" ::"r"(bench->buffer) : "memory");
        }

        return N_REPEAT * N_RECORDS;
}

static size_t encode(struct bench *bench) {
        size_t n_encoded;

        return i4_encoder_encode(bench->encoder, bench->records, N_RECORDS, bench->buffer,
                        sizeof(bench->buffer), &n_encoded);
}

static void generate(struct bench *bench, enum model_kind kind) {
        struct timeline timeline;

        timeline_init(&timeline, &bench->anchor, bench->step);
        model_generate(bench->models[kind], bench->step, bench->step, &timeline, bench->records, N_RECORDS);
        bench->step += N_RECORDS;
}

static uint64_t run_encode(void *userdata) {
        for (unsigned int i = 0; i < N_REPEAT; ++i)
                (void) encode(userdata);

        return N_REPEAT * N_RECORDS;
}

static uint64_t run_generate(struct bench *bench, enum model_kind kind) {
        for (unsigned int i = 0; i < N_REPEAT; ++i)
                generate(bench, kind);

        return N_REPEAT * N_RECORDS;
}

static uint64_t run_uniform(void *userdata) {
        return run_generate(userdata, MODEL_UNIFORM);
}

static uint64_t run_network(void *userdata) {
        return run_generate(userdata, MODEL_NETWORK);
}

static uint64_t run_both(struct bench *bench, enum model_kind kind) {
        for (unsigned int i = 0; i < N_REPEAT; ++i) {
                generate(bench, kind);
                (void) encode(bench);
        }

        return N_REPEAT * N_RECORDS;
}

static uint64_t run_uniform_lines(void *userdata) {
        return run_both(userdata, MODEL_UNIFORM);
}

static uint64_t run_network_lines(void *userdata) {
        return run_both(userdata, MODEL_NETWORK);
}

static int make_models(struct bench *bench) {
        for (unsigned int i = 0; i < MODEL_N_KINDS; ++i) {
                struct model_settings settings = {
                        .kind = (enum model_kind) i, .seed = 1, .anomalies_e4 = 200
                };
                int r = model_new(&bench->models[i], &settings, i4_catalog_get_default());

                if (r < 0)
                        return r;
        }

        return 0;
}

static void split_lines(struct bench *bench) {
        const char *p = bench->lines;

        memcpy(bench->lines, bench->buffer, encode(bench));
        for (size_t i = 0; i < N_RECORDS; ++i) {
                bench->lengths[i] = (size_t) ((const char *) rawmemchr(p, '\n') + 1 - p);
                p += bench->lengths[i];
        }
}

int main(void) {
        _cleanup_(freep) struct bench *bench = calloc(1, sizeof(*bench));
        struct bench_entry entries[] = {
                { "memcpy of the same lines", run_copy, bench },
                { "encode", run_encode, bench },
                { "generate, uniform", run_uniform, bench },
                { "generate, network", run_network, bench },
                { "generate and encode, uniform", run_uniform_lines, bench },
                { "generate and encode, network", run_network_lines, bench },
        };

        if (!bench || make_models(bench) < 0 || i4_encoder_new(&bench->encoder, i4_catalog_get_default()) < 0)
                return EXIT_FAILURE;

        bench->anchor = (struct anchor){
                .time_ns = UINT64_C(1700000000) * NSEC_PER_SEC,
                .rate = { .n_records = 1000000, .period_ns = NSEC_PER_SEC },
        };
        generate(bench, MODEL_UNIFORM);
        (void) encode(bench);
        split_lines(bench);

        bench_run(entries, ELEMENTSOF(entries));
        bench_print("records", entries, ELEMENTSOF(entries));

        i4_encoder_free(bench->encoder);
        for (unsigned int i = 0; i < MODEL_N_KINDS; ++i)
                model_free(bench->models[i]);
        return EXIT_SUCCESS;
}
