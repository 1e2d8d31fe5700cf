/* SPDX-License-Identifier: BSD-2-Clause */
/* See sums_merge.h. */
#include "sums_merge.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "vec.h"

/* Where the key is, or where it has to go. */
static uint32_t *place_of(const struct sums_merge *merge, const struct cprof_kernel_sum_key *key)
{
	size_t at = (size_t)XXH64(key, sizeof *key, 0);

	for (;; at++) {
		uint32_t *place = &merge->places[at & (merge->nr_places - 1)];

		if (!*place || !memcmp(&merge->sums[*place - 1].key, key, sizeof *key))
			return place;
	}
}

static bool places_grow(struct sums_merge *merge)
{
	size_t nr_places = merge->nr_places ? merge->nr_places * 2 : 256;
	uint32_t *places = calloc(nr_places, sizeof *places);

	if (!places)
		return false;
	free(merge->places);
	merge->places = places;
	merge->nr_places = nr_places;
	for (size_t i = 0; i < merge->count; i++)
		*place_of(merge, &merge->sums[i].key) = (uint32_t)i + 1;
	return true;
}

bool sums_merge_add(struct sums_merge *merge, const struct cprof_kernel_sum *sum)
{
	if (merge->count * 2 >= merge->nr_places && !places_grow(merge))
		return false;
	uint32_t *place = place_of(merge, &sum->key);

	if (!*place) {
		if (!vec_reserve(&merge->sums, &merge->capacity, merge->count + 1, sizeof *merge->sums))
			return false;
		merge->sums[merge->count++] = *sum;
		*place = (uint32_t)merge->count;
		return true;
	}
	struct cprof_kernel_sum_value *value = &merge->sums[*place - 1].value;

	value->count += sum->value.count;
	value->ns += sum->value.ns;
	value->bytes += sum->value.bytes;
	if (value->max_ns < sum->value.max_ns)
		value->max_ns = sum->value.max_ns;
	for (size_t i = 0; i < CPROF_SUM_BUCKETS; i++)
		value->histogram[i] += sum->value.histogram[i];
	return true;
}

void sums_merge_clear(struct sums_merge *merge)
{
	if (merge->count)
		memset(merge->places, 0, merge->nr_places * sizeof *merge->places);
	merge->count = 0;
}

void sums_merge_deinit(struct sums_merge *merge)
{
	free(merge->sums);
	free(merge->places);
	*merge = (struct sums_merge){ .sums = NULL };
}
