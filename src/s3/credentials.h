/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The key that a bucket is written with
 *
 * From the first of: the service manager's credential aws-credentials, the variables AWS_ACCESS_KEY_ID and
 * AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), the usual file. Never from a command line, which everybody
 * sees, and never told to anybody.
 */

#define CREDENTIAL_MAX 4096u

struct credentials {
        char key_id[CREDENTIAL_MAX];
        char secret[CREDENTIAL_MAX];
        char token[CREDENTIAL_MAX];  /* "": none */
        char origin[CREDENTIAL_MAX]; /* where they are from, for messages */
};

/* -ENOENT: there are none; -EBADMSG: a file says none that can be used, *@originp; or what open() says. */
int credentials_load(struct credentials *credentials);
/* Leaves no trace of them. */
void credentials_deinit(struct credentials *credentials);
