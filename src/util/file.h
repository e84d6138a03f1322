/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Reads a whole file of at most @max bytes; *@textp ends in a NUL that *@sizep does not count. -EISDIR;
 * -EFBIG: it is larger. Waits for a pipe that somebody writes to, not for one that nobody does.
 */
int file_read(const char *path, size_t max, char **textp, size_t *sizep);

/*
 * Gives a pipe room for a MiB, so that its ends work side by side instead of taking turns: into the 64 KiB
 * that a pipe has by itself half as much gets through. What is no pipe, or has that much, or may not have it,
 * stays.
 */
void file_widen_pipe(int fd);

/*
 * Asks i4d not to delete a sealed file before @fd is closed; it need not be one. See MaxUse= in i4d.conf(5)
 * for what comes of it.
 */
void file_hold(int fd);

/*
 * Whether what was opened to be written is a file of one name: a second one could be planted where it makes a
 * file of somebody else's ours. -EMLINK: it has other names; -EMEDIUMTYPE: not a regular file.
 */
int file_verify_sole(int fd);

/* Writes all of it, however often that takes. */
int file_write_all(int fd, const char *text, size_t size);

/*
 * A file of @size_max bytes or more becomes the old one, in place of the old one before it. 1: the next line
 * is the first of its file; 0: it is not.
 */
int file_rotate(const char *path, const char *old_path, size_t size_max);

/*
 * Appends lines, each with its newline, to a file that is made if need be (0640), or nothing of them. A last
 * line that somebody left torn is ended first. -ELOOP: it is a symbolic link; else as
 * file_verify_sole(). @is_durable: they are on disk when this returns.
 */
int file_append(const char *path, const char *lines, size_t size, bool is_durable);

/* For readdir(), from the first entry on, what is in the directory @fd, which stays the caller's. */
int file_open_entries(int fd, DIR **dirp);
