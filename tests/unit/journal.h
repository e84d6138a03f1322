/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was complained about, as "file:line: text" lines
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct journal {
        char text[8192];
        size_t size;
};

/* For struct complaints. */
static inline void journal_report(void *userdata, const char *file, unsigned int line, const char *text) {
        struct journal *journal = userdata;
        int n;

        n = snprintf(journal->text + journal->size, sizeof(journal->text) - journal->size, "%s:%u: %s\n",
                        file, line, text);
        assert_in_range(n, 1, sizeof(journal->text) - journal->size - 1);
        journal->size += (size_t) n;
}
