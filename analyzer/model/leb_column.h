/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LEB128 columns, a number at a time; and short numbers out of a word without a loop. Never reads outside the column.
 */
#ifndef CPROF_LEB_COLUMN_H
#define CPROF_LEB_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How to gather seven bits from each byte of a word: by shifts, or with one instruction of newer x86-64 processors. */
enum leb_gather { LEB_GATHER_PLAIN, LEB_GATHER_PEXT };

#ifdef __x86_64__
#define LEB_PEXT_TARGET __attribute__((target("bmi,bmi2,lzcnt"))) /* for functions called only if leb_pext_is_fast() */
#else
#define LEB_PEXT_TARGET
#endif
bool leb_pext_is_fast(void);

/* The number in the low bytes of word; ends, not 0: bit 7 of those of its bytes where a number ends. */
static inline __attribute__((always_inline)) uint32_t leb_gather_word(uint32_t word, uint32_t ends, enum leb_gather gather)
{
	uint32_t bits = (ends ^ (ends - 1)) & 0x7f7f7f7f;

#ifdef __x86_64__
	if (gather == LEB_GATHER_PEXT) {
		uint32_t number;

		/* Not the intrinsic: that would need the caller's file to be compiled for such a machine. */
		__asm__("pext %2, %1, %0" : "=r"(number) : "r"(word), "r"(bits));
		return number;
	}
#endif
	(void)gather;
	word &= bits;
	return (word & 0x7f) | (word >> 1 & 0x3f80) | (word >> 2 & 0x1fc000) | (word >> 3 & 0xfe00000);
}

struct leb_column {
	const uint8_t *next, *end;
};

/* The next number. False: the column's end, or no number (cut off, or more than 64 bits); nothing has moved. */
bool leb_column_next(struct leb_column *column, uint64_t *number);

#endif
