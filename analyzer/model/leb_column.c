/* SPDX-License-Identifier: BSD-2-Clause */
#include "leb_column.h"

#include <string.h>

#ifdef __x86_64__
#include <emmintrin.h>
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
	BLOCK_BYTES = 16,
	LOAD_BYTES = 4,    /* read past a block's end */
	NUMBER_BYTES = 10,
};

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

/* Bit i: byte i is the last one of a number. */
static ALWAYS_INLINE uint32_t block_ends(const uint8_t *block)
{
#ifdef __x86_64__
	return ~(uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)block)) & 0xffff;
#else
	uint64_t words[2];
	uint32_t more = 0;

	memcpy(words, block, sizeof words);
	for (int i = 0; i < 2; i++)
		more |= (uint32_t)(((words[i] & 0x8080808080808080) >> 7) * 0x0102040810204080 >> 56) << 8 * i;
	return ~more & 0xffff;
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

/*
 * The numbers that end in a block, the first of which begins at start. Returns where the one after them begins, or a number that is none. LOAD_BYTES
 * behind the block may be read.
 */
static ALWAYS_INLINE const uint8_t *block_read(const uint8_t *start, const uint8_t *block, uint64_t *numbers, size_t *count,
					       enum leb_gather gather)
{
	uint32_t ends = block_ends(block);
	size_t index = *count;

	/* Most steps of time fit into a byte. */
	if (ends == 0xffff && start == block) {
		for (int i = 0; i < BLOCK_BYTES; i++)
			numbers[index + (size_t)i] = block[i];
		*count = index + BLOCK_BYTES;
		return block + BLOCK_BYTES;
	}
	for (; ends; ends &= ends - 1) {
		const uint8_t *last = block + __builtin_ctz(ends);

		if (__builtin_expect(last - start < LOAD_BYTES, 1)) {
			uint32_t word;

			memcpy(&word, start, sizeof word);
			numbers[index++] = leb_gather_word(word, 0x80u << 8 * (last - start), gather);
		} else if (number_read(start, last + 1, &numbers[index])) {
			index++;
		} else {
			break;
		}
		start = last + 1;
	}
	*count = index;
	return start;
}

static ALWAYS_INLINE size_t column_read(struct leb_column *column, uint64_t *numbers, size_t max, enum leb_gather gather)
{
	const uint8_t *next = column->next, *end = column->end, *block = next;
	size_t count = 0;

	/* Whole blocks, until something is longer than a number can be: the careful loop tells what that is. */
	while (max - count >= BLOCK_BYTES && end - block >= BLOCK_BYTES + LOAD_BYTES && block - next < NUMBER_BYTES) {
		next = block_read(next, block, numbers, &count, gather);
		block += BLOCK_BYTES;
	}
	while (count < max && next < end && (end - block < BLOCK_BYTES + LOAD_BYTES || block - next >= NUMBER_BYTES)) {
		const uint8_t *after = number_read(next, end, &numbers[count]);

		if (!after)
			break;
		count++;
		next = after;
	}
	column->next = next;
	return count;
}

static LEB_PEXT_TARGET size_t column_read_pext(struct leb_column *column, uint64_t *numbers, size_t max)
{
	return column_read(column, numbers, max, LEB_GATHER_PEXT);
}

static size_t column_read_plain(struct leb_column *column, uint64_t *numbers, size_t max)
{
	return column_read(column, numbers, max, LEB_GATHER_PLAIN);
}

size_t leb_column_read_with(struct leb_column *column, uint64_t *numbers, size_t max, enum leb_gather gather)
{
	return gather == LEB_GATHER_PEXT ? column_read_pext(column, numbers, max) : column_read_plain(column, numbers, max);
}

size_t leb_column_read(struct leb_column *column, uint64_t *numbers, size_t max)
{
	return leb_column_read_with(column, numbers, max, leb_pext_is_fast() ? LEB_GATHER_PEXT : LEB_GATHER_PLAIN);
}

bool leb_column_next(struct leb_column *column, uint64_t *number)
{
	const uint8_t *after = number_read(column->next, column->end, number);

	if (after)
		column->next = after;
	return after;
}
