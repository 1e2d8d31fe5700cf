/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strings to numbers: a hash table with chains. It grows when it is told to, so a table that is made small and never told
 * stays small.
 */
#ifndef DICT_H
#define DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

struct dict_entry {
	struct dict_entry *next;
	const char *key;
	uint32_t key_bytes;
	uint32_t value; /* numbers from 0 in order of arrival */
	uint64_t hash;
};

struct dict {
	struct arena *arena; /* of keys and entries; not owned */
	struct dict_entry **buckets;
	size_t nr_buckets, nr_entries;
	bool grows;
};

void dict_init(struct dict *dict, struct arena *arena, size_t nr_buckets, bool grows);
void dict_deinit(struct dict *dict);

struct dict_entry *dict_find(const struct dict *dict, const char *key, size_t key_bytes);
/* The entry of the key, made when it is new. */
struct dict_entry *dict_intern(struct dict *dict, const char *key, size_t key_bytes);
/* All entries in order of arrival; the caller frees. */
struct dict_entry **dict_entries(const struct dict *dict);

#endif
