/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A reader's end of ring.sock
 *
 * The connection is how the daemon knows its readers; the data never passes through it. Nothing here
 * blocks but connection_open().
 */

#include "lib/wire.h"

/*
 * Connects to @path, says @hello and waits for the answer, some seconds at most. Both descriptors are the
 * caller's. -ENOENT, -ECONNREFUSED: no daemon; -EACCES: not for this user; -EUSERS: no place left; -EPROTO:
 * the daemon speaks another version, or not this protocol; -ETIMEDOUT: it does not answer; -EINTR: a signal
 * was handled; -ECONNRESET: let go without an answer.
 */
int connection_open(const char *path, const struct wire_message *hello, int *fdp, int *ring_fdp);

/* The same in two steps that never wait. The second: -ETIMEDOUT when there is no answer yet, ask again. */
int connection_start(const char *path, const struct wire_message *hello, int *fdp);
int connection_finish(int fd, int *ring_fdp);

/* -EAGAIN: the daemon does not take it now; -EPIPE: it is gone. */
int connection_send(int fd, const struct wire_message *message);

/* Takes in what has arrived, a bounded number of messages: 1 if a wake-up was among it, 0 if none, -EPIPE if
 * the daemon is gone. */
int connection_drain(int fd);
