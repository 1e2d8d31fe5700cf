/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: a kernel file through everything that reads it. Built with CPROF_FUZZ_NO_CHECKSUMS. The file is written to /dev/shm. */
#include "fuzz_files.h"
#include "kernel_file.h"
#include "trace_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t touched; /* so that nothing is left out by the compiler */

static struct cprof_error *touch(void *context, const struct cprof_chunk_header *header, const void *record)
{
	(void)context;
	touched += header->kind + *(const uint8_t *)record;
	return NULL;
}

static void ask(struct kernel_file *file)
{
	const struct kernel_tables *tables = kernel_file_tables(file);

	for (size_t i = 0; i < tables->nr_processes; i++) {
		const struct cprof_kernel_process *process = &tables->processes[i];

		if (kernel_file_process(file, process->tgid, process->generation) == NULL || strlen(process->name) >= sizeof process->name)
			abort();
	}
	for (size_t i = 0; i < tables->nr_modules; i++) {
		const struct kernel_module *module = &tables->modules[i];

		kernel_file_module(file, module->tgid, module->generation, module->module.start);
		if (module->module.path_bytes > sizeof module->module.path)
			abort();
	}
	for (uint64_t key = 0; key < 16; key++) {
		const struct kernel_stack *stack = kernel_file_stack(file, key);
		const char *name = kernel_file_name(file, (struct cprof_file_id){ key + 1, (uint32_t)key, (uint32_t)key / 2 });

		for (uint32_t i = 0; stack && i < stack->nr_addresses; i++)
			touched += stack->addresses[i] + (kernel_file_symbol(file, stack->addresses[i]) != NULL);
		touched += name ? strlen(name) : 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *path;
	struct trace_report *report;
	struct kernel_file *file;
	struct session *session;

	if (!path)
		path = fuzz_path("t.bpf.lz4");
	fuzz_put_file(path, data, size);
	struct cprof_error *error = kernel_file_open(path, &file);

	if (!error) {
		ask(file);
		for (uint16_t kind = 0; kind < 64; kind++)
			cprof_error_free(kernel_file_each(file, kind, touch, NULL));
		kernel_file_close(file);
	}
	cprof_error_free(error);
	error = session_open(&path, 1, &session);
	if (!error)
		session_destroy(session);
	cprof_error_free(error);
	error = kernel_check(path, &report);
	if (!error)
		trace_report_destroy(report);
	cprof_error_free(error);
	return 0;
}
