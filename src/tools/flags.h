/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Verbs and their flags
 *
 * A flag is a row of its verb's table; the parser and the help text are both made from it, so neither can
 * forget one.
 */

#include <stddef.h>

struct flag {
        const char *name;     /* long form, without dashes */
        char letter;          /* short form, 0: none */
        const char *argument; /* what the help calls it, NULL: takes none */
        const char *help;     /* one or more lines */
};

struct verb {
        const char *name;     /* "tail" */
        const char *who;      /* "i4 tail", as messages begin */
        const char *summary;  /* one line in the list of verbs */
        const char *text;     /* what the verb does, and examples; printed by its help */
        const char *operands; /* what the help calls arguments that are no flags, NULL: takes none */
        const struct flag *flags;
        size_t n_flags;
        int (*run)(const struct verb *verb, int argc, char *argv[]); /* exit status */
};

enum exit_status {
        STATUS_DONE = 0,
        STATUS_FAILED = 1,
        STATUS_USAGE = 2,
        STATUS_LOST = 3, /* done, and records were lost on the way */
};

/*
 * Hands each flag to @take as its row's number and its argument (NULL if it takes none), and then each
 * operand as the row behind the last. What @take refuses with a negative errno it has said why.
 *
 * Return: 1 go on; 0 done, the help was asked for; -EINVAL wrong usage, told on stderr.
 */
int flags_parse(const struct verb *verb, int argc, char *argv[],
                int (*take)(void *userdata, size_t flag, const char *argument), void *userdata);

void verb_print_help(const struct verb *verb);
