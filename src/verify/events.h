/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is really wrong with which reading
 *
 * Known from the labels in the truth's lines, or from the list of incidents beside them (sensor-gen -labels
 * sidecar): then all readings of the sensors it names, from its start to before its end, count as wrong. With
 * both, labels tell of readings and the list tells when an incident began.
 */

#include "i4.h"

#include "util/complaint.h"
#include "verify/names.h"
#include "verify/reading.h"

#define EVENTS_NONE UINT32_MAX

struct event {
        uint32_t id;
        uint32_t target; /* name of the pipeline or sensor that has it; ids are unique within that */
        uint8_t kind;    /* enum i4_fault */
        bool is_listed;  /* its start and end are known */
        uint64_t start_ns;
        uint64_t end_ns;
        uint64_t first_ns;    /* the first reading in which it shows, UINT64_MAX: none */
        uint64_t detected_ns; /* the first of these that was detected, UINT64_MAX: none */
};

struct events;

/* @names must outlive it: sensors and pipelines. -ENOMEM. */
int events_new(struct events **eventsp, struct names *names);
struct events *events_free(struct events *events);

/* Before any readings. 0, -ENOMEM, or what was complained about. */
int events_load(struct events *events, const char *path, struct complaints *complaints);

/*
 * The event that @reading of the truth belongs to, EVENTS_NONE: nothing is wrong with it. @is_new: it may be
 * one that was not heard of. -EBADMSG: its label is none of i4's; -ENOMEM.
 */
int events_find(struct events *events, const struct reading *reading, uint32_t sensor, bool is_new,
                uint32_t *eventp);

uint32_t events_get_n(const struct events *events);
struct event *events_get(struct events *events, uint32_t event);
/* Has any been heard of, or could it have been? */
bool events_are_known(const struct events *events);

static inline void events_freep(struct events **events) {
        if (*events)
                (void) events_free(*events);
}
