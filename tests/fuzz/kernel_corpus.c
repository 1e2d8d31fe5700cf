/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the seeds of kernel_file_fuzz into a folder. */
#include <stdio.h>
#include <string.h>

#include "kernel_builder.h"

static const uint8_t session_id[16] = { 1 };

static void save(struct kernel_builder *builder, const char *folder, const char *name)
{
	size_t nr_bytes;
	const uint8_t *bytes = kernel_builder_bytes(builder, &nr_bytes);
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	trace_builder_write_file(path, bytes, nr_bytes);
	kernel_builder_destroy(builder);
}

static struct kernel_builder *begin(void)
{
	const uint64_t addresses[] = { 0xffffffff81000010, 0x401010, 0x401020 };
	const struct cprof_who who = { .tgid = 50, .tid = 51, .context = 2, .quality = CPROF_QUALITY_SLOT };
	const struct cprof_kernel_process process = { .tgid = 50, .pid = 50, .flags = CPROF_KERNEL_PROCESS_RUNTIME, .name = "app" };
	const struct cprof_kernel_thread thread = { .tgid = 50, .tid = 51, .on_cpu_ns = 5, .name = "app" };
	const struct cprof_kernel_sample sample = { .who = who, .ip = 0x401010, .user_stack = 1, .kernel_stack = 2, .period_ns = 1 };
	const struct cprof_kernel_off_cpu off_cpu = { .who = who, .blocked_ns = 9, .waker = who, .kernel_stack = 2 };
	const struct cprof_kernel_sum sum = { .key = { .who = who, .kind = CPROF_SUM_SYSCALL }, .value = { .count = 1, .ns = 3 } };
	const struct cprof_kernel_lock lock = { .who = who, .holder = who };
	struct kernel_builder *builder = kernel_builder_create(session_id);

	kernel_builder_module(builder, 50, 0, "/bin/app", 0x401000, 0x402000, 0);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_THREADS, &thread, sizeof thread);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_OFF_CPU, &off_cpu, sizeof off_cpu);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SUMS, &sum, sizeof sum);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_LOCKS, &lock, sizeof lock);
	kernel_builder_stack(builder, 1, false, addresses + 1, 2);
	kernel_builder_stack(builder, 2, true, addresses, 1);
	kernel_builder_file(builder, (struct cprof_file_id){ 2, 1, 0 }, "/tmp/file");
	kernel_builder_file(builder, (struct cprof_file_id){ 3, 2, 0 }, "");
	kernel_builder_symbol(builder, 0xffffffff81000010, 0xffffffff81000000, "schedule");
	kernel_builder_source(builder, "cpu", true, 99, "");
	kernel_builder_loss(builder, "samples.lost", 1, true);
	return builder;
}

int main(int nr_arguments, char **arguments)
{
	struct kernel_builder *builder;

	if (nr_arguments != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
		return 2;
	}
	builder = begin();
	kernel_builder_end(builder, &(struct cprof_kernel_end){ .end_ns = 1 });
	save(builder, arguments[1], "kernel");
	builder = begin();
	kernel_builder_cut(builder);
	trace_builder_raw(kernel_builder_trace(builder), "rubbish", 7);
	save(builder, arguments[1], "kernel_cut");
	return 0;
}
