/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A line of a stranger: what passes for a record is JSON to the letter, alone and as it stands in a batch.
 */

#include "batch/line.h"
#include "util/macros.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
        if (!condition)
                abort();
}

/* Another parser's opinion: an object with these fields. */
static void require_object(const char *text, size_t size, bool is_cleared) {
        cJSON *root = cJSON_ParseWithLength(text, size);

        require(cJSON_IsObject(root));
        require(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(root, "sensor_id")));
        require(cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(root, "value")));
        if (is_cleared)
                require(!cJSON_GetObjectItemCaseSensitive(root, "lineage") &&
                                !cJSON_GetObjectItemCaseSensitive(root, "data_quality"));
        cJSON_Delete(root);
}

static void copy_check(const struct line *line) {
        char *copy = malloc(line->text.size);
        size_t n;

        require(copy);
        n = line_copy(line, copy);
        require(n < line->text.size);
        copy[n] = '}';
        require_object(copy, n + 1, true);
        free(copy);
}

static void escape_check(const char *text, size_t size) {
        char *escaped = malloc(JSON_ESCAPED_MAX(size) + 3);
        size_t n;
        cJSON *string;

        require(escaped);
        n = json_escape(escaped + 1, text, size);
        require(n <= JSON_ESCAPED_MAX(size));
        escaped[0] = escaped[n + 1] = '"';
        escaped[n + 2] = 0;

        string = cJSON_ParseWithLength(escaped, n + 2);
        require(cJSON_IsString(string) || memchr(text, 0, size));
        cJSON_Delete(string);
        free(escaped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        /* Of its exact size, so that a byte too far is noticed. */
        char *text = malloc(size + !size);
        struct line line;

        require(text);
        memcpy(text, data, size);
        escape_check(text, size);

        if (size <= LINE_MAX_SIZE && line_parse(&line, text, size) >= 0) {
                require(isfinite(line.value) && line.quality >= 0 && line.quality <= 1);
                require(line.text.text >= text && line.text.text + line.text.size <= text + size);
                require_object(line.text.text, line.text.size, false);
                copy_check(&line);
        } else if (size <= LINE_MAX_SIZE)
                require(*line.reason && strnlen(line.reason, sizeof(line.reason)) < sizeof(line.reason));

        free(text);
        return 0;
}
