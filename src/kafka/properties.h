/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Properties of librdkafka from a file
 *
 * "name=value" on each line, and comments behind a # at a line's begin: what kcat -F and other clients read.
 */

#include <librdkafka/rdkafka.h>

/* Each of @path into @conf. 0, or a negative errno, told with the file and the line. */
int properties_read(const char *who, const char *path, rd_kafka_conf_t *conf);
