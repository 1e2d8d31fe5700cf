/* SPDX-License-Identifier: BSD-2-Clause */
/* Hash table with chains; FNV-1a. */
#include "dict.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_bytes(const char *key, size_t key_bytes)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < key_bytes; i++)
		hash = (hash ^ (unsigned char)key[i]) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

void dict_init(struct dict *dict, struct arena *arena, size_t nr_buckets, bool grows)
{
	*dict = (struct dict){
		.arena = arena,
		.buckets = must_alloc(nr_buckets * sizeof(*dict->buckets)),
		.nr_buckets = nr_buckets,
		.grows = grows,
	};
}

void dict_deinit(struct dict *dict)
{
	free(dict->buckets);
	dict->buckets = NULL;
}

static struct dict_entry *chain_find(struct dict_entry *entry, const char *key, size_t key_bytes)
{
	while (entry && (entry->key_bytes != key_bytes || memcmp(entry->key, key, key_bytes)))
		entry = entry->next;
	return entry;
}

struct dict_entry *dict_find(const struct dict *dict, const char *key, size_t key_bytes)
{
	return chain_find(dict->buckets[hash_bytes(key, key_bytes) % dict->nr_buckets], key, key_bytes);
}

static void dict_resize(struct dict *dict, size_t nr_buckets)
{
	struct dict_entry **buckets = must_alloc(nr_buckets * sizeof(*buckets));

	for (size_t i = 0; i < dict->nr_buckets; i++) {
		while (dict->buckets[i]) {
			struct dict_entry *entry = dict->buckets[i];

			dict->buckets[i] = entry->next;
			entry->next = buckets[entry->hash % nr_buckets];
			buckets[entry->hash % nr_buckets] = entry;
		}
	}
	free(dict->buckets);
	dict->buckets = buckets;
	dict->nr_buckets = nr_buckets;
}

struct dict_entry *dict_intern(struct dict *dict, const char *key, size_t key_bytes)
{
	struct dict_entry *entry = dict_find(dict, key, key_bytes);
	size_t bucket;

	if (entry)
		return entry;
	if (dict->grows && dict->nr_entries >= dict->nr_buckets)
		dict_resize(dict, dict->nr_buckets * 2);

	entry = arena_alloc(dict->arena, sizeof(*entry));
	entry->key = arena_copy(dict->arena, key, key_bytes);
	entry->key_bytes = (uint32_t)key_bytes;
	entry->hash = hash_bytes(key, key_bytes);
	entry->value = (uint32_t)dict->nr_entries++;
	bucket = entry->hash % dict->nr_buckets;
	entry->next = dict->buckets[bucket];
	dict->buckets[bucket] = entry;
	return entry;
}

struct dict_entry **dict_entries(const struct dict *dict)
{
	struct dict_entry **entries = must_alloc((dict->nr_entries + 1) * sizeof(*entries));

	for (size_t i = 0; i < dict->nr_buckets; i++) {
		for (struct dict_entry *entry = dict->buckets[i]; entry; entry = entry->next)
			entries[entry->value] = entry;
	}
	return entries;
}
