/* SPDX-License-Identifier: Apache-2.0 */

#include "util/complaint.h"

/* What is quoted from a file goes to terminals: it must not steer them. */
static void make_harmless(char *text) {
        for (; *text; ++text)
                if ((unsigned char) *text < ' ' || *text == 0x7f)
                        *text = '?';
}

void complain(struct complaints *complaints, const char *file, unsigned int line, const char *format, ...) {
        char text[COMPLAINT_MAX];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(text, sizeof(text), format, args);
        va_end(args);

        make_harmless(text);
        ++complaints->n;
        complaints->report(complaints->userdata, file, line, text);
}

void complaint_print(void *userdata, const char *file, unsigned int line, const char *text) {
        if (line)
                (void) fprintf(stderr, "%s:%u: %s\n", file, line, text);
        else
                (void) fprintf(stderr, "%s: %s\n", file, text);
}
