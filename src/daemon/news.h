/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the parts of the daemon have to tell, in the administrator's words
 *
 * The parts do not log: they say what happened, and here it becomes an entry.
 */

#include "daemon/pacer.h"
#include "daemon/publisher.h"
#include "daemon/recorder_events.h"
#include "daemon/report.h"

void news_tell_generator(struct report *report, const struct pacer_event *event);
void news_tell_recorder(struct report *report, const struct recorder_event *event);
void news_tell_reader(struct report *report, const struct publisher_notice *notice);
