/* SPDX-License-Identifier: Apache-2.0 */

/*
 * i4: tools around the stream of a local i4d
 *
 * Every verb is a program of its own, on the public API alone: what they can do, any program can.
 */

#include "tools/say.h"
#include "tools/suggest.h"
#include "tools/verbs.h"
#include "util/macros.h"
#include "util/standard.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct verb *const verbs[] = {
        &verb_tail,
        &verb_stat,
        &verb_batch,
        &verb_kafka,
        &verb_verify,
        &verb_inject,
        &verb_rotate,
};

static void print_help(void) {
        printf("Usage: i4 VERB [FLAGS]\n\nRead and watch the sensor stream of the local i4d.\n\nVerbs:\n");
        for (size_t i = 0; i < ELEMENTSOF(verbs); ++i)
                printf("  %-10s%s\n", verbs[i]->name, verbs[i]->summary);
        printf("  %-10s%s\n", "help", "Tell more about a verb: 'i4 help tail'.");
        printf("\n"
               "Flags:\n"
               "  -h, --help    this text\n"
               "      --version what version this is\n"
               "\n"
               "Examples:\n"
               "  i4 tail --format pretty      watch readings come in\n"
               "  i4 tail -n 1000 > some.jsonl keep the next thousand\n"
               "  i4 stat --watch              how is the daemon, who reads, who is behind\n"
               "  i4 batch --enrich            readings as files of a thousand, with lineage\n"
               "  i4 verify -t truth.jsonl out.jsonl\n"
               "                               what was lost on the way from one to the other\n"
               "\n"
               "Manual: man 1 i4. Members of group i4 may read; the daemon is i4d(8).\n");
}

static const struct verb *verb_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); ++i)
                if (strcmp(verbs[i]->name, name) == 0)
                        return verbs[i];

        return NULL;
}

static int complain(const char *what, const char *name, const struct suggestion *suggestion) {
        if (suggestion->best)
                say("i4", "unknown %s '%s', did you mean '%s'?", what, name, suggestion->best);
        else
                say("i4", "unknown %s '%s', see 'i4 --help'", what, name);
        return STATUS_USAGE;
}

static int complain_verb(const char *name) {
        struct suggestion suggestion = SUGGESTION_INIT(name);

        suggestion_offer(&suggestion, "help");
        for (size_t i = 0; i < ELEMENTSOF(verbs); ++i)
                suggestion_offer(&suggestion, verbs[i]->name);

        return complain("verb", name, &suggestion);
}

static int complain_flag(const char *name) {
        struct suggestion suggestion = SUGGESTION_INIT(name);

        suggestion_offer(&suggestion, "--help");
        suggestion_offer(&suggestion, "--version");

        return complain("flag", name, &suggestion);
}

static bool is_help(const char *word) {
        return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int run_help(const char *name) {
        const struct verb *verb;

        if (!name || is_help(name)) {
                print_help();
                return STATUS_DONE;
        }

        verb = verb_find(name);
        if (!verb)
                return complain_verb(name);

        /* Its own words, as it may be another program's. */
        return verb->run(verb, 2, (char *[]){ (char *) verb->name, (char *) "--help", NULL });
}

static int run(int argc, char *argv[]) {
        const struct verb *verb;

        if (argc < 2) {
                say("i4", "what to do? 'i4 tail' prints readings, 'i4 stat' looks at the daemon, 'i4 --help' tells more");
                return STATUS_USAGE;
        }

        verb = verb_find(argv[1]);
        if (verb)
                return verb->run(verb, argc - 1, argv + 1);

        if (strcmp(argv[1], "help") == 0)
                return run_help(argc > 2 ? argv[2] : NULL);
        if (is_help(argv[1]))
                return run_help(NULL);
        if (strcmp(argv[1], "--version") == 0) {
                printf("i4 %s\n", I4_VERSION);
                return STATUS_DONE;
        }

        return *argv[1] == '-' ? complain_flag(argv[1]) : complain_verb(argv[1]);
}

int main(int argc, char *argv[]) {
        int status;

        standard_open();
        status = run(argc, argv);
        /* Help into a full disk must not look like success. */
        return status == STATUS_DONE && !standard_flush("i4") ? STATUS_FAILED : status;
}
