/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A later version of the ring's layout, for a daemon that makes it and a library that reads it, which
 * understand no other: included before all else where they are compiled.
 */

#include "ring/layout.h"

#undef RING_VERSION
#define RING_VERSION UINT32_C(3)
