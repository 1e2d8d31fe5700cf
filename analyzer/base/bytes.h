/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing buffer to which bytes and LEB128 numbers are added. Freed with bytes_deinit(); bytes_clear() keeps the memory.
 */
#ifndef CPROF_BYTES_H
#define CPROF_BYTES_H

#include "vec.h"

struct bytes {
	uint8_t *data;
	size_t used, capacity;
};

static inline void bytes_deinit(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ NULL, 0, 0 };
}

static inline void bytes_clear(struct bytes *bytes)
{
	bytes->used = 0;
}

/* data NULL: nr_bytes zeros. */
static inline bool bytes_add(struct bytes *bytes, const void *data, size_t nr_bytes)
{
	if (nr_bytes > SIZE_MAX - bytes->used || !vec_reserve(&bytes->data, &bytes->capacity, bytes->used + nr_bytes, 1))
		return false;
	if (nr_bytes && data)
		memcpy(bytes->data + bytes->used, data, nr_bytes);
	else if (nr_bytes)
		memset(bytes->data + bytes->used, 0, nr_bytes);
	bytes->used += nr_bytes;
	return true;
}

static inline bool bytes_add_leb128(struct bytes *bytes, uint64_t value)
{
	uint8_t coded[10];
	size_t nr_bytes = 0;

	for (; value > 0x7F; value >>= 7)
		coded[nr_bytes++] = (uint8_t)(value | 0x80);
	coded[nr_bytes++] = (uint8_t)value;
	return bytes_add(bytes, coded, nr_bytes);
}

#endif
