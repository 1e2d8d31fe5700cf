/* SPDX-License-Identifier: BSD-2-Clause */
/* dump's lines for what cprof-record and the allocation interposer wrote: the kernel half's records, and the SCHED and ALLOC chunks of a trace. */
#ifndef CPROF_DUMP_KERNEL_H
#define CPROF_DUMP_KERNEL_H

#include "kernel_file.h"
#include "record_writer.h"
#include "text_style.h"

struct kernel_dump {
	FILE *out;
	const struct text_style *style;
	struct record_writer *record; /* NULL: text */
	uint64_t lines, limit;
};

void kernel_dump_trace(struct kernel_dump *dump, const struct trace_tables *tables);
/* with records: samples, intervals, sums and so on, of which there may be many; else what names them. */
struct cprof_error *kernel_dump_file(struct kernel_dump *dump, struct kernel_file *file, bool records) CPROF_MUST_CHECK;

#endif
