/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_contexts.h"

#include <stdatomic.h>

#include "rt_live.h"
#include "rt_modules.h"
#include "rt_status.h"
#include "rt_sys.h"

/* The key half of a record: run-time addresses, private to the process (the definition half, in module offsets, is in the live file). */
struct key {
	uint64_t function, call_site, hook_return;
	uint32_t parent;
	uint32_t target; /* OVERFLOW_PARENT in parent marks contexts of a full table */
};

enum { OVERFLOW_PARENT = 0xFFFFFFFFu, CAPACITY_LEAST = 1024, AHEAD = 256 };
#define FORGOTTEN 1ull /* a function address that no call has */

static struct key *keys;           /* keys[id] */
static _Atomic uint32_t *slots;    /* open addressing; 0 is empty */
static uint64_t slot_mask;
static uint32_t capacity;          /* ids are below it */
static uint32_t overflow_from;     /* from here on new paths are folded to one context per function */
static _Atomic uint32_t next_id;
static _Atomic uint32_t last_resort; /* an OVERFLOW context; id 1 before there is one */

static bool reserve(void)
{
	uint64_t nr_slots = 1024;

	while (nr_slots < 2ull * capacity)
		nr_slots *= 2;
	slot_mask = nr_slots - 1;
	keys = rt_memory_reserve((uint64_t)capacity * sizeof *keys);
	slots = rt_memory_reserve(nr_slots * sizeof *slots);
	if (keys && slots)
		return true;
	rt_contexts_destroy();
	return false;
}

bool rt_contexts_create(void)
{
	capacity = rt_live.contexts.capacity;
	while (!reserve()) {
		capacity /= 2;
		if (capacity < CAPACITY_LEAST)
			return false;
	}
	overflow_from = capacity - capacity / 16;
	atomic_store(&next_id, 1);
	atomic_store(&last_resort, 1);
	return rt_table_ensure(&rt_live.contexts, AHEAD + 1);
}

void rt_contexts_destroy(void)
{
	rt_memory_release(keys, (uint64_t)capacity * sizeof *keys);
	rt_memory_release((void *)slots, (slot_mask + 1) * sizeof *slots);
	keys = NULL;
	slots = NULL;
}

uint32_t rt_contexts_target(uint32_t id)
{
	return keys[id].target;
}

uint32_t rt_contexts_parent(uint32_t id)
{
	return keys[id].parent == OVERFLOW_PARENT ? 0 : keys[id].parent;
}

uint32_t rt_contexts_edge(uint32_t parent, uint32_t target)
{
	uint32_t count = rt_contexts_count();

	for (uint32_t id = 1; parent && target && id < count; id++)
		if (keys[id].parent == parent && keys[id].target == target && target != id)
			return id;
	return 0;
}

uint32_t rt_contexts_count(void)
{
	uint32_t count = atomic_load(&next_id);

	return count < capacity ? count : capacity;
}

static struct cprof_context *definition(uint32_t id)
{
	return rt_table_at(&rt_live.contexts, id);
}

bool rt_contexts_no_frame(uint32_t id)
{
	return id && definition(id)->flags & CPROF_CONTEXT_NO_FRAME;
}

static uint64_t key_hash(uint32_t parent, uint64_t function, uint64_t call_site, uint64_t hook_return)
{
	uint64_t h = parent * 0x9E3779B97F4A7C15ull ^ function * 0xC2B2AE3D27D4EB4Full ^ call_site * 0x165667B19E3779F9ull ^ hook_return;

	h ^= h >> 32;
	h *= 0xD6E8FEB86659FD93ull;
	return h ^ h >> 29;
}

/*
 * A new id with space in both halves, or 0. Ids for paths are given out only while AHEAD more have their space: where the disk is full, those are
 * for functions.
 */
static uint32_t id_take(uint32_t limit)
{
	uint32_t id = atomic_load(&next_id), ahead = limit < capacity ? AHEAD : 0;

	do {
		if (id >= limit)
			return 0;
		if (!rt_table_ensure(&rt_live.contexts, id + ahead < capacity ? id + ahead : capacity - 1)) {
			rt_warn("enlarge", rt_live.path, rt_live.error, "new call paths are recorded as one per function");
			return 0;
		}
	} while (!atomic_compare_exchange_weak(&next_id, &id, id + 1));
	return id;
}

/* The ancestor that runs this function already, or 0: a call to it is a folding edge. */
static uint32_t find_on_path(uint32_t parent, uint64_t function)
{
	while (parent && keys[parent].function != function)
		parent = rt_contexts_parent(parent);
	return parent;
}

static void define(uint32_t id, const struct key *key, uint32_t flags)
{
	struct cprof_context *record = definition(id);
	struct rt_place function = rt_modules_place(key->function);
	struct rt_place site = key->call_site ? rt_modules_place(key->call_site) : (struct rt_place){ 0, 0 };
	struct rt_place hook = key->hook_return ? rt_modules_place(key->hook_return) : (struct rt_place){ 0, 0 };
	uint32_t count;

	record->parent = key->parent == OVERFLOW_PARENT ? 0 : key->parent;
	record->flags = flags;
	record->function_module = function.module;
	record->function = function.address;
	record->site_module = site.module;
	record->call_site = site.address;
	record->hook_module = hook.module;
	record->hook_return = hook.address;
	__atomic_store_n(&record->target, key->target, __ATOMIC_RELEASE); /* a reader takes a record without target for one in the making */
	count = __atomic_load_n(&rt_live.header->contexts, __ATOMIC_RELAXED);
	while (count <= id && !__atomic_compare_exchange_n(&rt_live.header->contexts, &count, id + 1, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static bool key_equal(const struct key *a, const struct key *b)
{
	return a->function == b->function && a->call_site == b->call_site && a->hook_return == b->hook_return && a->parent == b->parent;
}

/* Finds the key or adds it with an id below limit. 0: the table is full. */
static uint32_t find_or_add(struct key *key, uint32_t limit, uint32_t flags)
{
	uint64_t at = key_hash(key->parent, key->function, key->call_site, key->hook_return);
	uint32_t mine = 0;

	for (;; at++) {
		uint32_t id = atomic_load_explicit(&slots[at & slot_mask], memory_order_acquire);

		if (!id) {
			if (!mine) {
				mine = id_take(limit);
				if (!mine)
					return 0;
				if (!key->target)
					key->target = mine;
				keys[mine] = *key;
				define(mine, key, flags);
			}
			if (atomic_compare_exchange_strong(&slots[at & slot_mask], &id, mine))
				return mine;
		}
		if (key_equal(&keys[id], key)) {
			if (mine)
				definition(mine)->flags |= CPROF_CONTEXT_DEAD;
			return id;
		}
	}
}

struct rt_context rt_contexts_intern(const struct rt_call *call)
{
	struct key key = { call->function, call->call_site, call->hook_return, call->parent, find_on_path(call->parent, call->function) };
	uint32_t id = find_or_add(&key, overflow_from, call->no_frame ? CPROF_CONTEXT_NO_FRAME : 0);

	if (!id) { /* full: one context per function, outside of every path */
		key = (struct key){ call->function, 0, 0, OVERFLOW_PARENT, 0 };
		id = find_or_add(&key, capacity, CPROF_CONTEXT_OVERFLOW | (call->no_frame ? CPROF_CONTEXT_NO_FRAME : 0));
		if (id)
			atomic_store_explicit(&last_resort, id, memory_order_relaxed);
		else /* more functions than that: another one's context takes them; said as a loss */
			id = atomic_load_explicit(&last_resort, memory_order_relaxed);
		__atomic_fetch_add(&rt_live.header->table_losses, 1, __ATOMIC_RELAXED);
	}
	return (struct rt_context){ id, keys[id].target };
}

uint32_t rt_contexts_settle(void)
{
	uint32_t count = rt_contexts_count();

	for (uint32_t id = 1; id < count; id++) {
		struct cprof_context *record = definition(id);

		if (!__atomic_load_n(&record->target, __ATOMIC_ACQUIRE)) {
			record->flags = CPROF_CONTEXT_DEAD;
			__atomic_store_n(&record->target, id, __ATOMIC_RELEASE);
		}
	}
	return count;
}

void rt_contexts_forget(uint64_t start, uint64_t end)
{
	uint32_t count = rt_contexts_count();

	for (uint32_t id = 1; id < count; id++) {
		struct key *key = &keys[id];

		if ((key->function >= start && key->function < end) || (key->call_site >= start && key->call_site < end) ||
		    (key->hook_return >= start && key->hook_return < end))
			__atomic_store_n(&key->function, FORGOTTEN, __ATOMIC_RELAXED);
	}
}
