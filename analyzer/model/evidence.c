/* SPDX-License-Identifier: BSD-2-Clause */
#include "evidence.h"

#include <stdlib.h>

#include "number_map.h"
#include "session.h"
#include "vec.h"

enum { SYSCALL_WRITE = 1, SYSCALL_PWRITE64 = 18, SYSCALL_FSYNC = 74, SYSCALL_FDATASYNC = 75 }; /* of x86-64, as the kernel half is */

struct collection {
	const struct profile *profile;
	struct evidence_list list;
	size_t capacity;
	struct number_map paths;  /* (path above, function) -> path; 0: the empty one */
	struct number_map items;  /* (kind, path, other's path) -> place in list */
	struct number_map parts;  /* (place in list, process or file) that have been counted */
	uint32_t nr_paths;
	const struct call_node **path;
	size_t path_capacity;
};

static struct cprof_error *path_of(struct collection *all, const struct call_node *node, uint32_t *ret)
{
	size_t length = 0;

	*ret = 0;
	for (; node; node = node->parent) {
		if (node->kind != NODE_FUNCTION)
			continue;
		if (!vec_reserve(&all->path, &all->path_capacity, length + 1, sizeof(const struct call_node *)))
			return &cprof_enomem;
		all->path[length++] = node;
	}
	while (length--) {
		struct number_key key = { *ret, all->path[length]->function, 0 };
		uint32_t path = number_map_find(&all->paths, key);

		if (path == NUMBER_MAP_NONE) {
			struct cprof_error *error = number_map_add(&all->paths, key, path = ++all->nr_paths);

			if (error)
				return error;
		}
		*ret = path;
	}
	return NULL;
}

/* Is it the first of its kind? */
static struct cprof_error *part_add(struct collection *all, uint32_t item, uint64_t a, uint64_t b, uint32_t *count)
{
	struct number_key key = { item, a, b };

	if (number_map_find(&all->parts, key) != NUMBER_MAP_NONE)
		return NULL;
	(*count)++;
	return number_map_add(&all->parts, key, 0);
}

/* What `part` says, of one process, and of one file or lock unless that is 0, is added to what is known of its path. */
static struct cprof_error *add(struct collection *all, const struct evidence *part, uint32_t trace, uint64_t object, uint64_t of)
{
	uint32_t path, other, index;
	struct cprof_error *error = path_of(all, part->node, &path);
	struct evidence *sum;

	if (!error)
		error = path_of(all, part->other, &other);
	if (error)
		return error;
	struct number_key key = { part->kind, path, other };

	index = number_map_find(&all->items, key);
	if (index == NUMBER_MAP_NONE) {
		if (!vec_reserve(&all->list.items, &all->capacity, all->list.nr + 1, sizeof *all->list.items))
			return &cprof_enomem;
		index = (uint32_t)all->list.nr++;
		all->list.items[index] = (struct evidence){ .kind = part->kind };
		error = number_map_add(&all->items, key, index);
		if (error)
			return error;
	}
	sum = &all->list.items[index];
	if (part->most > sum->most || !sum->count) {
		sum->most = part->most;
		sum->node = part->node;
		sum->other = part->other;
		sum->file = part->file;
		sum->lock_place = part->lock_place;
		sum->lock = part->lock;
	}
	sum->count += part->count;
	sum->ns += part->ns;
	sum->bytes += part->bytes;
	sum->left_count += part->left_count;
	sum->left_bytes += part->left_bytes;
	sum->temporary += part->temporary;
	error = part_add(all, index, 0, trace, &sum->processes);
	return error || !object ? error : part_add(all, index, object, of + 1, &sum->objects);
}

static const struct call_node *node_of(const struct profile *profile, uint32_t trace, uint32_t context)
{
	return context ? profile_node_of(profile, trace, context) : NULL;
}

static struct cprof_error *add_sum(struct collection *all, const struct sum_fact *fact)
{
	const struct profile *profile = all->profile;
	struct evidence part = { .count = fact->count, .ns = fact->ns, .bytes = fact->bytes, .most = fact->ns };
	uint32_t trace = fact->place.trace;

	if (trace == FACT_NO_TRACE || !fact->count)
		return NULL;
	part.node = node_of(profile, trace, fact->place.context);
	if (fact->kind == CPROF_SUM_LOCK) {
		if (fact->sub != CPROF_LOCK_MUTEX && fact->sub != CPROF_LOCK_RWLOCK)
			return NULL;
		part.kind = EVIDENCE_LOCK;
		part.other = node_of(profile, trace, fact->other);
		part.lock_place = fact->place;
		part.lock = fact->object;
		return add(all, &part, trace, fact->object, trace);
	}
	if (fact->kind != CPROF_SUM_SYSCALL)
		return NULL;
	if (fact->sub == SYSCALL_FSYNC || fact->sub == SYSCALL_FDATASYNC)
		part.kind = EVIDENCE_SYNC;
	else if (fact->sub == SYSCALL_WRITE || fact->sub == SYSCALL_PWRITE64)
		part.kind = EVIDENCE_WRITE;
	else
		return NULL;
	part.file = kernel_file_name(session_kernel(profile->kernel_names->session, fact->place.image.kernel),
				     (struct cprof_file_id){ fact->object, fact->device, fact->other });
	return add(all, &part, trace, fact->object, (uint64_t)fact->device << 32 | fact->other);
}

static struct cprof_error *add_allocations(struct collection *all, uint32_t trace, const struct cprof_alloc *alloc)
{
	uint64_t left_bytes = alloc->bytes > alloc->freed_bytes ? alloc->bytes - alloc->freed_bytes : 0;
	uint64_t left_count = alloc->calls > alloc->freed_calls ? alloc->calls - alloc->freed_calls : 0;
	struct evidence part = { .kind = EVIDENCE_ALLOCATION, .node = node_of(all->profile, trace, alloc->context), .count = alloc->calls, .bytes = alloc->bytes,
				 .left_count = left_count, .left_bytes = left_bytes, .temporary = alloc->temporary_calls, .most = alloc->bytes };

	return alloc->calls ? add(all, &part, trace, 0, 0) : NULL;
}

static int compare(const void *left, const void *right)
{
	const struct evidence *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->ns != b->ns)
		return a->ns > b->ns ? -1 : 1;
	return a->bytes != b->bytes ? (a->bytes > b->bytes ? -1 : 1) : 0;
}

static struct cprof_error *collect(struct collection *all)
{
	const struct kernel_facts *facts = all->profile->kernel;
	const struct session *session = facts ? all->profile->kernel_names->session : NULL;
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && facts && i < facts->nr_sums; i++)
		error = add_sum(all, &facts->sums[i]);
	for (uint32_t t = 0; !error && facts && t < session_nr_traces(session); t++) {
		const struct trace_tables *tables = trace_tables(session_trace(session, t));

		for (size_t i = 0; !error && i < tables->nr_allocs; i++)
			error = add_allocations(all, t, &tables->allocs[i]);
	}
	return error;
}

struct cprof_error *evidence_collect(const struct profile *profile, struct evidence_list *ret)
{
	struct collection all = { .profile = profile };
	struct cprof_error *error = collect(&all);

	number_map_deinit(&all.paths);
	number_map_deinit(&all.items);
	number_map_deinit(&all.parts);
	free(all.path);
	if (error) {
		evidence_deinit(&all.list);
		return error;
	}
	if (all.list.nr)
		qsort(all.list.items, all.list.nr, sizeof *all.list.items, compare);
	*ret = all.list;
	return NULL;
}

void evidence_deinit(struct evidence_list *list)
{
	free(list->items);
	*list = (struct evidence_list){ 0 };
}
