/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Services that carry readings elsewhere, as they tell of themselves
 *
 * Each keeps status.json in its runtime directory, /run/i4-batch/s3 for i4-batch@s3. Such a file is another's
 * text: whatever it says can be printed, and what makes no sense is left out.
 */

#include <cjson/cJSON.h>
#include <stdio.h>

/*
 * An array of objects: "unit", its name, and "status", what it tells. Empty if there is none, NULL without
 * memory. The caller's to delete.
 */
cJSON *outlets_read(void);

/* A line each. */
void outlets_print(const cJSON *outlets, FILE *file);
