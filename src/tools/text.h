/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Numbers for a person
 *
 * Texts of one line, by value: they live as long as the expression that prints them.
 */

#include <stdbool.h>
#include <stdint.h>

struct text {
        char text[48];
};

/* "95,678,234" */
struct text count_text(uint64_t count);
/* "10000.0/s"; negative: "-" */
struct text rate_text(double rate);
/* Base 1024 for what lies on a disk, as MaxUse= counts: "3.0 GiB" */
struct text size_text(uint64_t bytes);
/* The two largest units, as precise as a person needs: "1min 40s"; negative: "-" */
struct text span_text(double seconds);

/* Does @fd lead to a person who wants colours? */
bool text_has_colours(int fd);

#define COLOUR_HEAD   "\033[1m"
#define COLOUR_FAINT  "\033[2m"
#define COLOUR_RED    "\033[31m"
#define COLOUR_GREEN  "\033[32m"
#define COLOUR_YELLOW "\033[33m"
#define COLOUR_BLUE   "\033[34m"
#define COLOUR_OFF    "\033[0m"
