/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_list FILE.bpf.lz4: the allocations of the kernel half for tests, a line for each sum: "alloc|free count bytes quality context address address", the
 * addresses being the two innermost of its stack in hexadecimal (0: none).
 */
#include <inttypes.h>
#include <stdio.h>

#include "kernel_file.h"

static struct cprof_error *put(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct cprof_kernel_sum *sum = record;
	const struct kernel_stack *stack = kernel_file_stack(context, sum->key.stack);

	(void)header;
	if (sum->key.kind == CPROF_SUM_ALLOC || sum->key.kind == CPROF_SUM_FREE)
		printf("%s %" PRIu64 " %" PRIu64 " %u %u %" PRIx64 " %" PRIx64 "\n", sum->key.kind == CPROF_SUM_ALLOC ? "alloc" : "free",
		       sum->value.count, sum->value.bytes, sum->key.who.quality, sum->key.who.context,
		       stack && stack->nr_addresses ? stack->addresses[0] : 0, stack && stack->nr_addresses > 1 ? stack->addresses[1] : 0);
	return NULL;
}

int main(int argc, char **argv)
{
	struct kernel_file *file;
	struct cprof_error *error = kernel_file_open(argc == 2 ? argv[1] : "trace.bpf.lz4", &file);

	if (!error) {
		error = kernel_file_each(file, CPROF_CHUNK_KERNEL_SUMS, put, file);
		kernel_file_close(file);
	}
	if (error)
		fprintf(stderr, "memory_list: %s\n", error->message);
	return error != NULL;
}
