/* SPDX-License-Identifier: BSD-2-Clause */
#include "leb_column.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK_BYTES = 64, NUMBER_BYTES = 10 };

/* Bit i: byte i is the last one of a number. */
static inline uint64_t block_ends(const uint8_t *block)
{
	uint64_t more = 0;

#ifdef __SSE2__
	for (int i = 0; i < 4; i++)
		more |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i))) << 16 * i;
#else
	for (int i = 0; i < 8; i++) {
		uint64_t word;

		memcpy(&word, block + 8 * i, sizeof word);
		more |= ((word & 0x8080808080808080) >> 7) * 0x0102040810204080 >> 56 << 8 * i;
	}
#endif
	return ~more;
}

static inline uint64_t load_bytes(const uint8_t *bytes, uint32_t count) /* 1 to 8; reads 8 */
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	return word & UINT64_MAX >> (64 - 8 * count);
}

/* Squeezes the eighth bit out of each byte. */
static inline uint64_t squeeze_u32(uint64_t word) /* of 4 bytes */
{
	return (word & 0x7f) | (word >> 1 & 0x3f80) | (word >> 2 & 0x1fc000) | (word >> 3 & 0xfe00000);
}

static inline uint64_t squeeze_u64(uint64_t word) /* of 8 bytes */
{
	return squeeze_u32(word & UINT32_MAX) | squeeze_u32(word >> 32) << 28;
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

static inline void number_store(void *numbers, size_t index, uint64_t number, bool wide)
{
	if (wide)
		((uint64_t *)numbers)[index] = number;
	else
		((uint32_t *)numbers)[index] = number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

/* The numbers that end in a block whose following 8 bytes may be read, too. Returns where the first that does not begins. */
static inline const uint8_t *block_read(const uint8_t *start, const uint8_t *block, void *numbers, size_t *count, bool wide)
{
	uint64_t ends = block_ends(block);

	while (ends) {
		const uint8_t *last = block + __builtin_ctzll(ends);
		uint64_t bytes = (uint64_t)(last - start) + 1;

		ends &= ends - 1;
		if (__builtin_expect(bytes <= 4, 1)) {
			number_store(numbers, (*count)++, squeeze_u32(load_bytes(start, (uint32_t)bytes)), wide);
		} else if (bytes <= 8) {
			number_store(numbers, (*count)++, squeeze_u64(load_bytes(start, (uint32_t)bytes)), wide);
		} else {
			uint64_t number;

			if (!number_read(start, last + 1, &number))
				return start;
			number_store(numbers, (*count)++, number, wide);
		}
		start = last + 1;
	}
	return start;
}

static inline size_t column_read(struct leb_column *column, void *numbers, size_t max, bool wide)
{
	const uint8_t *next = column->next, *end = column->end;
	const uint8_t *block = next;
	size_t count = 0;

	while (max - count >= BLOCK_BYTES && end - block >= BLOCK_BYTES + 8) {
		const uint8_t *start = block_read(next, block, numbers, &count, wide);

		next = start;
		block += BLOCK_BYTES;
		if (block - next >= NUMBER_BYTES) /* no number: let the careful loop find that out */
			break;
	}
	while (count < max && next < end && end - block < BLOCK_BYTES + 8) {
		uint64_t number;
		const uint8_t *after = number_read(next, end, &number);

		if (!after)
			break;
		number_store(numbers, count++, number, wide);
		next = after;
	}
	column->next = next;
	return count;
}

size_t leb_column_read_u64(struct leb_column *column, uint64_t *numbers, size_t max)
{
	return column_read(column, numbers, max, true);
}

size_t leb_column_read_u32(struct leb_column *column, uint32_t *numbers, size_t max)
{
	return column_read(column, numbers, max, false);
}

bool leb_column_next(struct leb_column *column, uint64_t *number)
{
	const uint8_t *after = number_read(column->next, column->end, number);

	if (after)
		column->next = after;
	return after;
}
