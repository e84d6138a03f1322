/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A word to the processor from who looks at a memory again and again: another thread of its core may work
 */

static inline void cpu_relax(void) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ __volatile__("yield");
#endif
}
