/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_table.h. Linear probing; at most half of the slots are in use. */
#include "live_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "vec.h"

enum { SLOTS_MIN = 64 };

void live_table_deinit(struct live_table *table)
{
	free(table->items);
	free(table->slots);
	*table = (struct live_table){ .key_bytes = table->key_bytes, .item_bytes = table->item_bytes, .limit = table->limit };
}

/* The slot of the key, or the free one where it would be. */
static size_t slot_of(const struct live_table *table, const void *key)
{
	size_t slot = XXH64(key, table->key_bytes, 0) & (table->nr_slots - 1);

	while (table->slots[slot] && memcmp(live_table_at(table, table->slots[slot] - 1), key, table->key_bytes) != 0)
		slot = (slot + 1) & (table->nr_slots - 1);
	return slot;
}

void *live_table_find(const struct live_table *table, const void *key)
{
	if (!table->nr_slots)
		return NULL;
	uint32_t found = table->slots[slot_of(table, key)];

	return found ? live_table_at(table, found - 1) : NULL;
}

static bool grow_slots(struct live_table *table)
{
	size_t nr_slots = table->nr_slots ? table->nr_slots * 2 : SLOTS_MIN;
	uint32_t *slots = calloc(nr_slots, sizeof *slots), *old = table->slots;

	if (!slots)
		return false;
	table->slots = slots;
	table->nr_slots = nr_slots;
	for (size_t i = 0; i < table->count; i++)
		slots[slot_of(table, live_table_at(table, i))] = (uint32_t)i + 1;
	free(old);
	return true;
}

void *live_table_put(struct live_table *table, const void *key)
{
	void *item = live_table_find(table, key);

	if (item)
		return item;
	if (table->count >= table->limit || (table->nr_slots < 2 * (table->count + 1) && !grow_slots(table)) ||
	    !vec_reserve(&table->items, &table->capacity, table->count + 1, table->item_bytes))
		return NULL;
	table->slots[slot_of(table, key)] = (uint32_t)table->count + 1;
	item = live_table_at(table, table->count++);
	memset(item, 0, table->item_bytes);
	memcpy(item, key, table->key_bytes);
	return item;
}
