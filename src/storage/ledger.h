/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which numbers may be on disk
 *
 * The sequence does not stand in a line, and the ring that knows it does not survive a reboot. So a number
 * above all that may have been stored stands in a small file beside the readings, and who begins with an
 * empty ring goes on there. It is raised before a record that reaches it is stored: by a whole stretch, so
 * that a crash may leave a gap in the numbers and never uses one twice. A clean stop writes the exact one.
 *
 * The file is 21 bytes, written in place: that is within one sector, which a disk writes whole or not at all,
 * and takes no room on a full one.
 */

#include <stdint.h>

/* The number in the directory @path; 0 if there is no such file or directory, or nothing was written to it
 * yet. -EBADMSG: it holds something else; -ELOOP: it is a symbolic link; else as file_verify_sole(). */
int ledger_read(const char *path, uint64_t *nextp);

/* Durable when it returns. Refuses what is not a file of one name, as ledger_read(). */
int ledger_write(int directory_fd, uint64_t next);
