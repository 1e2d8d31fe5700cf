/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of items found by their first key_bytes bytes. Bounded: what the live view keeps must not grow with what strangers do.
 *
 * Items lie in one array, in order of arrival, and move when it grows: a pointer is good until the next live_table_put().
 */
#ifndef CPROF_LIVE_TABLE_H
#define CPROF_LIVE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct live_table {
	uint8_t *items;
	uint32_t *slots;            /* index in items + 1; 0: free */
	size_t key_bytes, item_bytes, limit;
	size_t count, capacity, nr_slots;
};

#define LIVE_TABLE(key_type, item_type, most) { .key_bytes = sizeof(key_type), .item_bytes = sizeof(item_type), .limit = (most) }

void live_table_deinit(struct live_table *table); /* empty afterwards, and usable */
void *live_table_find(const struct live_table *table, const void *key); /* NULL: not there. The key has no undefined bytes */
/* Finds it or makes it, zeroed but for the key. NULL: the table is full, or there is no memory. */
void *live_table_put(struct live_table *table, const void *key);

static inline void *live_table_at(const struct live_table *table, size_t index)
{
	return table->items + index * table->item_bytes;
}

#endif
