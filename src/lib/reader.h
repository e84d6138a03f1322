/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lib/view.h"

/* For the parts of libi4 that look at the mapping beside the records. */
const struct ring_view *reader_get_view(const i4_reader *reader);
