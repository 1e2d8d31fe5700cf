/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logstat: statistics of a web server's log. cprof's example: of a realistic size, always the same, and with one slow place
 * (session.c says which). Usage: logstat [LINES [THREADS]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "log_source.h"
#include "report.h"
#include "worker.h"

/* Cuts the text at line ends into pieces of nearly equal size. */
static void start_workers(struct worker *workers, size_t nr_workers, const char *text, size_t text_bytes)
{
	size_t start = 0;

	for (size_t i = 0; i < nr_workers; i++) {
		size_t end = text_bytes * (i + 1) / nr_workers;

		if (end < text_bytes)
			end = (size_t)(strchr(text + end, '\n') - text) + 1;
		worker_start(&workers[i], text + start, end - start);
		start = end;
	}
}

int main(int argc, char **argv)
{
	size_t nr_lines = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
	size_t nr_workers = argc > 2 ? strtoul(argv[2], NULL, 10) : 2;
	struct worker *workers;
	size_t text_bytes;
	char *text;

	if (!nr_lines || nr_lines > 10000000 || !nr_workers || nr_workers > 64) {
		fprintf(stderr, "usage: logstat [LINES [THREADS]]   (1 to 10000000, 1 to 64)\n");
		return 2;
	}
	text = log_source_create(42, nr_lines, &text_bytes);
	workers = must_alloc(nr_workers * sizeof(*workers));
	start_workers(workers, nr_workers, text, text_bytes);
	for (size_t i = 0; i < nr_workers; i++)
		worker_join(&workers[i]);
	report_print(workers, nr_workers);
	for (size_t i = 0; i < nr_workers; i++)
		worker_deinit(&workers[i]);
	free(workers);
	free(text);
	return 0;
}
