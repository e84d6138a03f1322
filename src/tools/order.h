/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Asking the daemon for something, on its control socket
 */

#include <cjson/cJSON.h>

struct order {
        const char *who;  /* as messages begin */
        const char *path; /* of the readers' socket; NULL: $I4_SOCKET, else the installed one */
};

/*
 * Sends @request and waits for the answer, which the caller frees. What the daemon refuses, and why it could
 * not be asked, is told on stderr: negative errno.
 */
int order_send(const struct order *order, const cJSON *request, cJSON **answerp);
