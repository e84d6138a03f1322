/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sensor-gen: readings into a file, without a daemon
 *
 * The one-shot generator: the schedule, the model, the encoder and the writer of i4d, in one thread and
 * without the ring.
 */

#include "model/catalog_file.h"
#include "model/scenario_file.h"
#include "sensor-gen/console.h"
#include "sensor-gen/generator.h"
#include "sensor-gen/options.h"
#include "sensor-gen/output.h"
#include "sensor-gen/sidecar.h"
#include "sensor-gen/signals.h"
#include "util/clock.h"
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

/* What readings are made of; none of it depends on where they go. */
struct plan {
        const struct options *options;
        struct i4_catalog *catalog;
        struct model *model;
        const struct scenario *scenario; /* the model's */
};

static void plan_deinit(struct plan *plan) {
        plan->model = model_free(plan->model);
        plan->catalog = catalog_free(plan->catalog);
}

static int plan_load_scenario(struct plan *plan, struct complaints *complaints) {
        const struct options *options = plan->options;
        struct scenario_context context = {
                .catalog = plan->catalog,
                .model = plan->model,
                .start_ns = options->has_from ? options->from_ns : clock_now_ns(CLOCK_REALTIME),
        };
        struct scenario *scenario = NULL;
        int r;

        if (!options->scenario_path)
                return 0;

        r = scenario_load(&scenario, &context, options->scenario_path, complaints);
        if (r < 0)
                return r;

        plan->scenario = scenario;
        model_exchange_scenario(plan->model, &scenario);
        return 0;
}

/* -EINVAL was told already. */
static int plan_init(struct plan *plan, const struct options *options) {
        struct complaints complaints = { .report = complaint_print };
        struct model_settings settings = {
                .kind = options->model,
                .seed = options->seed,
                .anomalies_e4 = options->anomalies_e4,
                .mix = options->mix,
        };
        _cleanup_(plant_freep) struct plant *plant = NULL;
        int r;

        plan->options = options;
        r = catalog_load(&plan->catalog, &plant, options->catalog_path, options->n_sensors, &complaints);
        if (r < 0)
                return r;
        settings.plant = plant;
        r = model_new(&plan->model, &settings, plan->catalog);
        if (r < 0)
                return r;

        return plan_load_scenario(plan, &complaints);
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

static int plan_run(const struct plan *plan, struct chronicle *chronicle, struct output *output) {
        _cleanup_(generator_freep) struct generator *generator = NULL;
        struct console console;
        int r;

        r = generator_new(&generator, plan->options, plan->catalog, plan->model, chronicle, output);
        if (r < 0)
                return r;

        console_init(&console, plan->options);
        console_begin(&console, plan->options);
        r = generator_run(generator, &console);
        statistics_tell(generator, output, &console);

        /* Whoever reads a pipe has had enough: an end like Ctrl-C. */
        return r == -EPIPE ? 0 : r;
}

static int plan_run_beside(const struct plan *plan, struct output *output) {
        _cleanup_(chronicle_freep) struct chronicle *chronicle = NULL;
        _cleanup_(sidecar_closep) FILE *file = NULL;
        int r, q;

        if (!plan->options->has_sidecar)
                return plan_run(plan, NULL, output);
        if (output->is_stream)
                return -ESPIPE;

        r = sidecar_open(&file, plan->options->path, plan->options->is_append);
        if (r < 0)
                return r;
        r = chronicle_new(&chronicle, plan->model, plan->scenario, plan->catalog, file);
        if (r < 0)
                return r;

        r = plan_run(plan, chronicle, output);
        q = sidecar_close(TAKE_PTR(file));
        return r < 0 ? r : q;
}

static int generate(const struct plan *plan) {
        _cleanup_(output_deinit) struct output output = OUTPUT_INIT;
        const char *path = plan->options->path;
        int r, q;

        r = output_open(&output, path, plan->options->is_append);
        if (r < 0)
                return fail(r, path);

        signals_init();
        r = plan_run_beside(plan, &output);
        q = output_close(&output);
        if (r >= 0)
                r = q;

        return r < 0 ? fail(r, path) : 0;
}

static int run(int argc, char *argv[]) {
        _cleanup_(plan_deinit) struct plan plan = {};
        struct options options;
        int r;

        r = options_parse(&options, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;

        r = seed_draw(&options);
        if (r >= 0)
                r = plan_init(&plan, &options);
        if (r == -EINVAL)
                return EXIT_USAGE;
        if (r < 0) {
                (void) fail(r, "cannot set up");
                return EXIT_FAILURE;
        }

        return generate(&plan) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        return run(argc, argv);
}
