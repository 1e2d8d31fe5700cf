/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the seeds of session_fuzz into a folder: a trace with its kernel half, by slots and by time. */
#include "fuzz_files.h"
#include "kernel_builder.h"

enum { PID = 50, TID = 51, GENERATION = 1 };

static const uint8_t session_id[16] = { 1 };

static struct trace_builder *make_trace(bool slots)
{
	struct trace_builder_options options = { .pid = PID, .generation = GENERATION };
	struct trace_builder *trace;

	memcpy(options.session, session_id, sizeof session_id);
	trace = trace_builder_create(&options);
	trace_builder_module(trace, "/nowhere/app", 0x555555554000);
	uint32_t top = trace_builder_context(trace, 0, 0x1000, 0x500), work = trace_builder_context(trace, top, 0x2000, 0x1010);
	uint32_t again = trace_builder_edge(trace, work, top, 0x2010);
	uint64_t ticks = 2000;

	trace_builder_enter(trace, 0, ticks, top);
	for (int i = 0; i < 4; i++) {
		trace_builder_enter(trace, 0, ticks += 100, work);
		if (slots) {
			trace_builder_escape(trace, 0, CPROF_ESCAPE_SCHED, (uint64_t)(i + 1));
			trace_builder_escape(trace, 0, CPROF_ESCAPE_SCHED, (uint64_t)CPROF_SCHED_BLOCKED << CPROF_SCHED_VALUE_BITS | (uint64_t)(i + 1) * 40);
		}
		trace_builder_enter(trace, 0, ticks += 100, again);
		trace_builder_cut(trace, 0);
		trace_builder_exit(trace, 0, ticks += 100);
		trace_builder_exit(trace, 0, ticks += 100);
	}
	trace_builder_exit(trace, 0, ticks += 500);
	struct cprof_thread *thread = trace_builder_thread_record(trace, 0);

	thread->tid = TID;
	thread->start_tsc = 2000;
	thread->kernel_tgid = slots ? PID : 0;
	thread->kernel_tid = slots ? TID : 0;
	trace_builder_end(trace);
	return trace;
}

/* Beside perf events: calls of libc's functions, of the trace's image and of one without a trace. */
static void add_calls(struct kernel_builder *kernel)
{
	const struct cprof_kernel_source source = { .name = "io", .on = CPROF_SOURCE_CALLS };
	const struct cprof_kernel_process stranger = { .tgid = PID, .pid = PID, .generation = CPROF_GENERATION_CALLS, .flags = CPROF_KERNEL_PROCESS_CALLS, .name = "sh" };
	struct cprof_kernel_sum sum = { .key = { .who = { .tgid = PID, .context = 2, .generation = GENERATION, .quality = CPROF_QUALITY_TLS }, .kind = CPROF_SUM_SYSCALL, .object = 9, .device = 1 },
					.value = { .count = 2, .ns = 30, .bytes = 7 } };

	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_SOURCES, &source, sizeof source);
	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_PROCESSES, &stranger, sizeof stranger);
	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_SUMS, &sum, sizeof sum);
	sum.key.who = (struct cprof_who){ .tgid = PID, .generation = CPROF_GENERATION_CALLS, .quality = CPROF_QUALITY_NO_RUNTIME };
	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_SUMS, &sum, sizeof sum);
	kernel_builder_file(kernel, (struct cprof_file_id){ 9, 1, 0 }, "/tmp/file");
}

static struct kernel_builder *make_kernel(bool slots)
{
	const struct cprof_who who = { .tgid = PID, .tid = TID, .context = slots ? 2 : 0, .generation = slots ? GENERATION : 0x8000,
				       .quality = slots ? CPROF_QUALITY_SLOT : CPROF_QUALITY_TIMED };
	const struct cprof_kernel_process process = { .tgid = PID, .pid = PID, .generation = who.generation,
						      .flags = slots ? CPROF_KERNEL_PROCESS_RUNTIME : CPROF_KERNEL_PROCESS_TIMED, .name = "app" };
	const struct cprof_kernel_thread thread = { .tgid = PID, .tid = TID, .on_cpu_ns = 1000, .generation = who.generation, .name = "app" };
	const uint64_t addresses[] = { 0x555555556100, 0x555555555010 };
	struct kernel_builder *kernel = kernel_builder_create(session_id);

	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_THREADS, &thread, sizeof thread);
	kernel_builder_module(kernel, PID, who.generation, "/nowhere/app", 0x555555555000, 0x555555557000, 0x555555554000);
	kernel_builder_stack(kernel, 1, false, addresses, 2);
	kernel_builder_source(kernel, "cpu", true, 99, "");
	kernel_builder_source(kernel, "off-cpu", true, 0, "");
	kernel_builder_source(kernel, "faults", true, 0, "");
	if (!slots)
		add_calls(kernel);
	for (uint64_t i = 0; i < 4; i++) {
		const struct cprof_kernel_sample sample = { .time_ns = trace_builder_ns(2150 + 400 * i), .who = who, .ip = 0x555555556100, .user_stack = 1, .period_ns = 100 };
		const struct cprof_kernel_off_cpu off = { .time_ns = trace_builder_ns(2220 + 400 * i), .who = who, .blocked_ns = 40 };
		const struct cprof_kernel_fault fault = { trace_builder_ns(2310 + 400 * i), PID, TID };
		const struct cprof_kernel_sum sum = { .key = { .who = who, .kind = (uint32_t)i + 1 }, .value = { .count = 1, .ns = 3, .bytes = 7 } };

		kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);
		kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_OFF_CPU, &off, sizeof off);
		if (slots)
			kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_SUMS, &sum, sizeof sum);
		else
			kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_FAULTS, &fault, sizeof fault);
	}
	kernel_builder_end(kernel, &(struct cprof_kernel_end){ .start_ns = trace_builder_ns(1000), .end_ns = trace_builder_ns(9000) });
	return kernel;
}

static void save(const char *folder, const char *name, bool slots)
{
	struct trace_builder *trace = make_trace(slots);
	struct kernel_builder *kernel = make_kernel(slots);
	size_t trace_bytes, kernel_bytes;
	const uint8_t *of_trace = trace_builder_bytes(trace, &trace_bytes), *of_kernel = kernel_builder_bytes(kernel, &kernel_bytes);

	fuzz_put_pair(folder, name, of_trace, trace_bytes, of_kernel, kernel_bytes);
	trace_builder_destroy(trace);
	kernel_builder_destroy(kernel);
}

int main(int nr_arguments, char **arguments)
{
	if (nr_arguments != 2) {
		fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
		return 2;
	}
	save(arguments[1], "session_slots", true);
	save(arguments[1], "session_timed", false);
	return 0;
}
