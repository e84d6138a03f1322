/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/options.h"

#include "daemon/config.h"
#include "model/catalog_file.h"
#include "model/scenario_file.h"
#include "util/complaint.h"
#include "util/macros.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

enum {
        OPTION_CONFIG = 256,
        OPTION_SOCKET,
        OPTION_DIRECTORY,
        OPTION_CHECK,
        OPTION_HELP,
        OPTION_VERSION,
};

static const struct option long_options[] = {
        { "config", required_argument, NULL, OPTION_CONFIG },
        { "socket", required_argument, NULL, OPTION_SOCKET },
        { "directory", required_argument, NULL, OPTION_DIRECTORY },
        { "check", no_argument, NULL, OPTION_CHECK },
        { "help", no_argument, NULL, OPTION_HELP },
        { "version", no_argument, NULL, OPTION_VERSION },
        {},
};

static void print_help(void) {
        printf("Usage: i4d [--config FILE] [--socket PATH] [--directory DIR]\n"
               "       i4d [--config FILE] --check\n"
               "\n"
               "Makes the readings of a pipeline network, publishes them in shared memory, and keeps them\n"
               "as JSON Lines. Stays in the foreground; systemd starts it as i4d.service.\n"
               "\n"
               "  --config FILE     settings, and FILE.d/*.conf (" CONFIG_PATH ")\n"
               "  --socket PATH     where readers attach (" OPTIONS_SOCKET_PATH ")\n"
               "  --directory DIR   where readings are kept (" OPTIONS_DIRECTORY_PATH ")\n"
               "  --check           check the settings and exit: 0 they are fine, 2 they are not\n"
               "  --help            show this text\n"
               "  --version         show the version\n"
               "\n"
               "Signals: SIGHUP reads the settings again, SIGTERM stores what is left and ends.\n"
               "See i4d(8) and i4d.conf(5).\n");
}

static int complain_usage(const char *option, const char *what) {
        (void) fprintf(stderr, "i4d: %s: %s; see i4d --help\n", option, what);
        return -EINVAL;
}

/* An empty path is what a script makes of a variable that is not set. */
static int options_set_path(const char **pathp, const char *option, const char *path) {
        if (!*path)
                return complain_usage(option, "needs a path, not an empty string");

        *pathp = path;
        return 1;
}

static int options_apply(struct options *options, int c, const char *word, const char *argument) {
        switch (c) {
        case OPTION_CONFIG:
                return options_set_path(&options->config_path, "--config", argument);
        case OPTION_SOCKET:
                return options_set_path(&options->socket_path, "--socket", argument);
        case OPTION_DIRECTORY:
                return options_set_path(&options->directory_path, "--directory", argument);
        case OPTION_CHECK:
                options->check = true;
                return 1;
        case OPTION_HELP:
                print_help();
                return 0;
        case OPTION_VERSION:
                puts("i4d " I4_VERSION);
                return 0;
        case ':':
                return complain_usage(word, "needs an argument");
        default:
                return complain_usage(word, "there is no such option, or it takes no argument");
        }
}

int options_parse(struct options *options, int argc, char *argv[]) {
        struct options parsed = {};
        const char *word;
        int c, r;

        /* 0: from the start, also when called again */
        optind = 0;
        for (;;) {
                word = argv[MAX(optind, 1)];
                c = getopt_long(argc, argv, "+:", long_options, NULL);
                if (c < 0)
                        break;

                r = options_apply(&parsed, c, word, optarg);
                if (r <= 0)
                        return r;
        }

        if (optind < argc)
                return complain_usage(argv[optind], "only options are taken");

        *options = parsed;
        return 1;
}

static int check_scenario(const struct config *config, const struct i4_catalog *catalog,
                const struct plant *plant, struct complaints *complaints) {
        struct model_settings settings = { .kind = config->model, .plant = plant };
        _cleanup_(scenario_freep) struct scenario *scenario = NULL;
        _cleanup_(model_freep) struct model *model = NULL;
        int r;

        r = model_new(&model, &settings, catalog);
        if (r < 0)
                return r;

        return scenario_load(&scenario, &(struct scenario_context){ .catalog = catalog, .model = model },
                        config->scenario, complaints);
}

static int check_settings(const char *path, struct complaints *complaints) {
        _cleanup_(catalog_freep) struct i4_catalog *catalog = NULL;
        _cleanup_(plant_freep) struct plant *plant = NULL;
        struct config config;
        int r;

        r = config_load(&config, path, complaints);
        if (r < 0)
                return r;

        r = catalog_load(&catalog, &plant, config.catalog, config.n_sensors, complaints);
        return r >= 0 && *config.scenario ? check_scenario(&config, catalog, plant, complaints) : r;
}

int options_check(const struct options *options) {
        struct complaints complaints = { .report = complaint_print };
        int r;

        r = check_settings(options->config_path, &complaints);
        if (r == -EINVAL)
                return 2;
        if (r < 0) {
                (void) fprintf(stderr, "i4d: Cannot check the settings: %s\n", strerror(-r));
                return EXIT_FAILURE;
        }

        puts("settings are fine");
        return EXIT_SUCCESS;
}

/* The first of several; systemd separates them by colons. */
static const char *environment_get_path(const char *name, char buffer[static PATH_MAX]) {
        const char *value = getenv(name);

        if (!value || !*value)
                return NULL;

        (void) snprintf(buffer, PATH_MAX, "%.*s", (int) strcspn(value, ":"), value);
        return buffer;
}

const char *options_get_directory(const struct options *options, char buffer[static PATH_MAX]) {
        const char *path = options->directory_path;

        if (!path)
                path = environment_get_path("STATE_DIRECTORY", buffer);

        return path ? path : OPTIONS_DIRECTORY_PATH;
}

const char *options_get_socket_path(const struct options *options, char buffer[static PATH_MAX]) {
        char directory[PATH_MAX];

        if (options->socket_path)
                return options->socket_path;
        if (!environment_get_path("RUNTIME_DIRECTORY", directory))
                return OPTIONS_SOCKET_PATH;

        (void) snprintf(buffer, PATH_MAX, "%.*s/ring.sock", PATH_MAX - 16, directory);
        return buffer;
}
