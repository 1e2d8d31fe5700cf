/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel_cover.h. */
#include "kernel_cover.h"

#include "kernel_file.h"
#include "kernel_ticks.h"

enum { NS_PER_S = 1000000000 };

static bool is_timed(const struct trace_kernel *kernel)
{
	const struct kernel_tables *tables = kernel_file_tables(kernel->file);

	for (size_t i = 0; i < tables->nr_processes; i++)
		if (tables->processes[i].tgid == kernel->tgid && tables->processes[i].flags & CPROF_KERNEL_PROCESS_TIMED)
			return true;
	return false;
}

/* When the process, or the recording of it, began. */
static uint64_t first_seen_ns(const struct trace_kernel *kernel)
{
	const struct kernel_tables *tables = kernel_file_tables(kernel->file);
	uint64_t first_ns = UINT64_MAX;

	for (size_t i = 0; i < tables->nr_processes; i++)
		if (tables->processes[i].tgid == kernel->tgid && !(tables->processes[i].flags & CPROF_KERNEL_PROCESS_CALLS) &&
		    tables->processes[i].start_ns < first_ns)
			first_ns = tables->processes[i].start_ns;
	return first_ns == UINT64_MAX ? 0 : first_ns;
}

/*
 * The recorder's own word, its last sign of life, or its file's end. It gives a sign every 100 ms, later when the machine is busy; one whose file has no end was
 * killed, or is at work.
 */
static uint64_t stop_ns(const struct cprof_sched *sched, const struct kernel_file *file, uint64_t end_ns)
{
	uint64_t silence_ns = file && !kernel_file_tables(file)->end ? NS_PER_S / 5 : NS_PER_S;

	if (sched && sched->stopped_ns)
		return sched->stopped_ns;
	if (sched && sched->heartbeat_ns && end_ns > sched->heartbeat_ns && end_ns - sched->heartbeat_ns > silence_ns)
		return sched->heartbeat_ns;
	if (!sched && file)
		return kernel_file_tables(file)->end ? kernel_file_tables(file)->end->end_ns : kernel_file_state(file)->end_tsc;
	return UINT64_MAX;
}

struct kernel_cover kernel_cover_of(const struct session *session, size_t index)
{
	const struct trace *trace = session_trace(session, index);
	const struct trace_tables *tables = trace_tables(trace);
	struct trace_kernel kernel = session_trace_kernel(session, index);
	struct kernel_cover cover = { .to_ns = stop_ns(tables->sched, kernel.file, kernel_ns(trace, trace_state(trace)->end_tsc)) };

	if (!kernel.file || !kernel.tgid)
		return cover;
	cover.timed = is_timed(&kernel);
	if (!tables->sched && kernel_file_tables(kernel.file)->end)
		cover.from_ns = kernel_file_tables(kernel.file)->end->start_ns;
	else if (cover.timed)
		cover.from_ns = first_seen_ns(&kernel);
	return cover;
}
