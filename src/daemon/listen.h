/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

/*
 * A listening socket of packets at @path. What a dead daemon left there is removed; -EADDRINUSE: a live one
 * listens, or it is no socket. -ENAMETOOLONG.
 */
int listen_at(const char *path, mode_t mode, int *fdp);
