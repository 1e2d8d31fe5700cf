/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel_symbols.h. */
#include "kernel_symbols.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernel_format.h"
#include "kernel_names.h"

static int compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

static size_t unique(uint64_t *addresses, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(addresses, count, sizeof *addresses, compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || addresses[kept - 1] != addresses[i])
			addresses[kept++] = addresses[i];
	return kept;
}

/* When the array is full, what is there twice goes first. */
void kernel_symbols_note(struct kernel_symbols *symbols, uint64_t address)
{
	if (symbols->count == symbols->capacity) {
		symbols->count = unique(symbols->addresses, symbols->count);
		if (symbols->count >= symbols->capacity / 2 &&
		    !vec_reserve(&symbols->addresses, &symbols->capacity, symbols->capacity ? symbols->capacity * 2 : 4096,
				 sizeof *symbols->addresses))
			return; /* stays without a name */
	}
	symbols->addresses[symbols->count++] = address;
}

void kernel_symbols_deinit(struct kernel_symbols *symbols)
{
	free(symbols->addresses);
	*symbols = (struct kernel_symbols) { NULL, 0, 0 };
}

struct cprof_error *kernel_symbols_write(struct kernel_symbols *symbols, struct kernel_writer *writer, uint64_t *unnamed)
{
	struct kernel_names names = { .items = NULL };
	struct cprof_error *error;

	*unnamed = 0;
	symbols->count = unique(symbols->addresses, symbols->count);
	if (!symbols->count)
		return NULL;
	error = kernel_names_read(&names);
	for (size_t i = 0; !error && i < symbols->count; i++) {
		struct cprof_kernel_symbol symbol = { .address = symbols->addresses[i] };
		const char *name = kernel_names_find(&names, symbol.address, &symbol.start);

		if (!name) {
			++*unnamed;
			continue;
		}
		snprintf(symbol.name, sizeof symbol.name, "%s", name);
		kernel_writer_add(writer, CPROF_CHUNK_KERNEL_SYMBOLS, &symbol, sizeof symbol);
	}
	kernel_names_deinit(&names);
	return error;
}
