/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Alarm limits
 *
 * As ANSI/ISA-18.2 has it: an alarm is raised when a limit is passed and returns to normal only when the
 * value has come back by the deadband, so that a value that hovers around its limit does not chatter.
 */

#include "model/plant.h"

#include <stdbool.h>

enum alarm {
        ALARM_NONE,
        ALARM_LOW,
        ALARM_HIGH,
        ALARM_LOW_LOW,
        ALARM_HIGH_HIGH,
};

/* @before: the alarm that is in force */
enum alarm alarm_judge(const struct plant_limits *limits, enum alarm before, int32_t value_e2);

/* Values at which there is no alarm, whichever was in force before: one that is raised has returned to
 * normal. */
struct alarm_quiet {
        int64_t from_e2;
        uint64_t n; /* from there on */
};

struct alarm_quiet alarm_get_quiet(const struct plant_limits *limits);

static inline bool alarm_is_quiet(const struct alarm_quiet *quiet, int32_t value_e2) {
        return (uint64_t) (value_e2 - quiet->from_e2) < quiet->n;
}
