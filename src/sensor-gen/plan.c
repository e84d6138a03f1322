/* SPDX-License-Identifier: Apache-2.0 */

#include "sensor-gen/plan.h"

#include "model/catalog_file.h"
#include "model/scenario_file.h"
#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>

void plan_deinit(struct plan *plan) {
        plan->model = model_free(plan->model);
        plan->catalog = catalog_free(plan->catalog);
}

/* As the daemon does it, where it is one of its runs. */
static int plan_load_scenario(struct plan *plan, struct complaints *complaints) {
        const struct options *options = plan->options;
        struct scenario_context context = {
                .catalog = plan->catalog,
                .model = plan->model,
                .start_ns = options->record_path ? 0
                            : options->has_from  ? options->from_ns
                                                 : clock_now_ns(CLOCK_REALTIME),
        };
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        int r;

        if (!options->scenario_path && !options->record_path)
                return 0;

        r = options->scenario_path ? scenario_load(&scenario, &context, options->scenario_path, complaints)
                                   : scenario_new(&scenario);
        if (r >= 0 && options->record_path && options->model == MODEL_NETWORK)
                r = scenario_load_record(scenario, &context, options->record_path, complaints);
        if (r < 0)
                return r;

        plan->scenario = scenario;
        model_exchange_scenario(plan->model, &scenario);
        return 0;
}

int plan_init(struct plan *plan, const struct options *options) {
        struct complaints complaints = { .report = complaint_print };
        struct model_settings settings = {
                .kind = options->model,
                .seed = options->seed,
                .anomalies_e4 = options->anomalies_e4,
                .mix = options->mix,
        };
        _cleanup_(plant_freep) struct plant *plant = NULL;
        int r;

        *plan = (struct plan){ .options = options };
        r = catalog_load(&plan->catalog, &plant, options->catalog_path, options->n_sensors, &complaints);
        if (r < 0)
                return r;
        settings.plant = plant;
        r = model_new(&plan->model, &settings, plan->catalog);
        if (r < 0)
                return r;

        return plan_load_scenario(plan, &complaints);
}
