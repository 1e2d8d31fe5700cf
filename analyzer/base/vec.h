/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Room for one more item in an array that grows.
 *
 * The array is three fields of its owner (items, number, capacity) and freed with free(). No types, no macros: vec_reserve() is all there is.
 */
#ifndef CPROF_VEC_H
#define CPROF_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "huge_alloc.h"

/* *items (a pointer of any object type) has room for needed items afterwards; false, and everything as it was, when there is no memory. */
static inline bool vec_reserve(void *items, size_t *capacity, size_t needed, size_t item_bytes)
{
	size_t room = *capacity < 8 ? 8 : *capacity;
	void *old, *grown;

	if (needed <= *capacity)
		return true;
	if (needed > SIZE_MAX / 2 / item_bytes)
		return false;
	while (room < needed)
		room *= 2;
	memcpy(&old, items, sizeof old);
	grown = realloc(old, room * item_bytes);
	if (!grown)
		return false;
	huge_advise(grown, room * item_bytes);
	memcpy(items, &grown, sizeof grown);
	*capacity = room;
	return true;
}

#endif
