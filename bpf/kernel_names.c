/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel_names.h. */
#include "kernel_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"

static int compare(const void *a, const void *b)
{
	const struct kernel_name *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void kernel_names_deinit(struct kernel_names *names)
{
	free(names->items);
	bytes_deinit(&names->texts);
}

struct cprof_error *kernel_names_read(struct kernel_names *names)
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

		if (sscanf(line, "%" SCNx64 " %c %255s", &address, &type, name) != 3 || !address ||
		    (type != 't' && type != 'T' && type != 'w' && type != 'W'))
			continue;
		if (!vec_reserve(&names->items, &names->capacity, names->count + 1, sizeof *names->items)) {
			error = &cprof_enomem;
			break;
		}
		names->items[names->count++] = (struct kernel_name){ address, names->texts.used };
		if (!bytes_add(&names->texts, name, strlen(name) + 1))
			error = &cprof_enomem;
	}
	fclose(file);
	if (!error)
		qsort(names->items, names->count, sizeof *names->items, compare);
	return error;
}

const char *kernel_names_find(const struct kernel_names *names, uint64_t address, uint64_t *start)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->items[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - names->items[low - 1].start > KERNEL_FUNCTION_MAX_BYTES)
		return NULL;
	*start = names->items[low - 1].start;
	return (const char *)names->texts.data + names->items[low - 1].text;
}
