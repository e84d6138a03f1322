/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tools/flags.h"

/* One a file: batch.c, inject.c, … */
extern const struct verb verb_batch;
extern const struct verb verb_inject;
extern const struct verb verb_kafka;
extern const struct verb verb_rotate;
extern const struct verb verb_stat;
extern const struct verb verb_tail;
extern const struct verb verb_verify;
