/* SPDX-License-Identifier: BSD-2-Clause */
/* Merges the statistics of the shards by path, sorts, asks the indexes, prints. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

struct row {
	const char *path;
	struct stats stats;
};

struct report {
	struct arena arena;
	struct dict paths;
	struct row *rows;
	size_t nr_rows;
};

static void merge_worker(struct report *report, const struct worker *worker)
{
	struct dict_entry **entries = dict_entries(&worker->paths);

	for (size_t i = 0; i < worker->paths.nr_entries; i++) {
		struct dict_entry *entry = dict_intern(&report->paths, entries[i]->key, entries[i]->key_bytes);

		report->rows[entry->value].path = entry->key;
		stats_merge(&report->rows[entry->value].stats, &worker->stats[i]);
	}
	free(entries);
}

static void merge_workers(struct report *report, const struct worker *workers, size_t nr_workers)
{
	size_t most_rows = 1;

	for (size_t i = 0; i < nr_workers; i++)
		most_rows += workers[i].paths.nr_entries;
	report->rows = must_alloc(most_rows * sizeof(*report->rows));
	for (size_t i = 0; i < nr_workers; i++)
		merge_worker(report, &workers[i]);
	report->nr_rows = report->paths.nr_entries;
}

static int row_compare(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->stats.requests != right->stats.requests)
		return left->stats.requests < right->stats.requests ? 1 : -1;
	return strcmp(left->path, right->path);
}

static void print_paths(struct report *report)
{
	for (size_t i = 0; i < report->nr_rows; i++)
		stats_sort(&report->rows[i].stats);
	qsort(report->rows, report->nr_rows, sizeof(*report->rows), row_compare);
	printf("%-24s %8s %7s %8s %8s\n", "path", "requests", "errors", "p50 us", "p99 us");
	for (size_t i = 0; i < report->nr_rows && i < 8; i++) {
		const struct stats *stats = &report->rows[i].stats;

		printf("%-24s %8" PRIu64 " %7" PRIu64 " %8" PRIu32 " %8" PRIu32 "\n", report->rows[i].path, stats->requests, stats->errors,
		       stats_percentile(stats, 50), stats_percentile(stats, 99));
	}
}

static void print_queries(const struct worker *workers, size_t nr_workers)
{
	static const char *const queries[] = { "red", "red & shoes", "wool & (coat | jacket)", "(red | green | blue) & (leather | (paper & stone))" };

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		size_t lines = 0;

		for (size_t j = 0; j < nr_workers; j++)
			lines += query_count(&workers[j].index, queries[i]);
		printf("%-48s %8zu lines\n", queries[i], lines);
	}
}

static void print_totals(const struct worker *workers, size_t nr_workers)
{
	uint64_t lines = 0, malformed = 0, visits = 0, text_bytes = 0, coded_bytes = 0, checksum = 0;

	for (size_t i = 0; i < nr_workers; i++) {
		lines += workers[i].lines;
		malformed += workers[i].malformed;
		visits += session_table_visits(&workers[i].sessions);
		text_bytes += workers[i].text_bytes;
		coded_bytes += workers[i].coded_bytes;
		checksum = checksum * 31 + workers[i].checksum;
	}
	printf("%" PRIu64 " lines (%" PRIu64 " malformed), %" PRIu64 " visits, %" PRIu64 " bytes coded as %" PRIu64 " (%016" PRIx64 ")\n", lines, malformed,
	       visits, text_bytes, coded_bytes, checksum);
}

void report_print(struct worker *workers, size_t nr_workers)
{
	struct report report = { 0 };

	dict_init(&report.paths, &report.arena, 64, true);
	merge_workers(&report, workers, nr_workers);
	print_totals(workers, nr_workers);
	print_paths(&report);
	print_queries(workers, nr_workers);
	for (size_t i = 0; i < report.nr_rows; i++)
		stats_deinit(&report.rows[i].stats);
	free(report.rows);
	dict_deinit(&report.paths);
	arena_deinit(&report.arena);
}
