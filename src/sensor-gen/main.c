/* SPDX-License-Identifier: Apache-2.0 */

/*
 * sensor-gen: readings into a file, without a daemon
 *
 * The one-shot generator: the schedule, the model, the encoder and the writer of i4d, in one thread and
 * without the ring.
 */

#include "sensor-gen/console.h"
#include "sensor-gen/generator.h"
#include "sensor-gen/options.h"
#include "sensor-gen/output.h"
#include "sensor-gen/plan.h"
#include "sensor-gen/replay.h"
#include "sensor-gen/sidecar.h"
#include "sensor-gen/signals.h"
#include "util/macros.h"
#include "util/standard.h"

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

        r = generator_new(&generator, plan->options, NULL, plan->catalog, plan->model, chronicle, output);
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

static int generate_begin(const struct options *options, struct output *output) {
        int r;

        r = output_open(output, options->path, options->is_append);
        if (r < 0)
                return fail(r, options->path);

        signals_init();
        return 0;
}

/* After a run that came to @result: the exit status. */
static int generate_end(const struct options *options, struct output *output, int result) {
        int r = output_close(output);

        if (result < 0)
                r = result;
        /* What cannot be made again has been told. */
        if (r < 0 && r != -EINVAL)
                (void) fail(r, options->path);

        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int exit_on_setup(int error) {
        if (error == -EINVAL)
                return EXIT_USAGE;

        (void) fail(error, "cannot set up");
        return EXIT_FAILURE;
}

static int run_replay(const struct options *options) {
        _cleanup_(replay_deinit) struct replay replay = {};
        _cleanup_(output_deinit) struct output output = OUTPUT_INIT;
        int r;

        r = replay_init(&replay, options);
        if (r < 0)
                return exit_on_setup(r);

        if (generate_begin(options, &output) < 0)
                return EXIT_FAILURE;

        return generate_end(options, &output, replay_run(&replay, &output));
}

static int run_plan(struct options *options) {
        _cleanup_(plan_deinit) struct plan plan = {};
        _cleanup_(output_deinit) struct output output = OUTPUT_INIT;
        int r;

        r = seed_draw(options);
        if (r >= 0)
                r = plan_init(&plan, options);
        if (r < 0)
                return exit_on_setup(r);

        if (generate_begin(options, &output) < 0)
                return EXIT_FAILURE;

        return generate_end(options, &output, plan_run_beside(&plan, &output));
}

static int run(int argc, char *argv[]) {
        struct options options;
        int r;

        r = options_parse(&options, argc, argv);
        if (r <= 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;

        return options.replay_path ? run_replay(&options) : run_plan(&options);
}

int main(int argc, char *argv[]) {
        int status;

        standard_open();
        status = run(argc, argv);
        return status == EXIT_SUCCESS && !standard_flush("sensor-gen") ? EXIT_FAILURE : status;
}
