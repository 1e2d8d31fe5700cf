/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel_symbols.h. */
#include "kernel_symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel_format.h"

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
		    !vec_reserve(&symbols->addresses, &symbols->capacity, symbols->capacity ? symbols->capacity * 2 : 4096, sizeof *symbols->addresses))
			return; /* stays without a name */
	}
	symbols->addresses[symbols->count++] = address;
}

void kernel_symbols_deinit(struct kernel_symbols *symbols)
{
	free(symbols->addresses);
	*symbols = (struct kernel_symbols){ NULL, 0, 0 };
}

struct name {
	uint64_t start;
	size_t text; /* in texts */
};

struct names {
	struct name *items;
	size_t count, capacity;
	struct bytes texts;
};

static void names_deinit(struct names *names)
{
	free(names->items);
	bytes_deinit(&names->texts);
}

static struct cprof_error *names_read(struct names *names)
{
	static const char path[] = "/proc/kallsyms";
	FILE *file = fopen(path, "re");
	struct cprof_error *error = NULL;
	char line[512];

	if (!file)
		return cprof_error_os(errno, path, "read");
	while (!error && fgets(line, sizeof line, file)) {
		uint64_t address;
		char type, name[256];

		if (sscanf(line, "%" SCNx64 " %c %255s", &address, &type, name) != 3 || !address || (type != 't' && type != 'T' && type != 'w' && type != 'W'))
			continue;
		if (!vec_reserve(&names->items, &names->capacity, names->count + 1, sizeof *names->items)) {
			error = &cprof_enomem;
			break;
		}
		names->items[names->count++] = (struct name){ address, names->texts.used };
		if (!bytes_add(&names->texts, name, strlen(name) + 1))
			error = &cprof_enomem;
	}
	fclose(file);
	if (!error)
		qsort(names->items, names->count, sizeof *names->items, compare); /* start comes first in struct name */
	return error;
}

/* The last one that begins at or before address. */
static const struct name *names_find(const struct names *names, uint64_t address)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &names->items[low - 1] : NULL;
}

struct cprof_error *kernel_symbols_write(struct kernel_symbols *symbols, struct kernel_writer *writer, uint64_t *unnamed)
{
	struct names names = { .items = NULL };
	struct cprof_error *error;

	*unnamed = 0;
	symbols->count = unique(symbols->addresses, symbols->count);
	if (!symbols->count)
		return NULL;
	error = names_read(&names);
	for (size_t i = 0; !error && i < symbols->count; i++) {
		const struct name *name = names_find(&names, symbols->addresses[i]);
		struct cprof_kernel_symbol symbol = { .address = symbols->addresses[i] };

		if (!name || symbol.address - name->start > 1 << 20) { /* no function is that long: it lies in what has no names */
			++*unnamed;
			continue;
		}
		symbol.start = name->start;
		snprintf(symbol.name, sizeof symbol.name, "%s", (const char *)names.texts.data + name->text);
		kernel_writer_add(writer, CPROF_CHUNK_KERNEL_SYMBOLS, &symbol, sizeof symbol);
	}
	names_deinit(&names);
	return error;
}
