/* SPDX-License-Identifier: BSD-2-Clause */
#include "human.h"

#include <inttypes.h>
#include <stdio.h>

struct human_text human_scaled(uint64_t value, const char *const units[4])
{
	struct human_text text;

	if (value == 0) {
		snprintf(text.text, sizeof text.text, "0");
		return text;
	}
	if (value < 1000) {
		snprintf(text.text, sizeof text.text, "%" PRIu64 " %s", value, units[0]);
		return text;
	}
	uint64_t scale = 1000;
	for (unsigned unit = 1; unit < 4; unit++, scale *= 1000) {
		uint64_t power = 1000;

		for (int digits = 3; digits > 0; digits--, power /= 10) {
			uint64_t step = scale / power; /* value of the last digit shown */
			uint64_t rounded = value / step + (value % step >= (step + 1) / 2);

			if (step && rounded < 10000) {
				snprintf(text.text, sizeof text.text, "%" PRIu64 ".%0*" PRIu64 " %s", rounded / power, digits, rounded % power,
					 units[unit]);
				return text;
			}
		}
	}
	scale /= 1000;
	text = human_count(value / scale + (value % scale >= scale / 2));
	for (char *end = text.text; ; end++) {
		if (!*end) {
			snprintf(end, (size_t)(text.text + sizeof text.text - end), " %s", units[3]);
			return text;
		}
	}
}

struct human_text human_ns(uint64_t ns)
{
	static const char *const units[4] = { "ns", "us", "ms", "s" };

	return human_scaled(ns, units);
}

struct human_text human_count(uint64_t count)
{
	struct human_text text;
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
	char *end = text.text;

	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*end++ = ',';
		*end++ = digits[i];
	}
	*end = 0;
	return text;
}

struct human_text human_bytes(uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB" };
	struct human_text text;
	double value = (double)bytes / 1000;
	unsigned unit = 0;

	if (bytes < 1000) {
		snprintf(text.text, sizeof text.text, "%" PRIu64 " bytes", bytes);
		return text;
	}
	for (; value >= 999.95 && unit < 3; unit++)
		value /= 1000;
	snprintf(text.text, sizeof text.text, "%.1f %s", value, units[unit]);
	return text;
}

double human_fraction(uint64_t part, uint64_t all)
{
	return all ? (double)part / (double)all : 0;
}

struct human_text human_percent(uint64_t part, uint64_t all)
{
	struct human_text text;

	snprintf(text.text, sizeof text.text, "%.1f", 100 * human_fraction(part, all));
	return text;
}
