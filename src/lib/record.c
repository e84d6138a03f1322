/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fields of a record in natural units, and the names of numbers
 *
 * A record stores scaled integers so that texts are exact; these are for programs that calculate.
 */

#include "i4.h"

#include "util/clock.h"
#include "util/macros.h"

#include <errno.h>
#include <string.h>

_public_ uint64_t i4_record_get_sequence(const struct i4_record *record) {
        return record->sequence;
}

_public_ struct timespec i4_record_get_time(const struct i4_record *record) {
        return timespec_from_ns(record->time_ns);
}

_public_ uint32_t i4_record_get_sensor(const struct i4_record *record) {
        return record->sensor;
}

_public_ uint32_t i4_record_get_event(const struct i4_record *record) {
        return record->event;
}

_public_ double i4_record_get_value(const struct i4_record *record) {
        return record->value_e2 / 1e2;
}

_public_ double i4_record_get_latitude(const struct i4_record *record) {
        return record->latitude_e6 / 1e6;
}

_public_ double i4_record_get_longitude(const struct i4_record *record) {
        return record->longitude_e6 / 1e6;
}

_public_ double i4_record_get_mile_post(const struct i4_record *record) {
        return record->mile_post_e2 / 1e2;
}

_public_ double i4_record_get_quality(const struct i4_record *record) {
        return record->quality_e4 / 1e4;
}

_public_ unsigned int i4_record_get_pipeline(const struct i4_record *record) {
        return record->pipeline;
}

_public_ unsigned int i4_record_get_type(const struct i4_record *record) {
        return record->type;
}

_public_ enum i4_status i4_record_get_status(const struct i4_record *record) {
        return record->status;
}

_public_ enum i4_alert i4_record_get_alert(const struct i4_record *record) {
        return record->alert;
}

_public_ enum i4_fault i4_record_get_fault(const struct i4_record *record) {
        return record->fault;
}

static const char *const status_names[I4_N_STATUS] = {
        [I4_STATUS_NORMAL] = "normal",
        [I4_STATUS_WARNING] = "warning",
        [I4_STATUS_MAINTENANCE] = "maintenance",
};

static const char *const alert_names[I4_N_ALERT] = {
        [I4_ALERT_NONE] = "none",
        [I4_ALERT_LOW] = "low",
        [I4_ALERT_MEDIUM] = "medium",
        [I4_ALERT_HIGH] = "high",
};

static const char *const fault_names[I4_N_FAULT] = {
        [I4_FAULT_NONE] = "none",
        [I4_FAULT_OUT_OF_RANGE] = "out_of_range",
        [I4_FAULT_SPIKE] = "spike",
        [I4_FAULT_STUCK] = "stuck",
        [I4_FAULT_DRIFT] = "drift",
        [I4_FAULT_OFFSET] = "offset",
        [I4_FAULT_NOISE] = "noise",
        [I4_FAULT_DROPOUT] = "dropout",
        [I4_FAULT_CLIPPING] = "clipping",
        [I4_FAULT_LEAK] = "leak",
        [I4_FAULT_BLOCKAGE] = "blockage",
        [I4_FAULT_PUMP_TRIP] = "pump_trip",
        [I4_FAULT_VALVE_CLOSURE] = "valve_closure",
};

static const char *const storage_state_names[I4_N_STORAGE_STATES] = {
        [I4_STORAGE_OFF] = "off",
        [I4_STORAGE_WRITING] = "writing",
        [I4_STORAGE_FULL] = "full",
        [I4_STORAGE_FAILED] = "failed",
        [I4_STORAGE_HANGS] = "hangs",
};

static const char *name_get(const char *const *names, unsigned int n_names, unsigned int number) {
        return number < n_names ? names[number] : NULL;
}

static int name_find(const char *const *names, unsigned int n_names, const char *name) {
        for (unsigned int i = 0; i < n_names; ++i)
                if (strcmp(names[i], name) == 0)
                        return (int) i;

        return -EINVAL;
}

_public_ const char *i4_status_to_string(unsigned int status) {
        return name_get(status_names, I4_N_STATUS, status);
}

_public_ const char *i4_alert_to_string(unsigned int alert) {
        return name_get(alert_names, I4_N_ALERT, alert);
}

_public_ const char *i4_fault_to_string(unsigned int fault) {
        return name_get(fault_names, I4_N_FAULT, fault);
}

_public_ const char *i4_storage_state_to_string(unsigned int state) {
        return name_get(storage_state_names, I4_N_STORAGE_STATES, state);
}

_public_ int i4_status_from_string(const char *name) {
        return name_find(status_names, I4_N_STATUS, name);
}

_public_ int i4_alert_from_string(const char *name) {
        return name_find(alert_names, I4_N_ALERT, name);
}

_public_ int i4_fault_from_string(const char *name) {
        return name_find(fault_names, I4_N_FAULT, name);
}
