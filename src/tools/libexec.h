/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The directory of the programs that i4 starts: $I4_LIBEXEC, or where they are installed. */
const char *libexec_get(void);
