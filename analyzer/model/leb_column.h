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

struct leb_column {
	const uint8_t *next, *end;
};

enum { LEB_COLUMN_MIN_ITEMS = 64 }; /* room that leb_column_read() needs to be sure to make progress */

/*
 * Decodes up to max (at least LEB_COLUMN_MIN_ITEMS) numbers and returns how many; 0 at the end of the column, or where what follows is no number:
 * then next != end. A number of more than 64 bits is none.
 */
size_t leb_column_read_u64(struct leb_column *column, uint64_t *numbers, size_t max);
/* The same for numbers below 2^32; larger ones become UINT32_MAX. */
size_t leb_column_read_u32(struct leb_column *column, uint32_t *numbers, size_t max);
/* A single number. False: the column's end, or no number; nothing has moved. */
bool leb_column_next(struct leb_column *column, uint64_t *number);

#endif
