/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The directory of the programs that i4 starts: $I4_LIBEXEC, or where they are installed. */

#include <stdlib.h>

static inline const char *libexec_get(void) {
        const char *path = secure_getenv("I4_LIBEXEC");

        return path && *path ? path : I4_LIBEXEC;
}
