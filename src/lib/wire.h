/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is said over ring.sock
 *
 * A SEQPACKET connection; each message is one JSON object with one key that names it:
 *
 *     reader  {"hello":{"name":"i4 tail","version":"0.1.0","observer":false}}
 *     daemon  {"welcome":{"version":"0.1.0","instance":"<32 hex digits>"}}     with the ring's descriptor
 *             {"refused":{"errno":"EUSERS","reason":"all 1024 places are taken, see MaxReaders="}}
 *     reader  {"report":{"cursor":17,"lag":0,"lost":0}}                        at most once a second
 *             {"arm":{"cursor":17}}                                            wake me when more is published
 *     daemon  {"wake":{"published":18}}                                        once, after an arm
 *
 * Versions are for whoever looks on; which layout the memory has stands in the memory. Unknown keys are
 * ignored, so that either side may be newer. Numbers are exact below 2^53. Whoever parses expects malice.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MESSAGE_MAX 1024u /* bytes; nothing longer is ever sent or accepted */

enum wire_kind {
        WIRE_HELLO,
        WIRE_WELCOME,
        WIRE_REFUSED,
        WIRE_REPORT,
        WIRE_ARM,
        WIRE_WAKE,
};

struct wire_message {
        enum wire_kind kind;
        char name[32];     /* hello: printable, truncated */
        char version[16];  /* hello, welcome */
        char instance[33]; /* welcome */
        char reason[256];  /* refused */
        int error;         /* refused: positive errno, EUSERS or EPROTO, else EIO */
        bool is_observer;  /* hello: looks at statistics only, needs no wake-up and no place */
        uint64_t cursor;   /* report, arm, wake */
        uint64_t lag;      /* report */
        uint64_t lost;     /* report: on this connection, and before it what no other report has told */
};

/* Length of the text in @buffer, without NUL; it always fits. */
size_t wire_format(const struct wire_message *message, char buffer[static WIRE_MESSAGE_MAX]);

/* -EBADMSG: not such a message. Strings come out printable, numbers in range. */
int wire_parse(struct wire_message *message, const char *text, size_t size);
