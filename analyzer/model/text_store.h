/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lives as long as a profile: its nodes, and its strings, each kept once. Freed all at once.
 */
#ifndef CPROF_TEXT_STORE_H
#define CPROF_TEXT_STORE_H

#include <stddef.h>

#include "error.h"
#include "number_map.h"

struct text_store { /* zero-initialised is empty */
	struct text_store_block *blocks;
	size_t used_bytes, block_bytes; /* of the newest block */
	struct number_map texts;
	const char **text_of;
	size_t nr_texts, texts_capacity;
};

void text_store_deinit(struct text_store *store);
/* Zeroed memory, aligned for any type, until the store is freed; NULL: no memory. */
void *text_store_alloc(struct text_store *store, size_t bytes);
/* Equal texts give equal pointers. Texts of equal 128-bit hash are taken for equal. */
struct cprof_error *text_store_add(struct text_store *store, const char *text, const char **ret) CPROF_MUST_CHECK;

#endif
