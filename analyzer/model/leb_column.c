/* SPDX-License-Identifier: BSD-2-Clause */
#include "leb_column.h"

enum { NUMBER_BYTES = 10 };

bool leb_pext_is_fast(void)
{
#ifdef __x86_64__
	/* The first two generations of Zen have pext, but it takes them dozens of steps. */
	return __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("avx2") &&
	       !__builtin_cpu_is("znver1") && !__builtin_cpu_is("znver2");
#else
	return false;
#endif
}

/* One number, with all checks. NULL when there is none. */
static const uint8_t *number_read(const uint8_t *next, const uint8_t *end, uint64_t *ret)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < NUMBER_BYTES && next + i < end; i++) {
		if (i == NUMBER_BYTES - 1 && next[i] > 1)
			return NULL;
		number |= (uint64_t)(next[i] & 0x7f) << 7 * i;
		if (next[i] < 0x80) {
			*ret = number;
			return next + i + 1;
		}
	}
	return NULL;
}

bool leb_column_next(struct leb_column *column, uint64_t *number)
{
	const uint8_t *after = number_read(column->next, column->end, number);

	if (after)
		column->next = after;
	return after;
}
