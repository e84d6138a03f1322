/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/say.h"

#include <stdarg.h>

#define LINE_MAX_SIZE 2048

void say(const char *who, const char *format, ...) {
        char line[LINE_MAX_SIZE];
        va_list arguments;
        size_t n;

        /* A line that is being written over makes place. */
        n = (size_t) snprintf(line, sizeof(line), "%s%s: ", isatty(STDERR_FILENO) ? "\r\033[K" : "", who);
        va_start(arguments, format);
        (void) vsnprintf(line + n, sizeof(line) - n, format, arguments);
        va_end(arguments);

        /* Who cannot be told on stderr cannot be told at all. */
        (void) dprintf(STDERR_FILENO, "%s\n", line);
}
