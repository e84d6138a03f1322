/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The names of the daemon's sockets
 *
 * systemd makes them, or we do: what we made we remove.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

#define SOCKETS_PATH_SIZE sizeof(((struct sockaddr_un *) NULL)->sun_path)

struct sockets {
        char readers[SOCKETS_PATH_SIZE]; /* "": not known */
        char control[SOCKETS_PATH_SIZE]; /* "": not made by us */
        bool is_ours;                    /* @readers */
};

/* For readers. Fails as listen_at() does. */
int sockets_listen(struct sockets *sockets, const char *path, int *fdp);

/* @fd: where readers come, whoever made it; its name is what they know it by. */
void sockets_name(struct sockets *sockets, int fd);

/* For orders, beside a socket for readers that is ours; beside another there is none, and *@fdp stays as it
 * is. */
int sockets_listen_control(struct sockets *sockets, int *fdp);

/* Readers that lost their daemon look at its time to learn that there is one again, and that it has not been
 * stopped since. */
int sockets_tell_ready(const struct sockets *sockets);
void sockets_tell_stopped(const struct sockets *sockets);

void sockets_remove(const struct sockets *sockets);
