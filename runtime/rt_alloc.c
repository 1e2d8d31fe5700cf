/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_alloc.h"

#include <stdatomic.h>

#include "alloc/alloc_interface.h"
#include "rt_config.h"
#include "rt_drain.h"
#include "rt_live.h"
#include "rt_status.h"
#include "rt_thread.h"
#include "rt_writer.h"

/* Defined by the interposer, when it is there. */
extern const struct cprof_alloc_interface cprof_alloc_interface __attribute__((weak, visibility("default")));

enum { ROWS = 4 << 20, ROWS_TIGHT = 64 << 10 };

static _Atomic uint32_t rows;

static bool is_there(void)
{
	const struct cprof_alloc_interface *volatile interface = &cprof_alloc_interface; /* a weak symbol's address may be NULL */

	return interface && interface->version == CPROF_ALLOC_INTERFACE_VERSION;
}

static struct cprof_alloc_row *row_take(void)
{
	uint32_t index = atomic_fetch_add(&rows, 1);

	return rt_table_ensure(&rt_live.allocations, index) ? rt_table_at(&rt_live.allocations, index) : NULL;
}

void rt_alloc_start(void)
{
	struct cprof_alloc_host host = { .version = CPROF_ALLOC_INTERFACE_VERSION };

	if (!is_there())
		return;
	atomic_store(&rows, 0);
	if (!rt_table_create(&rt_live.allocations, CPROF_EXTENT_ALLOC, sizeof(struct cprof_alloc_row), rt_config.tight ? ROWS_TIGHT : ROWS))
		host.row_take = row_take;
	host.slot_offset = (int64_t)((uintptr_t)&rt_tls.slot - (uintptr_t)__builtin_thread_pointer());
	if (!cprof_alloc_interface.started(&host, rt_tls.thread && rt_tls.stack ? rt_tls.stack[rt_state_depth(&rt_tls)].context : 0))
		rt_warn("get memory to follow allocations", NULL, 12, "they are not recorded");
}

void rt_alloc_before_fork(void)
{
	if (is_there())
		cprof_alloc_interface.before_fork();
}

void rt_alloc_after_fork_in_child(void)
{
	if (is_there())
		cprof_alloc_interface.forked();
}

static bool chunk_put(enum cprof_chunk_kind kind, const void *payload, size_t bytes, uint32_t items)
{
	struct cprof_chunk_header header = { .kind = (uint16_t)kind, .thread = CPROF_NO_THREAD, .items = items };
	struct rt_frame_buffer *frame = rt_drain_frame(CPROF_CHUNK_MAX_PAYLOAD);

	return frame && rt_writer_chunk(frame, &header, payload, bytes);
}

static bool records_put(const struct cprof_alloc *records, uint32_t count)
{
	return chunk_put(CPROF_CHUNK_ALLOC, records, count * sizeof *records, count);
}

bool rt_alloc_put(void)
{
	struct cprof_loss loss = { .thread = CPROF_NO_THREAD, .reason = CPROF_LOSS_ALLOC_UNTRACKED };

	if (!is_there())
		return true;
	if (!cprof_alloc_interface.finish(records_put, CPROF_CHUNK_MAX_PAYLOAD / sizeof(struct cprof_alloc), &loss.events))
		return false;
	return !loss.events || chunk_put(CPROF_CHUNK_LOSS, &loss, sizeof loss, 1);
}
