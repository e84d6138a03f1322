/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What each part of the daemon is to know of the settings
 */

#include "daemon/config.h"
#include "daemon/generator.h"
#include "daemon/recorder.h"
#include "model/note.h"

struct generator_settings config_get_generator_settings(const struct config *config);

/* Its strings are those of @config. */
struct recorder_settings config_get_recorder_settings(const struct config *config);

/* Files that can be read: the daemon has begun with them. Where one went since, its digest stays 0. Its
 * strings are those of @config. */
struct note_settings config_get_note_settings(struct config *config);
