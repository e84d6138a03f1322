/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is wrong with a file that a person wrote
 *
 * A loader tells every mistake it finds, not the first one only: each is one line of text that names the
 * file, the line and what would be right. Where the text goes (stderr, journal, a test) is the caller's
 * affair.
 */

#include "util/macros.h"

#include <stdarg.h>

#define COMPLAINT_MAX 1024 /* bytes of the longest text, with NUL; a longer one is cut */

struct complaints {
        /* @file and @text are valid during the call only; @line 0: the file as a whole */
        void (*report)(void *userdata, const char *file, unsigned int line, const char *text);
        void *userdata;
        unsigned int n; /* told so far */
};

void complain(struct complaints *complaints, const char *file, unsigned int line, const char *format, ...)
                _printf_(4, 5);

/* A report function: "file:line: text" on stderr, @userdata is unused. */
void complaint_print(void *userdata, const char *file, unsigned int line, const char *text);
