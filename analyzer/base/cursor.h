/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounds-checked reading of bytes that nobody trusts.
 *
 * Every function returns false, and leaves position and output as they were, when what is asked for is not there. Nothing here allocates or
 * reports: the caller knows what the bytes were meant to be. Inline because event columns are read with it, one byte at a time.
 */
#ifndef CPROF_CURSOR_H
#define CPROF_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *position, *end;
};

static inline struct cursor cursor_make(const void *data, size_t bytes)
{
	static const uint8_t nothing; /* nobody may add 0 to a null pointer */
	const uint8_t *start = data ? data : &nothing;

	return (struct cursor){ start, bytes ? start + bytes : start };
}

static inline size_t cursor_left(const struct cursor *cursor)
{
	return (size_t)(cursor->end - cursor->position);
}

/* *ret points into the cursor's own bytes. */
static inline bool cursor_bytes(struct cursor *cursor, uint64_t bytes, const uint8_t **ret)
{
	if (bytes > cursor_left(cursor))
		return false;
	*ret = cursor->position;
	cursor->position += bytes;
	return true;
}

static inline bool cursor_copy(struct cursor *cursor, void *ret, size_t bytes)
{
	const uint8_t *from;

	if (!cursor_bytes(cursor, bytes, &from))
		return false;
	memcpy(ret, from, bytes);
	return true;
}

static inline bool cursor_u32(struct cursor *cursor, uint32_t *ret)
{
	return cursor_copy(cursor, ret, sizeof *ret);
}

static inline bool cursor_u64(struct cursor *cursor, uint64_t *ret)
{
	return cursor_copy(cursor, ret, sizeof *ret);
}

/* Up to the next NUL, which is skipped. */
static inline bool cursor_string(struct cursor *cursor, const char **ret)
{
	size_t left = cursor_left(cursor);
	const uint8_t *nul = left ? memchr(cursor->position, 0, left) : NULL;

	if (!nul)
		return false;
	*ret = (const char *)cursor->position;
	cursor->position = nul + 1;
	return true;
}

/* Unsigned LEB128 of at most 10 bytes; false too when the value does not fit into 64 bits. */
static inline bool cursor_leb128(struct cursor *cursor, uint64_t *ret)
{
	const uint8_t *at = cursor->position;
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 70; shift += 7) {
		if (at == cursor->end)
			return false;
		uint8_t byte = *at++;

		if (shift == 63 && byte > 1)
			return false;
		value |= (uint64_t)(byte & 0x7F) << shift;
		if (!(byte & 0x80)) {
			cursor->position = at;
			*ret = value;
			return true;
		}
	}
	return false;
}

#endif
