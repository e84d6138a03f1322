/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/flags.h"

#include "tools/say.h"
#include "tools/suggest.h"
#include "util/macros.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#define FLAGS_MAX 24u

/* What getopt_long() returns for the row n; letters are below. */
#define ROW_BASE 256

struct getopt_tables {
        struct option options[FLAGS_MAX + 2];
        char letters[2 * FLAGS_MAX + 4];
};

static void tables_init(struct getopt_tables *tables, const struct verb *verb) {
        char *p = tables->letters;

        assert(verb->n_flags <= FLAGS_MAX);
        *tables = (struct getopt_tables){};

        *p++ = ':'; /* tell a missing argument from an unknown flag */
        *p++ = 'h';
        for (size_t i = 0; i < verb->n_flags; ++i) {
                const struct flag *flag = &verb->flags[i];

                tables->options[i] = (struct option){
                        .name = flag->name,
                        .has_arg = flag->argument ? required_argument : no_argument,
                        .val = ROW_BASE + (int) i,
                };
                if (flag->letter)
                        *p++ = flag->letter;
                if (flag->letter && flag->argument)
                        *p++ = ':';
        }
        tables->options[verb->n_flags] = (struct option){ .name = "help", .val = 'h' };
}

static size_t flag_find_letter(const struct verb *verb, int letter) {
        size_t i = 0;

        while (i < verb->n_flags && verb->flags[i].letter != letter)
                ++i;

        return i;
}

static int complain_unknown(const struct verb *verb, const char *word) {
        size_t n = strcspn(word, "=");
        char name[64] = "";
        struct suggestion suggestion = SUGGESTION_INIT(name);

        if (optopt > 0 && optopt < ROW_BASE && optopt != 'h') {
                say(verb->who, "unknown flag '-%c', see '%s --help'", optopt, verb->who);
                return -EINVAL;
        }
        if (optopt >= ROW_BASE || optopt == 'h') {
                say(verb->who, "flag '%.*s' takes no argument", (int) n, word);
                return -EINVAL;
        }

        (void) snprintf(name, sizeof(name), "%.*s", (int) n, word + strspn(word, "-"));
        for (size_t i = 0; i < verb->n_flags; ++i)
                suggestion_offer(&suggestion, verb->flags[i].name);

        if (suggestion.best)
                say(verb->who, "unknown flag '%.*s', did you mean '--%s'?", (int) n, word, suggestion.best);
        else
                say(verb->who, "unknown flag '%.*s', see '%s --help'", (int) n, word, verb->who);
        return -EINVAL;
}

static int complain_missing(const struct verb *verb, const char *word) {
        size_t row = optopt >= ROW_BASE ? (size_t) (optopt - ROW_BASE) : flag_find_letter(verb, optopt);

        say(verb->who, "flag '%s' needs an argument: %s", word, verb->flags[row].argument);
        return -EINVAL;
}

static int flag_take(const struct verb *verb, size_t flag, const char *argument,
                int (*take)(void *userdata, size_t flag, const char *argument), void *userdata) {
        int r;

        r = take(userdata, flag, argument);
        if (r == -ENOMEM)
                say(verb->who, "%s", strerror(ENOMEM));

        return r;
}

int flags_parse(const struct verb *verb, int argc, char *argv[],
                int (*take)(void *userdata, size_t flag, const char *argument), void *userdata) {
        struct getopt_tables tables;
        int c, r;

        tables_init(&tables, verb);
        opterr = 0;
        optind = 0; /* the GNU way to start afresh */

        while ((c = getopt_long(argc, argv, tables.letters, tables.options, NULL)) >= 0) {
                if (c == 'h') {
                        verb_print_help(verb);
                        return 0;
                }
                if (c == '?')
                        return complain_unknown(verb, argv[optind - 1]);
                if (c == ':')
                        return complain_missing(verb, argv[optind - 1]);

                r = flag_take(verb, c >= ROW_BASE ? (size_t) (c - ROW_BASE) : flag_find_letter(verb, c),
                                optarg, take, userdata);
                if (r < 0)
                        return r;
        }

        if (optind < argc && !verb->operands) {
                say(verb->who, "'%s' is one argument too many, see '%s --help'", argv[optind], verb->who);
                return -EINVAL;
        }
        for (; optind < argc; ++optind) {
                r = flag_take(verb, verb->n_flags, argv[optind], take, userdata);
                if (r < 0)
                        return r;
        }

        return 1;
}

#define HELP_COLUMN 26

static void flag_print(const struct flag *flag) {
        const char *line = flag->help;
        char left[64], letter[8] = "    ";
        size_t n;

        if (flag->letter)
                (void) snprintf(letter, sizeof(letter), "-%c, ", flag->letter);
        (void) snprintf(left, sizeof(left), "  %s--%s%s%s", letter, flag->name, flag->argument ? " " : "",
                        flag->argument ? flag->argument : "");
        printf("%-*s", HELP_COLUMN, left);
        if (strlen(left) >= HELP_COLUMN)
                printf("\n%*s", HELP_COLUMN, "");

        for (; *line; line += n + (line[n] == '\n')) {
                n = strcspn(line, "\n");
                printf("%*s%.*s\n", line == flag->help ? 0 : HELP_COLUMN, "", (int) n, line);
        }
}

void verb_print_help(const struct verb *verb) {
        printf("Usage: %s [FLAGS]%s%s\n\n%s\n\nFlags:\n", verb->who, verb->operands ? " " : "",
                        verb->operands ? verb->operands : "", verb->summary);
        for (size_t i = 0; i < verb->n_flags; ++i)
                flag_print(&verb->flags[i]);
        flag_print(&(struct flag){ "help", 'h', NULL, "this text" });
        printf("\n%s", verb->text);
}
