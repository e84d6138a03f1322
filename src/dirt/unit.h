/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Units that people mix up
 */

#include <stdint.h>

/*
 * What @value_e2, hundredths of @unit, is in the unit that it is most easily taken for (psi: bar, fahrenheit:
 * celsius); in thousands of one that is not known, or NULL. NIST SP 811 (2008), appendix B, has the factors.
 */
int32_t unit_mix_up(const char *unit, int32_t value_e2);
