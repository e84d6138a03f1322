/* SPDX-License-Identifier: Apache-2.0 */

#include "model/scenario.h"

#include "util/macros.h"
#include "util/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool incident_is_of_pipeline(const struct incident *incident) {
        return incident->kind >= I4_FAULT_LEAK;
}

/* Orders pipelines before sensors, then by number. */
static uint64_t target_get_rank(bool is_pipeline, uint32_t target) {
        return (is_pipeline ? 0 : UINT64_C(1) << 32) | target;
}

static uint64_t entry_get_rank(const struct scenario_entry *entry) {
        return target_get_rank(incident_is_of_pipeline(&entry->incident), entry->target);
}

/* How many entries stand before those of the target that begin after @time_ns. */
static size_t scenario_seek(const struct scenario *scenario, uint64_t rank, uint64_t time_ns) {
        size_t begin = 0, end = scenario->n_entries;

        while (begin < end) {
                size_t middle = begin + (end - begin) / 2;
                const struct scenario_entry *entry = &scenario->entries[middle];
                uint64_t here = entry_get_rank(entry);

                if (here < rank || (here == rank && entry->incident.start_ns <= time_ns))
                        begin = middle + 1;
                else
                        end = middle;
        }

        return begin;
}

struct scenario_span scenario_find(
                const struct scenario *scenario, bool is_pipeline, uint32_t target, uint64_t time_ns) {
        uint64_t rank = target_get_rank(is_pipeline, target);
        struct scenario_span span = { .from_ns = 0, .until_ns = UINT64_MAX };
        const struct scenario_entry *before, *after;
        size_t i;

        if (!scenario)
                return span;

        i = scenario_seek(scenario, rank, time_ns);
        before = i > 0 ? &scenario->entries[i - 1] : NULL;
        after = i < scenario->n_entries ? &scenario->entries[i] : NULL;

        if (before && entry_get_rank(before) == rank) {
                if (time_ns < before->until_ns)
                        return (struct scenario_span){ &before->incident, before->incident.start_ns,
                                before->until_ns };
                span.from_ns = before->until_ns;
        }
        if (after && entry_get_rank(after) == rank)
                span.until_ns = after->incident.start_ns;

        return span;
}

static bool scenario_is_free(const struct scenario *scenario, size_t i, const struct scenario_entry *entry) {
        uint64_t rank = entry_get_rank(entry);
        const struct scenario_entry *before = i > 0 ? &scenario->entries[i - 1] : NULL;
        const struct scenario_entry *after = i < scenario->n_entries ? &scenario->entries[i] : NULL;

        return (!before || entry_get_rank(before) != rank || before->until_ns <= entry->incident.start_ns) &&
               (!after || entry_get_rank(after) != rank || after->incident.start_ns >= entry->until_ns);
}

static int scenario_reserve(struct scenario *scenario, size_t n) {
        struct scenario_entry *entries;
        size_t n_allocated = MAX(scenario->n_allocated, (size_t) 16);

        if (n > SCENARIO_INCIDENTS_MAX)
                return -ENOBUFS;
        if (n <= scenario->n_allocated)
                return 0;

        while (n_allocated < n)
                n_allocated *= 2;
        entries = reallocarray(scenario->entries, n_allocated, sizeof(*entries));
        if (!entries)
                return -ENOMEM;

        scenario->entries = entries;
        scenario->n_allocated = n_allocated;
        return 0;
}

int scenario_add(struct scenario *scenario, const struct scenario_entry *entry) {
        uint64_t rank = entry_get_rank(entry);
        size_t i = scenario_seek(scenario, rank, entry->incident.start_ns);
        int r;

        if (!scenario_is_free(scenario, i, entry))
                return -EBUSY;
        r = scenario_reserve(scenario, scenario->n_entries + 1);
        if (r < 0)
                return r;

        memmove(scenario->entries + i + 1, scenario->entries + i,
                        (scenario->n_entries - i) * sizeof(*scenario->entries));
        scenario->entries[i] = *entry;
        if (entry->incident.id == 0)
                scenario->entries[i].incident.id =
                                (uint32_t) random_mix(random_mix(rank) ^ entry->incident.start_ns) | 1;
        ++scenario->n_entries;
        return 0;
}

int scenario_new(struct scenario **scenariop) {
        *scenariop = calloc(1, sizeof(**scenariop));
        return *scenariop ? 0 : -ENOMEM;
}

int scenario_copy(const struct scenario *scenario, struct scenario **copyp) {
        _cleanup_(scenario_freep) struct scenario *copy = NULL;
        int r;

        copy = calloc(1, sizeof(*copy));
        if (!copy)
                return -ENOMEM;
        r = scenario_reserve(copy, scenario->n_entries);
        if (r < 0)
                return r;

        if (scenario->n_entries > 0)
                memcpy(copy->entries, scenario->entries, scenario->n_entries * sizeof(*copy->entries));
        copy->n_entries = scenario->n_entries;
        *copyp = TAKE_PTR(copy);
        return 0;
}

struct scenario *scenario_free(struct scenario *scenario) {
        if (scenario)
                free(scenario->entries);
        free(scenario);
        return NULL;
}
