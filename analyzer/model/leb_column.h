/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk decoding of LEB128 columns.
 *
 * Finding where a number ends is a chain of dependent steps when done one by one; here the ends of 64 bytes are found at once, so that
 * decoding costs the same whatever the lengths are. Never reads outside the column.
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

enum { LEB_COLUMN_MIN_ITEMS = 64 }; /* room that leb_column_read() needs to be sure to make progress */

/*
 * Decodes up to max (at least LEB_COLUMN_MIN_ITEMS) numbers and returns how many; 0 at the end of the column, or where what follows is no number:
 * then next != end. A number of more than 64 bits is none.
 */
size_t leb_column_read(struct leb_column *column, uint64_t *numbers, size_t max);
/* The same, in the way of a given machine. For tests. */
size_t leb_column_read_with(struct leb_column *column, uint64_t *numbers, size_t max, enum leb_gather gather);
/* A single number. False: the column's end, or no number; nothing has moved. */
bool leb_column_next(struct leb_column *column, uint64_t *number);

#endif
