/* SPDX-License-Identifier: Apache-2.0 */

#include "daemon/condition.h"

#include "util/macros.h"

#include <syslog.h>

/* clang-format off */
static const struct {
        const char *id; /* found in units/i4.catalog; never given to another condition */
        int priority;
        unsigned int burst;
} conditions[] = {
        [CONDITION_STARTED] = { "4211e5a04c7941eb9b3155382a17c6fa", LOG_NOTICE, CONDITION_UNLIMITED },
        [CONDITION_STOPPING] = { "d79ce05674f744d98c18a0277115e6e4", LOG_NOTICE, CONDITION_UNLIMITED },
        [CONDITION_FAILED] = { "b5ace31340924b70810b018808101dde", LOG_ERR, CONDITION_UNLIMITED },
        [CONDITION_HUNG] = { "5659c88a1cf443429d709af3bd3d73ee", LOG_CRIT, CONDITION_UNLIMITED },
        [CONDITION_STATISTICS] = { "8fd59f5f78004599be2264cb76d37ee0", LOG_INFO, CONDITION_UNLIMITED },
        [CONDITION_SETTINGS_RELOADED] = { "d3cf4c8c63f54d669760d53a85a48c0e", LOG_NOTICE, CONDITION_UNLIMITED },
        [CONDITION_SETTINGS_MISTAKE] = { "d367551bdb4340f981cfb47c5f2749de", LOG_ERR, 20 },
        [CONDITION_SETTINGS_KEPT] = { "48b9412d36ef41c0997650d6caa7c9f7", LOG_ERR, CONDITION_UNLIMITED },
        [CONDITION_SETTINGS_PENDING] = { "2ea7976a31ca4fabb5dd38a3fe9622eb", LOG_NOTICE, CONDITION_UNLIMITED },
        [CONDITION_ANCHOR] = { "fcf2c91e87a84a7583b71e1cb1c6070e", LOG_INFO, 10 },
        [CONDITION_ANCHOR_NOT_NOTED] = { "3dd8813b49d74ecfa4e16b8a065e1813", LOG_WARNING, 3 },
        [CONDITION_EVENTS_NOT_WRITTEN] = { "ee6a241a164445a7ac82d657d29736cf", LOG_WARNING, 3 },
        [CONDITION_RESUMED] = { "1f136e7542b644b18041355369df5fce", LOG_INFO, CONDITION_UNLIMITED },
        [CONDITION_BEHIND] = { "4075d392d0de4c208b6f31e716876b9a", LOG_WARNING, 3 },
        [CONDITION_CAUGHT_UP] = { "a4d2337c8c2142fab8337d0655f61323", LOG_INFO, 3 },
        [CONDITION_SKIPPED] = { "5fce31a16c174579a5cd417032c3d341", LOG_WARNING, 10 },
        [CONDITION_CLOCK_STEPPED] = { "9a214dd4e1a84891a14db8f06616643a", LOG_NOTICE, 10 },
        [CONDITION_INJECTED] = { "6f0b8f1d3b3c4d7b9a5de1c7f2a84e60", LOG_NOTICE, 20 },
        [CONDITION_RING_NEW] = { "2be69819a1294cd9afaf9427ba9af8c0", LOG_NOTICE, CONDITION_UNLIMITED },
        [CONDITION_RING_ADOPTED] = { "3d6f8b58bcfb4877bcc5834c2abcb584", LOG_NOTICE, CONDITION_UNLIMITED },
        [CONDITION_RING_RETIRED] = { "fdad6df6843642438475ed277e3fb363", LOG_WARNING, CONDITION_UNLIMITED },
        [CONDITION_RING_NOT_KEPT] = { "2ea58a81d4934bf79abbdbc353564f05", LOG_WARNING, CONDITION_UNLIMITED },
        [CONDITION_READER_ATTACHED] = { "7cb7b52fa08e424f9e047afc9ec3b7e7", LOG_INFO, 20 },
        [CONDITION_READER_LEFT] = { "40bd5ff35c734a5bbccdf9909eca0e3a", LOG_INFO, 20 },
        [CONDITION_READER_REFUSED] = { "5a4fcafe3b0a44cc8a522c2ea43bb664", LOG_WARNING, 10 },
        [CONDITION_READER_LOST] = { "b274625afa3d43a3bfd744dca821b957", LOG_WARNING, 10 },
        [CONDITION_READER_SILENT] = { "c821344887374f3297bee5ae21a7d374", LOG_NOTICE, 10 },
        [CONDITION_READERS_EXHAUSTED] = { "aaded2c0bea84a1abd99ed1200c722c0", LOG_ERR, 5 },
        [CONDITION_STORAGE_OPENED] = { "c5f9184fdc684f7181946ac82e998ab0", LOG_INFO, CONDITION_UNLIMITED },
        [CONDITION_STORAGE_ENGINE] = { "d25c0e2c21a344afa9b94fcd7786ad16", LOG_NOTICE, CONDITION_UNLIMITED },
        [CONDITION_STORAGE_LINE_ENDED] = { "c02d781c2be24b29b703a3afe3594021", LOG_NOTICE, CONDITION_UNLIMITED },
        [CONDITION_STORAGE_FULL] = { "a4318a5b221a43f287bd9a9818f7e1f0", LOG_ERR, 5 },
        [CONDITION_STORAGE_LIMITED] = { "360e3a1c5e1b4338a8d0d814377c3f2f", LOG_ERR, 5 },
        [CONDITION_STORAGE_FAILED] = { "84e4e0e8a1f2420495dda6cc8fe7fc30", LOG_ERR, 5 },
        [CONDITION_STORAGE_HANGS] = { "32802a0ce68146cbb8e3285a289a499f", LOG_ERR, 5 },
        [CONDITION_STORAGE_RECOVERED] = { "989068045a0740bcac0b4c332bd3f239", LOG_NOTICE, 5 },
        [CONDITION_STORAGE_DROPPED] = { "f32ab46496e045fd815371527bc6d8fc", LOG_WARNING, 5 },
        [CONDITION_STORAGE_SEALED] = { "24e8b74f54344033b02924ad4cd6cc43", LOG_INFO, 10 },
        [CONDITION_STORAGE_DELETED] = { "fd170cbb4d18497f94b83135a2422874", LOG_INFO, 10 },
        [CONDITION_STORAGE_REPLACED] = { "36c574048a5945bd922a7e878eb7e4a1", LOG_WARNING, 5 },
        [CONDITION_STORAGE_GONE] = { "8fde37180eb143f7992aad2313dc7b3c", LOG_ERR, 5 },
        [CONDITION_STORAGE_CUT] = { "9dade4c7f6994d3e9a8d0ab7c0752bad", LOG_WARNING, 5 },
};
/* clang-format on */

static_assert(ELEMENTSOF(conditions) == N_CONDITIONS, "every condition has an id");

const char *condition_get_id(enum condition condition) {
        return conditions[condition].id;
}

int condition_get_priority(enum condition condition) {
        return conditions[condition].priority;
}

unsigned int condition_get_burst(enum condition condition) {
        return conditions[condition].burst;
}
