/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/outlets.h"

#include "util/file.h"
#include "util/macros.h"

#include <glob.h>
#include <inttypes.h>
#include <string.h>

#define DEFAULT_DIRECTORY "/run"
#define STATUS_MAX        65536u

/* The paths of status files: DIRECTORY/i4-PROGRAM/INSTANCE/status.json */
static int outlets_find(glob_t *paths) {
        const char *directory = secure_getenv("I4_RUNTIME");
        char pattern[4096];

        (void) snprintf(pattern, sizeof(pattern), "%.4000s/i4-*/*/status.json",
                        directory && *directory ? directory : DEFAULT_DIRECTORY);
        return glob(pattern, GLOB_NOSORT, NULL, paths);
}

/* "i4-batch@s3", from the last parts of its path */
static void format_unit(char *buffer, size_t size, const char *path) {
        const char *end = strrchr(path, '/'), *instance = end, *program;

        while (instance[-1] != '/')
                --instance;
        program = instance - 1;
        while (program[-1] != '/')
                --program;

        (void) snprintf(buffer, size, "%.*s@%.*s", (int) (instance - 1 - program), program,
                        (int) (end - instance), instance);
}

/* To be printed on any terminal. */
static void make_printable(cJSON *object) {
        cJSON *item;

        cJSON_ArrayForEach (item, object)
                for (char *p = cJSON_IsString(item) ? item->valuestring : NULL; p && *p; ++p)
                        if ((unsigned char) *p < ' ' || *p == 0x7f)
                                *p = '?';
}

static void outlets_add(cJSON *outlets, const char *path) {
        _cleanup_(freep) char *text = NULL;
        cJSON *outlet, *status;
        char name[256];
        size_t size;

        if (file_read(path, STATUS_MAX, &text, &size) < 0)
                return;
        status = cJSON_ParseWithLength(text, size);
        if (!cJSON_IsObject(status)) {
                cJSON_Delete(status);
                return;
        }

        make_printable(status);
        format_unit(name, sizeof(name), path);
        outlet = cJSON_CreateObject();
        (void) cJSON_AddStringToObject(outlet, "unit", name);
        if (!cJSON_AddItemToObject(outlet, "status", status))
                cJSON_Delete(status);
        if (!cJSON_AddItemToArray(outlets, outlet))
                cJSON_Delete(outlet);
}

cJSON *outlets_read(void) {
        cJSON *outlets = cJSON_CreateArray();
        glob_t paths = {};

        if (outlets && outlets_find(&paths) == 0)
                for (size_t i = 0; i < paths.gl_pathc; ++i)
                        outlets_add(outlets, paths.gl_pathv[i]);

        globfree(&paths);
        return outlets;
}

static const char *get_text(const cJSON *status, const char *key) {
        return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(status, key));
}

/* What is missing, or no count, is left out. */
static void print_count(
                const cJSON *status, const char *key, const char *separator, const char *word, FILE *file) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(status, key);

        if (cJSON_IsNumber(item) && item->valuedouble >= 0)
                fprintf(file, "%s%.0f %s", separator, item->valuedouble, word);
}

static void outlet_print(const cJSON *outlet, const char *title, FILE *file) {
        const cJSON *status = cJSON_GetObjectItemCaseSensitive(outlet, "status");
        const char *target = get_text(status, "target"), *error = get_text(status, "error");

        fprintf(file, "%-10s %s", title, get_text(outlet, "unit"));
        print_count(status, "records", ": ", "records", file);
        print_count(status, "lost_records", ", ", "lost", file);
        print_count(status, "waiting_batches", ", ", "batches waiting", file);
        print_count(status, "waiting_records", ", ", "waiting", file);
        if (target)
                fprintf(file, "; to %s", target);
        if (error)
                fprintf(file, "; %s", error);
        fprintf(file, "\n");
}

void outlets_print(const cJSON *outlets, FILE *file) {
        const char *title = "outlets";
        const cJSON *outlet;

        cJSON_ArrayForEach (outlet, outlets) {
                outlet_print(outlet, title, file);
                title = "";
        }
}
