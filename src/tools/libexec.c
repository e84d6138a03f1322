/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/libexec.h"

#include <stdlib.h>

const char *libexec_get(void) {
        const char *path = secure_getenv("I4_LIBEXEC");

        return path && *path ? path : I4_LIBEXEC;
}
