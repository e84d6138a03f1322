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
