/* SPDX-License-Identifier: BSD-2-Clause */
/* Collecting and validating tables; see table_set.h. */
#include "table_set.h"

#include <string.h>

#include "vec.h"

#define PACKED_AT_MOST 255u
#define UNSEEN_BLOCKS  UINT64_MAX

void table_set_init(struct table_set *set, uint64_t input_bytes)
{
	*set = (struct table_set){ 0 };
	set->budget_bytes = input_bytes > UINT64_MAX / PACKED_AT_MOST ? UINT64_MAX : input_bytes * PACKED_AT_MOST;
}

void table_set_deinit(struct table_set *set)
{
	free(set->modules);
	free(set->contexts);
	free(set->threads);
	free(set->clocks);
	free(set->losses);
	free(set->allocs);
	*set = (struct table_set){ 0 };
}

/* False when the budget does not allow nr more items; the caller leaves them out. */
static bool spend(struct table_set *set, uint64_t nr, size_t item_bytes)
{
	if (nr > set->budget_bytes / item_bytes) {
		set->budget_exceeded = true;
		return false;
	}
	set->budget_bytes -= nr * item_bytes;
	return true;
}

/* Appends records to *items. They are charged twice: sorting makes a copy. */
static struct cprof_error *append(struct table_set *set, void *items, size_t *nr_items, size_t *capacity, size_t item_bytes, const uint8_t *records,
				  size_t nr)
{
	uint8_t *base;

	if (!nr || !spend(set, nr, 2 * item_bytes))
		return NULL;
	if (!vec_reserve(items, capacity, *nr_items + nr, item_bytes))
		return &cprof_enomem;
	memcpy(&base, items, sizeof base);
	memcpy(base + *nr_items * item_bytes, records, nr * item_bytes);
	*nr_items += nr;
	return NULL;
}

struct cprof_error *table_set_add_modules(struct table_set *set, const uint8_t *records, size_t nr)
{
	return append(set, &set->modules, &set->nr_modules, &set->modules_capacity, sizeof *set->modules, records, nr);
}

struct cprof_error *table_set_add_clocks(struct table_set *set, const uint8_t *records, size_t nr)
{
	return append(set, &set->clocks, &set->nr_clocks, &set->clocks_capacity, sizeof *set->clocks, records, nr);
}

struct cprof_error *table_set_add_losses(struct table_set *set, const uint8_t *records, size_t nr)
{
	return append(set, &set->losses, &set->nr_losses, &set->losses_capacity, sizeof *set->losses, records, nr);
}

struct cprof_error *table_set_add_allocs(struct table_set *set, const uint8_t *records, size_t nr)
{
	return append(set, &set->allocs, &set->nr_allocs, &set->allocs_capacity, sizeof *set->allocs, records, nr);
}

struct cprof_error *table_set_add_alloc_rows(struct table_set *set, const uint8_t *records, size_t nr)
{
	struct cprof_error *error = NULL;

	if (set->nr_allocs && !set->allocs_are_rows)
		return NULL;
	for (size_t i = 0; i < nr && !error; i++) {
		struct cprof_alloc_row row;

		memcpy(&row, records + i * sizeof row, sizeof row);
		if (!row.calls && !row.freed_calls)
			continue;
		struct cprof_alloc alloc = { .context = row.context, .flags = CPROF_ALLOC_PEAK_UNKNOWN, .calls = row.calls, .bytes = row.bytes,
					     .freed_calls = row.freed_calls, .freed_bytes = row.freed_bytes, .temporary_calls = row.temporary_calls };

		error = table_set_add_allocs(set, (const uint8_t *)&alloc, 1);
		set->allocs_are_rows = true;
	}
	return error;
}

struct cprof_error *table_set_add_sched(struct table_set *set, const uint8_t *records, size_t nr)
{
	if (nr)
		memcpy(&set->sched, records + (nr - 1) * sizeof set->sched, sizeof set->sched);
	set->has_sched |= nr > 0;
	return NULL;
}

struct cprof_error *table_set_cover_contexts(struct table_set *set, uint64_t last)
{
	if (last < set->nr_contexts)
		return NULL;
	if (last >= CPROF_CONTEXT_LIMIT || !spend(set, last + 1 - set->nr_contexts, sizeof *set->contexts))
		return NULL;
	if (!vec_reserve(&set->contexts, &set->contexts_capacity, last + 1, sizeof *set->contexts))
		return &cprof_enomem;
	memset(&set->contexts[set->nr_contexts], 0, (last + 1 - set->nr_contexts) * sizeof *set->contexts);
	set->nr_contexts = last + 1;
	return NULL;
}

struct cprof_error *table_set_add_contexts(struct table_set *set, uint64_t first_id, const uint8_t *records, size_t nr)
{
	if (nr && first_id == 0) { /* id 0 has no record */
		first_id++;
		records += sizeof *set->contexts;
		nr--;
	}
	if (!nr || first_id >= CPROF_CONTEXT_LIMIT)
		return NULL;
	struct cprof_error *error = table_set_cover_contexts(set, first_id + nr - 1);

	if (!error && first_id + nr <= set->nr_contexts)
		memcpy(&set->contexts[first_id], records, nr * sizeof *set->contexts);
	return error;
}

struct cprof_error *table_set_cover_thread(struct table_set *set, uint32_t index, bool *covered)
{
	*covered = index < set->nr_threads;
	if (*covered || index == CPROF_NO_THREAD || !spend(set, (uint64_t)index + 1 - set->nr_threads, sizeof *set->threads))
		return NULL;
	if (!vec_reserve(&set->threads, &set->threads_capacity, (size_t)index + 1, sizeof *set->threads))
		return &cprof_enomem;
	for (; set->nr_threads <= index; set->nr_threads++)
		set->threads[set->nr_threads] = (struct cprof_thread){ .index = (uint32_t)set->nr_threads, .parent = CPROF_NO_THREAD,
								       .blocks = UNSEEN_BLOCKS };
	*covered = true;
	return NULL;
}

struct cprof_error *table_set_add_threads(struct table_set *set, const uint8_t *records, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct cprof_thread thread;
		struct cprof_error *error;
		bool covered;

		memcpy(&thread, records + i * sizeof thread, sizeof thread);
		thread.name[sizeof thread.name - 1] = '\0';
		error = table_set_cover_thread(set, thread.index, &covered);
		if (error)
			return error;
		if (covered)
			set->threads[thread.index] = thread;
	}
	return NULL;
}

struct cprof_error *table_set_add_chunk(struct table_set *set, const struct cprof_chunk_header *header, const uint8_t *payload, const char **why)
{
	static const struct {
		uint16_t kind;
		size_t record_bytes;
		struct cprof_error *(*add)(struct table_set *set, const uint8_t *records, size_t nr);
	} kinds[] = {
		{ CPROF_CHUNK_CLOCK, sizeof(struct cprof_clock), table_set_add_clocks },
		{ CPROF_CHUNK_MODULES, sizeof(struct cprof_module), table_set_add_modules },
		{ CPROF_CHUNK_THREADS, sizeof(struct cprof_thread), table_set_add_threads },
		{ CPROF_CHUNK_CONTEXTS, sizeof(struct cprof_context), NULL },
		{ CPROF_CHUNK_LOSS, sizeof(struct cprof_loss), table_set_add_losses },
		{ CPROF_CHUNK_SCHED, sizeof(struct cprof_sched), table_set_add_sched },
		{ CPROF_CHUNK_ALLOC, sizeof(struct cprof_alloc), table_set_add_allocs },
	};

	*why = NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (kinds[i].kind != header->kind)
			continue;
		if (header->payload_bytes % kinds[i].record_bytes) {
			*why = "length of a table is not a multiple of its records'";
			return NULL;
		}
		size_t nr = header->payload_bytes / kinds[i].record_bytes;

		return kinds[i].add ? kinds[i].add(set, payload, nr) : table_set_add_contexts(set, header->first_tsc, payload, nr);
	}
	return NULL;
}

/* --- finish --- */

struct ordered_module {
	uint32_t id;
	size_t position; /* of two with one id the later counts */
};

static int compare_modules(const void *left, const void *right)
{
	const struct ordered_module *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->position < b->position ? 1 : -1;
}

static struct cprof_error *finish_modules(struct table_set *set)
{
	struct ordered_module *order = malloc((set->nr_modules + 1) * sizeof *order);
	struct cprof_module *sorted = malloc((set->nr_modules + 1) * sizeof *sorted);
	size_t nr = 0;

	if (!order || !sorted) {
		free(order);
		free(sorted);
		return &cprof_enomem;
	}
	for (size_t i = 0; i < set->nr_modules; i++)
		order[i] = (struct ordered_module){ set->modules[i].id, i };
	qsort(order, set->nr_modules, sizeof *order, compare_modules);
	for (size_t i = 0; i < set->nr_modules; i++) {
		struct cprof_module *module = &sorted[nr];

		if (order[i].id == 0 || (nr && sorted[nr - 1].id == order[i].id))
			continue;
		*module = set->modules[order[i].position];
		if (module->path_bytes > sizeof module->path)
			module->path_bytes = sizeof module->path;
		if (module->build_id_bytes > sizeof module->build_id)
			module->build_id_bytes = sizeof module->build_id;
		nr++;
	}
	free(order);
	free(set->modules);
	set->modules = sorted;
	set->modules_capacity = set->nr_modules + 1;
	set->nr_modules = nr;
	return NULL;
}

/* Parents and targets come before what names them, so one pass upwards meets only records that are valid already. */
static bool context_is_valid(const struct cprof_context *contexts, uint32_t id)
{
	const struct cprof_context *context = &contexts[id];

	return context->parent < id && contexts[context->parent].target == context->parent && context->target <= id &&
	       (context->target == id || (context->target != 0 && contexts[context->target].target == context->target));
}

static struct cprof_error *finish_contexts(struct table_set *set, struct problems *problems)
{
	uint64_t missing = 0, invalid = 0;
	struct cprof_error *error = table_set_cover_contexts(set, 0);

	if (error)
		return error;
	if (!set->nr_contexts) /* no budget even for [0]: an input of no bytes */
		return &cprof_enomem;
	set->contexts[0] = (struct cprof_context){ 0 };
	for (size_t id = 1; id < set->nr_contexts; id++) {
		if (set->contexts[id].target == 0)
			missing++;
		else if (!context_is_valid(set->contexts, (uint32_t)id))
			invalid++;
		else
			continue;
		set->contexts[id] = (struct cprof_context){ .target = (uint32_t)id };
	}
	if (missing && !set->unfinished)
		error = problems_add(problems, PROBLEM_OF_TRACE(FINDING_DAMAGE), "%llu records of the context table are missing: those calls have no name", (unsigned long long)missing);
	if (invalid && !error)
		error = problems_add(problems, PROBLEM_OF_TRACE(FINDING_DAMAGE), "%llu records of the context table are invalid: those calls have no name", (unsigned long long)invalid);
	return error;
}

static int compare_clocks(const void *left, const void *right)
{
	const struct cprof_clock *a = left, *b = right;

	if (a->tsc != b->tsc)
		return a->tsc < b->tsc ? -1 : 1;
	return a->monotonic_ns < b->monotonic_ns ? -1 : a->monotonic_ns > b->monotonic_ns;
}

static void finish_clocks(struct table_set *set)
{
	size_t nr = 0;

	if (set->nr_clocks)
		qsort(set->clocks, set->nr_clocks, sizeof *set->clocks, compare_clocks);
	for (size_t i = 0; i < set->nr_clocks; i++) {
		const struct cprof_clock *clock = &set->clocks[i];

		if (!clock->tsc && !clock->monotonic_ns) /* not taken yet */
			continue;
		if (nr && (clock->tsc == set->clocks[nr - 1].tsc || clock->monotonic_ns <= set->clocks[nr - 1].monotonic_ns))
			continue;
		set->clocks[nr++] = *clock;
	}
	set->nr_clocks = nr;
}

static int compare_allocs(const void *a, const void *b)
{
	uint32_t left = ((const struct cprof_alloc *)a)->context, right = ((const struct cprof_alloc *)b)->context;

	return left < right ? -1 : left > right;
}

/* One record for each context, as a chunk has them. */
static void finish_alloc_rows(struct table_set *set)
{
	size_t nr = 0;

	if (!set->allocs_are_rows)
		return;
	qsort(set->allocs, set->nr_allocs, sizeof *set->allocs, compare_allocs);
	for (size_t i = 0; i < set->nr_allocs; i++) {
		const struct cprof_alloc *row = &set->allocs[i];

		if (!nr || set->allocs[nr - 1].context != row->context) {
			set->allocs[nr++] = *row;
			continue;
		}
		struct cprof_alloc *sum = &set->allocs[nr - 1];
		sum->calls += row->calls;
		sum->bytes += row->bytes;
		sum->freed_calls += row->freed_calls;
		sum->freed_bytes += row->freed_bytes;
		sum->temporary_calls += row->temporary_calls;
	}
	set->nr_allocs = nr;
}

struct cprof_error *table_set_finish(struct table_set *set, struct problems *problems, struct trace_tables *ret)
{
	struct cprof_error *error = finish_modules(set);

	if (!error)
		error = finish_contexts(set, problems);
	if (error)
		return error;
	finish_clocks(set);
	finish_alloc_rows(set);
	for (size_t i = 0; i < set->nr_threads; i++) {
		if (set->threads[i].blocks == UNSEEN_BLOCKS)
			set->threads[i].blocks = 0;
	}
	if (set->budget_exceeded) {
		error = problems_add(problems, PROBLEM_OF_TRACE(FINDING_DAMAGE),
				     "the tables are larger than a file of this size can hold: not all of them are used");
		if (error)
			return error;
	}
	*ret = (struct trace_tables){ set->modules, set->nr_modules, set->contexts, set->nr_contexts, set->threads, set->nr_threads,
				      set->clocks, set->nr_clocks, set->losses, set->nr_losses, set->allocs, set->nr_allocs,
				      set->has_sched ? &set->sched : NULL };
	return NULL;
}
