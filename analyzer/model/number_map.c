/* SPDX-License-Identifier: BSD-2-Clause */
#include "number_map.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct number_map_entry {
	struct number_key key;
	uint32_t value;
	uint32_t used;
};

static uint64_t seed_make(void)
{
	uint64_t seed;

	return getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed ? seed : (uint64_t)time(NULL);
}

/* The entry of key, or the free one where it belongs. capacity is a power of two and never full. */
static struct number_map_entry *entry_of(const struct number_map *map, struct number_key key)
{
	size_t mask = map->capacity - 1;

	for (size_t i = XXH3_64bits_withSeed(&key, sizeof key, map->seed) & mask;; i = (i + 1) & mask) {
		struct number_map_entry *entry = &map->entries[i];

		if (!entry->used || (entry->key.a == key.a && entry->key.b == key.b && entry->key.c == key.c))
			return entry;
	}
}

uint32_t number_map_find(const struct number_map *map, struct number_key key)
{
	if (!map->count)
		return NUMBER_MAP_NONE;

	const struct number_map_entry *entry = entry_of(map, key);
	return entry->used ? entry->value : NUMBER_MAP_NONE;
}

static struct cprof_error *map_grow(struct number_map *map, size_t capacity)
{
	struct number_map grown = { .count = map->count, .capacity = capacity, .seed = map->capacity ? map->seed : seed_make() };

	grown.entries = calloc(grown.capacity, sizeof *grown.entries);
	if (!grown.entries)
		return &cprof_enomem;
	for (size_t i = 0; i < map->capacity; i++)
		if (map->entries[i].used)
			*entry_of(&grown, map->entries[i].key) = map->entries[i];
	free(map->entries);
	*map = grown;
	return NULL;
}

struct cprof_error *number_map_add(struct number_map *map, struct number_key key, uint32_t value)
{
	if (map->count >= map->capacity / 4 * 3) {
		struct cprof_error *error = map_grow(map, map->capacity ? map->capacity * 2 : 64);

		if (error)
			return error;
	}
	*entry_of(map, key) = (struct number_map_entry){ key, value, 1 };
	map->count++;
	return NULL;
}

struct cprof_error *number_map_reserve(struct number_map *map, size_t count)
{
	size_t capacity = map->capacity ? map->capacity : 64;

	while (capacity / 4 * 3 <= count)
		capacity *= 2;
	return capacity > map->capacity ? map_grow(map, capacity) : NULL;
}

void number_map_deinit(struct number_map *map)
{
	free(map->entries);
	*map = (struct number_map){ 0 };
}
