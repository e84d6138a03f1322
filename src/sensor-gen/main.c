/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sensor-gen: readings into a file, without a daemon
 *
 * The one-shot generator: the schedule, the model, the encoder and the writer of i4d, in one thread and
 * without the ring.
 */

#include "model/catalog_file.h"
#include "sensor-gen/console.h"
#include "sensor-gen/generator.h"
#include "sensor-gen/options.h"
#include "sensor-gen/output.h"
#include "sensor-gen/signals.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum {
        EXIT_USAGE = 2,
};

static int fail(int error, const char *subject) {
        (void) fprintf(stderr, "sensor-gen: %s: %s\n", subject, strerror(-error));
        return error;
}

static int seed_draw(struct options *options) {
        if (options->has_seed)
                return 0;

        return getrandom(&options->seed, sizeof(options->seed), 0) == sizeof(options->seed) ? 0 : -errno;
}

/* -EINVAL was told already. */
static int catalog_make(struct i4_catalog **catalogp, const struct options *options) {
        const struct i4_catalog *builtin = i4_catalog_get_default();
        struct complaints complaints = { .report = complaint_print };

        if (options->catalog_path)
                return catalog_load(catalogp, options->catalog_path, options->n_sensors, &complaints);

        return catalog_new(catalogp, builtin->types, builtin->n_types, builtin->pipelines,
                        builtin->n_pipelines, options->n_sensors);
}

static void statistics_tell(
                const struct generator *generator, const struct output *output, struct console *console) {
        struct console_statistics statistics;
        int64_t size;

        generator_get_statistics(generator, &statistics);
        size = output_get_size(output);
        if (size >= 0)
                statistics.size = (uint64_t) size;

        console_end(console, &statistics);
}

static int generate(const struct options *options, const struct i4_catalog *catalog) {
        _cleanup_(output_deinit) struct output output = OUTPUT_INIT;
        _cleanup_(generator_freep) struct generator *generator = NULL;
        struct console console;
        int r, q;

        r = output_open(&output, options->path, options->is_append);
        if (r < 0)
                return fail(r, options->path);

        signals_init();
        r = generator_new(&generator, options, catalog, &output);
        if (r < 0)
                return fail(r, "cannot set up");

        console_init(&console, options);
        console_begin(&console, options);
        r = generator_run(generator, &console);
        statistics_tell(generator, &output, &console);

        /* Whoever reads a pipe has had enough: an end like Ctrl-C. */
        if (r == -EPIPE)
                r = 0;
        generator = generator_free(generator);
        q = output_close(&output);
        if (r >= 0)
                r = q;

        return r < 0 ? fail(r, options->path) : 0;
}

static int run(int argc, char *argv[]) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        struct options options;
        int r;

        r = options_parse(&options, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;

        r = catalog_make(&catalog, &options);
        if (r == -EINVAL)
                return EXIT_USAGE;
        if (r >= 0)
                r = seed_draw(&options);
        if (r < 0) {
                (void) fail(r, "cannot set up");
                return EXIT_FAILURE;
        }

        return generate(&options, catalog) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        return run(argc, argv);
}
