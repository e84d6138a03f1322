/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/macros.h"

/* One line on stderr, in one write so that lines of several programs do not mix: "@who: text". */
void say(const char *who, const char *format, ...) _printf_(2, 3);
