/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's end of ring.sock.control
 *
 * Where the administrator asks for something while the daemon runs. One packet with a JSON object asks, one
 * answers, and that is the end of the connection. Only root and the daemon's own user are heard, whatever the
 * mode of the socket says. Main loop only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

#define CONTROL_PACKET_MAX 4096u
/* of the readers' socket; the unit says the same */
#define CONTROL_SUFFIX     ".control"

struct control;

/* Writes an answer of less than CONTROL_PACKET_MAX bytes, with a NUL behind. False: hold it back for now. */
typedef bool control_answer_t(void *userdata, const char *text, size_t size, char *answer);

/* @listen_fd is consumed on success. */
int control_new(struct control **controlp, sd_event *event, int listen_fd, control_answer_t *answer,
                void *userdata);
struct control *control_free(struct control *control);

/*
 * Sends all answers that are held back, or @instead if it is not NULL. Who is not released within half a
 * second gets his all the same.
 */
void control_release(struct control *control, const char *instead);

static inline void control_freep(struct control **control) {
        if (*control)
                (void) control_free(*control);
}
