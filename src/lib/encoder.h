/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Of the encoder, what a test wants to choose
 */

#include "lib/catalog.h"

/* How pieces are copied. The bytes are the same. */
enum encoder_copy {
        ENCODER_COPY_16, /* bytes at a time, as every processor can */
        ENCODER_COPY_32, /* AVX2 */
        N_ENCODER_COPIES,
};

/* An encoder begins with the widest there is. -EOPNOTSUPP: this processor cannot. */
int encoder_set_copy(i4_encoder *encoder, enum encoder_copy copy);
