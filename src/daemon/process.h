/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What holds for the process as a whole
 */

#include <stdint.h>

/*
 * Before the first thread, which inherits it: signals arrive at the event loop alone. Those that a closed
 * pipe and a limit on file sizes send are told by an errno as well.
 */
int process_block_signals(void);

/* As far as one is allowed to: what is missing then is told when it is needed. */
void process_allow_descriptors(uint64_t n);
