/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A reader's end of ring.sock
 *
 * The connection is how the daemon knows its readers; the data never passes through it. After the handshake
 * nothing here blocks.
 */

#include "lib/wire.h"

/*
 * Connects to @path, says @hello and waits for the answer, some seconds at most. Both descriptors are the
 * caller's. -ENOENT, -ECONNREFUSED: no daemon; -EACCES: not for this user; -EUSERS: no place left; -EPROTO:
 * the daemon speaks another version, or not this protocol; -ETIMEDOUT: it does not answer.
 */
int connection_open(const char *path, const struct wire_message *hello, int *fdp, int *ring_fdp);

/* -EAGAIN: the daemon does not take it now; -EPIPE: it is gone. */
int connection_send(int fd, const struct wire_message *message);

/* Takes in all that has arrived: 1 if a wake-up was among it, 0 if none, -EPIPE if the daemon is gone. */
int connection_drain(int fd);
