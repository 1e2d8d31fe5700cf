/* SPDX-License-Identifier: BSD-2-Clause */
/* A sweep over the ranges in order of their start; a heap holds those open at the sweep's position, latest added on top. */
#include "range_map.h"

#include <stdlib.h>

struct range {
	uint64_t low, high; /* high is the first address behind it */
	uint32_t value;
	uint32_t order; /* of being added */
};

struct range_piece { /* up to the next piece's start */
	uint64_t start;
	uint32_t value;
};

struct cprof_error *range_list_add(struct range_list *list, uint64_t low, uint64_t high, uint32_t value)
{
	if (high <= low)
		return NULL;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;

		if (capacity > UINT32_MAX)
			return cprof_error_create(CPROF_ERROR_FORMAT, "too many address ranges");
		struct range *ranges = realloc(list->ranges, capacity * sizeof *ranges);
		if (!ranges)
			return &cprof_enomem;
		list->ranges = ranges;
		list->capacity = capacity;
	}
	list->ranges[list->count] = (struct range) { low, high, value, (uint32_t)list->count };
	list->count++;
	return NULL;
}

void range_list_deinit(struct range_list *list)
{
	free(list->ranges);
	*list = (struct range_list) { 0 };
}

static int range_compare(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/* A heap of pointers into the list, the highest order on top. */
static void heap_push(const struct range **heap, size_t *count, const struct range *range)
{
	size_t at = (*count)++;

	for (; at && heap[(at - 1) / 2]->order < range->order; at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = range;
}

static void heap_pop(const struct range **heap, size_t *count)
{
	const struct range *last = heap[--*count];
	size_t at = 0;

	for (size_t child; (child = 2 * at + 1) < *count; at = child) {
		if (child + 1 < *count && heap[child + 1]->order > heap[child]->order)
			child++;
		if (heap[child]->order < last->order)
			break;
		heap[at] = heap[child];
	}
	heap[at] = last;
}

static size_t range_sweep(const struct range_list *list, const struct range **heap, struct range_piece *pieces)
{
	size_t next = 0, nr_open = 0, nr_pieces = 0;
	uint64_t position = 0;

	while (next < list->count || nr_open) {
		if (!nr_open)
			position = list->ranges[next].low;
		while (next < list->count && list->ranges[next].low <= position)
			heap_push(heap, &nr_open, &list->ranges[next++]);
		while (nr_open && heap[0]->high <= position)
			heap_pop(heap, &nr_open);

		uint32_t value = nr_open ? heap[0]->value : RANGE_NONE;
		if (!nr_pieces || pieces[nr_pieces - 1].value != value)
			pieces[nr_pieces++] = (struct range_piece) { position, value };
		if (nr_open)
			position = heap[0]->high;
		if (next < list->count && list->ranges[next].low < position)
			position = list->ranges[next].low;
	}
	return nr_pieces;
}

struct cprof_error *range_map_init(struct range_map *map, struct range_list *list)
{
	const struct range **heap = malloc((list->count + 1) * sizeof *heap);
	/* Each range begins one piece and ends one. */
	struct range_piece *pieces = malloc((2 * list->count + 1) * sizeof *pieces);

	if (!heap || !pieces) {
		free(heap);
		free(pieces);
		return &cprof_enomem;
	}
	if (list->count)
		qsort(list->ranges, list->count, sizeof *list->ranges, range_compare);
	size_t count = range_sweep(list, heap, pieces);
	free(heap);
	struct range_piece *shrunk = realloc(pieces, (count + 1) * sizeof *pieces);
	*map = (struct range_map) { shrunk ? shrunk : pieces, count };
	return NULL;
}

void range_map_deinit(struct range_map *map)
{
	free(map->pieces);
	*map = (struct range_map) { 0 };
}

uint32_t range_map_find(const struct range_map *map, uint64_t address)
{
	size_t low = 0, high = map->count;

	while (low < high) { /* the first piece that starts behind address */
		size_t middle = low + (high - low) / 2;

		if (map->pieces[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? map->pieces[low - 1].value : RANGE_NONE;
}
