/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * cJSON, as the rest is written: who owns, and numbers that may not be known
 */

#include <cjson/cJSON.h>
#include <stdint.h>

static inline void json_freep(cJSON **json) {
        cJSON_Delete(*json);
}

/* What cJSON printed. */
static inline void json_text_freep(char **text) {
        cJSON_free(*text);
}

static inline void json_add_count(cJSON *object, const char *key, uint64_t value) {
        (void) cJSON_AddNumberToObject(object, key, (double) value);
}

/* Negative: not known. */
static inline void json_add_number(cJSON *object, const char *key, double value) {
        if (value < 0)
                (void) cJSON_AddNullToObject(object, key);
        else
                (void) cJSON_AddNumberToObject(object, key, value);
}
