/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A later version of the ring's layout, for a daemon that makes it and understands no other: included before
 * all else where i4d-next is compiled.
 */

#include "ring/layout.h"

#undef RING_VERSION
#define RING_VERSION UINT32_C(2)
