/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of one trace, put together from table chunks or from the extents of a live file, and made safe to use as an index.
 *
 * Records may come in any order, twice, or not at all. Memory is bounded by a budget that follows the size of the input: LZ4 packs at most 255
 * to 1, so a file of n bytes cannot truthfully hold more than 255 n bytes of records.
 */
#ifndef CPROF_TABLE_SET_H
#define CPROF_TABLE_SET_H

#include "problems.h"
#include "session.h"

struct table_set {
	struct cprof_module *modules;
	struct cprof_context *contexts; /* [id]; a record with target 0 was not seen */
	struct cprof_thread *threads;   /* [index]; a record with blocks UINT64_MAX was not seen */
	struct cprof_clock *clocks;
	struct cprof_loss *losses;
	struct cprof_alloc *allocs;
	struct cprof_sched sched;
	bool has_sched;
	bool allocs_are_rows; /* allocs come from a live file */
	size_t nr_modules, modules_capacity, nr_contexts, contexts_capacity, nr_threads, threads_capacity;
	size_t nr_clocks, clocks_capacity, nr_losses, losses_capacity, nr_allocs, allocs_capacity;
	uint64_t budget_bytes;
	bool budget_exceeded;
	bool unfinished; /* of a live file: a context that was being made when it stopped has no target yet, and no event names it */
};

void table_set_init(struct table_set *set, uint64_t input_bytes);
void table_set_deinit(struct table_set *set);

/* Each copies nr records from possibly unaligned bytes. Those that the budget does not allow are left out. */
struct cprof_error *table_set_add_modules(struct table_set *set, const uint8_t *records, size_t nr) CPROF_MUST_CHECK;
struct cprof_error *table_set_add_contexts(struct table_set *set, uint64_t first_id, const uint8_t *records, size_t nr) CPROF_MUST_CHECK;
struct cprof_error *table_set_add_threads(struct table_set *set, const uint8_t *records, size_t nr) CPROF_MUST_CHECK;
struct cprof_error *table_set_add_clocks(struct table_set *set, const uint8_t *records, size_t nr) CPROF_MUST_CHECK;
struct cprof_error *table_set_add_losses(struct table_set *set, const uint8_t *records, size_t nr) CPROF_MUST_CHECK;
struct cprof_error *table_set_add_allocs(struct table_set *set, const uint8_t *records, size_t nr) CPROF_MUST_CHECK;
/* Of a live file. Used only when there was no ALLOC chunk; rows of one context become one record, whose peaks are not known. */
struct cprof_error *table_set_add_alloc_rows(struct table_set *set, const uint8_t *records, size_t nr) CPROF_MUST_CHECK;
struct cprof_error *table_set_add_sched(struct table_set *set, const uint8_t *records, size_t nr) CPROF_MUST_CHECK; /* the last one counts */
/* A record for every context id up to last, and for the thread, also where the tables have none. */
struct cprof_error *table_set_cover_contexts(struct table_set *set, uint64_t last) CPROF_MUST_CHECK;
struct cprof_error *table_set_cover_thread(struct table_set *set, uint32_t index, bool *covered) CPROF_MUST_CHECK;

/* A table chunk; *why says what is wrong with it, else NULL. Kinds that are no table: nothing happens. */
struct cprof_error *table_set_add_chunk(struct table_set *set, const struct cprof_chunk_header *header, const uint8_t *payload, const char **why)
	CPROF_MUST_CHECK;

/* Sorts, fills the gaps with records that name nothing, replaces invalid contexts. What it had to do goes to problems. The set keeps the memory. */
struct cprof_error *table_set_finish(struct table_set *set, struct problems *problems, struct trace_tables *ret) CPROF_MUST_CHECK;

#endif
