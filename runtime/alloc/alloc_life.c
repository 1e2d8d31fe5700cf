/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc_life.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_blocks.h"
#include "alloc_interface.h"
#include "alloc_next.h"
#include "alloc_pool.h"
#include "alloc_sums.h"
#include "rt_sys.h"

static struct cprof_alloc_host host; /* version 0: libcprof has not started */
static bool failed;                  /* for good: no memory */
static uint32_t host_alignment;

static void state_change(bool on, int64_t slot_offset)
{
	alloc_state.slot_offset = slot_offset;
	alloc_state.on = on;
	__atomic_store_n(&alloc_state.generation, alloc_state.generation + 1, __ATOMIC_RELEASE);
}

bool alloc_life_is_recording(void)
{
	return host.version != 0;
}

struct cprof_alloc_row *alloc_life_row_take(uint32_t context)
{
	return host.version && host.row_take && context != ALLOC_CONTEXT_PENDING ? host.row_take() : NULL;
}

static bool is_switched_off(void)
{
	const char *text = getenv("CPROF");

	return text && !strcmp(text, "off");
}

/* What is needed to count at all, once. */
static bool begin(void)
{
	if (!alloc_blocks.leaves) {
		alloc_pool_open();
		failed = !alloc_blocks_create(host_alignment);
		alloc_peaks.number = 1;
	}
	return !failed;
}

void alloc_life_begin(uint32_t alignment, bool has_libcprof)
{
	host_alignment = alignment;
	if (!has_libcprof || is_switched_off())
		return;
	if (begin())
		state_change(true, 0);
}

/* libcprof may have come late, with a plug-in: what was allocated before is not known, and its frees are not counted. */
static bool started(const struct cprof_alloc_host *told, uint32_t context)
{
	if (told->version != CPROF_ALLOC_INTERFACE_VERSION)
		return true;
	alloc_next_resolve();
	if (failed || !begin())
		return false;
	host = *told;
	alloc_sums_started(context);
	state_change(true, told->slot_offset);
	if (alloc_tls.shard)
		alloc_sums_attach(&alloc_tls);
	alloc_tls.forked = 0;
	return true;
}

static bool finish(bool (*put)(const struct cprof_alloc *records, uint32_t count), uint32_t most, uint64_t *untracked)
{
	if (!host.version) {
		*untracked = 0;
		return true;
	}
	state_change(false, 0);
	*untracked = alloc_sums_untracked_count();
	host.version = 0;
	return alloc_sums_collect(put, most);
}

static void before_fork(void)
{
	alloc_tls.in_call = alloc_state.on && alloc_sums_context(&alloc_tls) != 0;
	alloc_tls.forking = 1;
}

/* The child's sums begin with what it allocates itself; its parent's blocks are the parent's, and giving them back is not counted. */
static void after_fork_in_child(void)
{
	if (!alloc_state.on || !alloc_tls.forking)
		return;
	uint64_t mask = rt_signals_block();

	alloc_tls.forking = 0;
	alloc_sums_forked();
	host = (struct cprof_alloc_host){ 0 };
	state_change(true, 0);
	rt_signals_restore(mask);
}

const struct cprof_alloc_interface cprof_alloc_interface __attribute__((visibility("default"))) = {
	.version = CPROF_ALLOC_INTERFACE_VERSION,
	.started = started,
	.before_fork = before_fork,
	.forked = after_fork_in_child,
	.finish = finish,
};

__attribute__((constructor(101))) static void life_constructor(void)
{
	alloc_next_resolve();
	alloc_sums_watch_threads();
	pthread_atfork(before_fork, NULL, after_fork_in_child);
	if (is_switched_off() && !host.version)
		state_change(false, 0);
}
