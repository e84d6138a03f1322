/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * Reads a whole file of at most @max bytes; *@textp ends in a NUL that *@sizep does not count. -EISDIR;
 * -EFBIG: it is larger. Waits for a pipe that somebody writes to, not for one that nobody does.
 */
int file_read(const char *path, size_t max, char **textp, size_t *sizep);
