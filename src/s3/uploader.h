/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A directory of batches, carried into a bucket
 *
 * The oldest first, one after another, and a file goes when the bucket has it. What fails is tried again,
 * with pauses that grow and are never the same on two nodes; nothing overtakes it. The directory is all there
 * is to remember, so a crash costs a second PUT of the same object at most.
 */

#include "batch/uplink.h"
#include "s3/put.h"

struct uploader_settings {
        const char *who;
        const char *directory;
        struct target target;
        int uplink_fd; /* see batch/uplink.h; -1: all that is there now, and then end */
        bool gives_up; /* on what another try will not change */
};

/* 0: all is carried, or a signal asks to stop; a negative errno, told. */
int uploader_run(const struct uploader_settings *settings);
