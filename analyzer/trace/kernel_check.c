/* SPDX-License-Identifier: BSD-2-Clause */
/* Verifies a kernel file: every chunk is read, and every loss that the recorder counted is said. See trace_check.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "kernel_internal.h"
#include "trace_check.h"
#include "trace_internal.h"

static struct cprof_error *report_fill(struct kernel_file *file, struct trace_report *report)
{
	const struct kernel_tables *tables = kernel_file_tables(file);
	struct cprof_error *error = kernel_file_check(file, &report->records);

	report->chunks = kernel_file_nr_chunks(file);
	for (size_t i = 0; i < tables->nr_counters && !error; i++)
		if (tables->counters[i].is_loss && tables->counters[i].value)
			error = problems_add(kernel_file_problems(file), PROBLEM_OF_TRACE(FINDING_LOSS), "%" PRIu64 " %s", tables->counters[i].value,
					     tables->counters[i].name);
	return error ? error : trace_report_take(report, kernel_file_problems(file));
}

struct cprof_error *kernel_check(const char *path, struct trace_report **ret)
{
	struct trace_report *report = calloc(1, sizeof *report);
	struct kernel_file *file = NULL;
	struct cprof_error *error = report ? kernel_file_open(path, &file) : &cprof_enomem;

	if (!error)
		error = report_fill(file, report);
	kernel_file_close(file);
	if (error)
		trace_report_destroy(report);
	else
		*ret = report;
	return error;
}
