/* SPDX-License-Identifier: Apache-2.0 */

#include "tools/text.h"

#include "util/macros.h"

#include <inttypes.h>
#include <string.h>

struct text count_text(uint64_t count) {
        struct text digits, text = {};
        size_t n, k = 0;

        n = (size_t) snprintf(digits.text, sizeof(digits.text), "%" PRIu64, count);
        for (size_t i = 0; i < n; ++i) {
                if (i > 0 && (n - i) % 3 == 0)
                        text.text[k++] = ',';
                text.text[k++] = digits.text[i];
        }

        return text;
}

struct text rate_text(double rate) {
        struct text text;

        if (rate < 0)
                (void) snprintf(text.text, sizeof(text.text), "-");
        else if (rate >= 1e5)
                (void) snprintf(text.text, sizeof(text.text), "%.40s/s", count_text((uint64_t) rate).text);
        else
                (void) snprintf(text.text, sizeof(text.text), "%.*f/s", rate < 10 ? 3 : 1, rate);

        return text;
}

struct text size_text(uint64_t bytes) {
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        double value = (double) bytes;
        struct text text;
        size_t i = 0;

        for (; value >= 1024 && i + 1 < ELEMENTSOF(units); ++i)
                value /= 1024;

        (void) snprintf(text.text, sizeof(text.text), "%.*f %s", i == 0 || value >= 100 ? 0 : 1, value,
                        units[i]);
        return text;
}

struct text span_text(double seconds) {
        uint64_t s = seconds > 0 ? (uint64_t) seconds : 0;
        struct text text;

        if (seconds < 0)
                (void) snprintf(text.text, sizeof(text.text), "-");
        else if (seconds < 10)
                (void) snprintf(text.text, sizeof(text.text), "%.2f s", seconds);
        else if (s < 60)
                (void) snprintf(text.text, sizeof(text.text), "%.1f s", seconds);
        else if (s < 3600)
                (void) snprintf(text.text, sizeof(text.text), "%" PRIu64 "min %" PRIu64 "s", s / 60, s % 60);
        else if (s < 86400)
                (void) snprintf(text.text, sizeof(text.text), "%" PRIu64 "h %" PRIu64 "min", s / 3600,
                                s % 3600 / 60);
        else
                (void) snprintf(text.text, sizeof(text.text), "%" PRIu64 "d %" PRIu64 "h", s / 86400,
                                s % 86400 / 3600);

        return text;
}

bool text_has_colours(int fd) {
        const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

        return isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}
