/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stdbool.h>

/* @error, negative, is that there is no room, for us or for anybody. It goes by itself where others make
 * some. */
static inline bool error_is_full(int error) {
        return error == -ENOSPC || error == -EDQUOT;
}
