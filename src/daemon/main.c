/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/options.h"
#include "daemon/service.h"
#include "util/macros.h"
#include "util/standard.h"

#include <errno.h>

#define EXIT_USAGE 2

static int run(const struct options *options) {
        _cleanup_(service_freep) struct service *service = NULL;
        int r;

        r = service_new(&service, options);
        if (r < 0)
                return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;

        return service_run(service) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char *argv[]) {
        struct options options = {};
        int r, status = EXIT_SUCCESS;

        standard_open();
        r = options_parse(&options, argc, argv);
        if (r < 0)
                return EXIT_USAGE;
        if (r > 0)
                status = options.check ? options_check(&options) : run(&options);

        return status == EXIT_SUCCESS && !standard_flush("i4d") ? EXIT_FAILURE : status;
}
