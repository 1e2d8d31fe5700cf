/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as people read them. For text output only: JSON and CSV carry plain integers. */
#ifndef CPROF_HUMAN_H
#define CPROF_HUMAN_H

#include <stdint.h>

struct human_text { /* returned by value: human_time(t).text lives until the end of the full expression */
	char text[32];
};

struct human_text human_scaled(uint64_t value, const char *const units[4]); /* each unit 1,000 of the one before; four digits */
struct human_text human_ns(uint64_t ns);                      /* "1.234 ms": four digits, "999 ns", "0" */
struct human_text human_count(uint64_t count);                /* "12,345" */
struct human_text human_bytes(uint64_t bytes);                /* "15.7 MB" */
struct human_text human_percent(uint64_t part, uint64_t all); /* "36.6"; "0.0" of nothing */

double human_fraction(uint64_t part, uint64_t all); /* 0 when all is 0 */

#endif
