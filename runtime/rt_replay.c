/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_replay.h"

#include "rt_contexts.h"
#include "rt_sys.h"

enum {
	CLOSED_MOST = 1 << 16,   /* entries of the closed column; a longjmp over more leaves the rest to readers that come from the chunk before */
	CLOSED_ITEM_BYTES = 15,
	ID_ITEM_BYTES = 8,       /* escape: code, kind, 32-bit payload */
	TIME_ITEM_BYTES = 10,
	OPEN_FIRST = 1 << 14,
};

uint64_t rt_replay_buffer_bytes(uint32_t items, uint32_t depth)
{
	/* A hole in the block becomes an escape and an event: twice the ids. */
	return sizeof(struct cprof_events_header) + (uint64_t)(depth < CLOSED_MOST ? depth : CLOSED_MOST) * CLOSED_ITEM_BYTES +
	       (uint64_t)items * (2 * ID_ITEM_BYTES + TIME_ITEM_BYTES) + 64;
}

static inline uint8_t *leb_put(uint8_t *out, uint64_t value)
{
	while (__builtin_expect(value >= 0x80, 0)) {
		*out++ = (uint8_t)value | 0x80;
		value >>= 7;
	}
	*out++ = (uint8_t)value;
	return out;
}

static bool open_reserve(struct rt_replay *replay, uint64_t wanted)
{
	uint64_t capacity = replay->capacity ? replay->capacity : OPEN_FIRST;

	if (wanted <= replay->capacity)
		return true;
	while (capacity < wanted)
		capacity *= 2;
	struct rt_open *bigger = rt_memory_reserve(capacity * sizeof *bigger);
	if (!bigger)
		return false;
	if (replay->depth)
		__builtin_memcpy(bigger, replay->open, replay->depth * sizeof *bigger);
	rt_memory_release(replay->open, (uint64_t)replay->capacity * sizeof *bigger);
	replay->open = bigger;
	replay->capacity = (uint32_t)capacity;
	return true;
}

/* Where an encoding stands; the hot loop keeps copies of what it needs in registers. */
struct encoding {
	struct rt_replay *replay;
	uint8_t *closed, *ids, *times;
	uint64_t first_tsc;
	uint32_t low;      /* calls of open[0 .. low) were open before the chunk and still are */
	uint32_t closed_items;
};

static void note_closed(struct encoding *e, const struct rt_open *call)
{
	if (e->closed_items < CLOSED_MOST) {
		e->closed = leb_put(e->closed, call->id);
		e->closed = leb_put(e->closed, e->first_tsc - call->start_tsc);
		e->closed_items++;
	}
}

/* Closes n calls without exits. The time column needs nothing: they end with the next event. */
static void repair(struct encoding *e, uint32_t n)
{
	struct rt_replay *r = e->replay;

	if (n > r->depth)
		n = r->depth;
	r->repaired += n;
	while (n--) {
		r->depth--;
		if (r->depth < e->low) {
			e->low = r->depth;
			note_closed(e, &r->open[r->depth]);
		}
	}
}

static void escape_put(struct encoding *e, uint32_t kind, uint32_t payload)
{
	e->ids = leb_put(e->ids, CPROF_ID_ESCAPE);
	e->ids = leb_put(e->ids, kind);
	e->ids = leb_put(e->ids, payload);
}

static uint32_t current_context(const struct rt_replay *r)
{
	return r->depth ? rt_contexts_target(r->open[r->depth - 1].id) : 0;
}

/*
 * The event at a 0 slot: an interrupted hook won the slot and its signal handler's calls filled the rest of the block. The handler's first
 * enter tells what it was: its parent is the context that was committed. Returns the event without a time, or 0 when nothing is missing.
 */
static uint32_t hole_settle(const struct rt_replay *r, const uint64_t *events, uint32_t items)
{
	for (uint32_t i = 0; i < items; i++) {
		uint32_t id = (uint32_t)events[i];

		if (!id || id >= CPROF_ESCAPE_FIRST)
			continue;
		uint32_t committed = rt_contexts_parent(id);
		if (committed == current_context(r))
			return 0;
		if (committed && rt_contexts_parent(committed) == current_context(r))
			return committed;
		return CPROF_EVENT_EXIT | committed;
	}
	return 0;
}

bool rt_replay_encode(struct rt_replay *replay, const struct cprof_block_header *block, const uint64_t *events, uint32_t items, uint8_t *buffer,
		      struct rt_columns *ret)
{
	struct cprof_events_header *columns = (void *)buffer;
	uint8_t *closed_at = buffer + sizeof *columns;
	uint8_t *ids_at = closed_at + (uint64_t)(replay->depth < CLOSED_MOST ? replay->depth : CLOSED_MOST) * CLOSED_ITEM_BYTES;
	uint8_t *times_at = ids_at + (uint64_t)items * 2 * ID_ITEM_BYTES;
	struct encoding e = { replay, closed_at, ids_at, times_at, replay->last_tsc, replay->depth, 0 };
	uint32_t depth_before = replay->depth, context_before = current_context(replay);
	uint32_t written = 0;

	if (!open_reserve(replay, (uint64_t)replay->depth + items + 1))
		return false;
	uint64_t high = (uint64_t)block->tsc_high << 32;
	if (!replay->last_tsc) { /* the thread's first block: its first event's time is the base */
		for (uint32_t i = 0, h = block->tsc_high; i < items; i++) {
			uint32_t id = (uint32_t)events[i];

			if (id == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_CLOCK) {
				h = (uint32_t)(events[i] >> 32);
			} else if (id && (id & CPROF_EVENT_ID) < CPROF_ESCAPE_FIRST) {
				replay->last_tsc = (uint64_t)h << 32 | events[i] >> 32;
				break;
			}
		}
		e.first_tsc = replay->last_tsc;
	}
	uint64_t last = replay->last_tsc;
	for (uint32_t i = 0; i < items; i++) {
		uint64_t event = events[i];
		uint32_t id = (uint32_t)event;
		uint64_t tsc = high | event >> 32;

		if (__builtin_expect(!id, 0)) {
			id = hole_settle(replay, events + i + 1, items - i - 1);
			if (!id)
				continue;
			escape_put(&e, CPROF_ESCAPE_UNTIMED, 0);
			written++;
			tsc = last;
		}
		if (id & CPROF_EVENT_EXIT) {
			uint32_t to = id & CPROF_EVENT_ID, below = 0;

			if (__builtin_expect(replay->depth > 0, 1)) {
				replay->depth--;
				if (replay->depth < e.low) {
					e.low = replay->depth;
					note_closed(&e, &replay->open[replay->depth]);
				}
				below = replay->depth ? replay->open[replay->depth - 1].id : 0;
				if (below != to && below)
					below = rt_contexts_target(below);
			} else {
				below = ~to;
			}
			if (__builtin_expect(below == to, 1)) {
				*e.ids++ = CPROF_ID_EXIT;
			} else {
				*e.ids++ = CPROF_ID_EXIT_EXPLICIT;
				e.ids = leb_put(e.ids, to);
			}
		} else if (__builtin_expect(id < CPROF_ESCAPE_FIRST, 1)) {
			e.ids = leb_put(e.ids, id + CPROF_ID_ENTER_BASE);
			replay->open[replay->depth].id = id;
			replay->open[replay->depth].start_tsc = tsc > last ? tsc : last;
			replay->depth++;
		} else {
			uint32_t kind = id - CPROF_ESCAPE_FIRST, payload = (uint32_t)(event >> 32);

			if (kind == CPROF_ESCAPE_CLOCK) {
				high = (uint64_t)payload << 32;
				continue;
			}
			if (kind == CPROF_ESCAPE_PAD)
				continue;
			if (kind == CPROF_ESCAPE_REPAIR || kind == CPROF_ESCAPE_LOST)
				repair(&e, kind == CPROF_ESCAPE_LOST ? replay->depth : payload);
			escape_put(&e, kind, payload);
			written++;
			continue;
		}
		if (__builtin_expect(tsc < last, 0)) {
			replay->steps_back++;
			tsc = last;
		}
		e.times = leb_put(e.times, tsc - last);
		last = tsc;
		written++;
		replay->events++;
	}

	*columns = (struct cprof_events_header){ e.closed_items, (uint32_t)(e.closed - closed_at), (uint32_t)(e.ids - ids_at),
						 (uint32_t)(e.times - times_at) };
	__builtin_memmove(e.closed, ids_at, columns->ids_bytes);
	__builtin_memmove(e.closed + columns->ids_bytes, times_at, columns->times_bytes);
	ret->payload = buffer;
	ret->payload_bytes = sizeof *columns + columns->closed_bytes + columns->ids_bytes + columns->times_bytes;
	ret->header = (struct cprof_chunk_header){
		.magic = CPROF_CHUNK_MAGIC, .kind = CPROF_CHUNK_EVENTS, .version = CPROF_FORMAT_VERSION, .payload_bytes = ret->payload_bytes,
		.thread = block->thread, .strand = block->strand, .sequence = block->sequence, .first_tsc = e.first_tsc, .last_tsc = last,
		.depth = depth_before, .context = context_before, .items = written,
	};
	replay->last_tsc = last;
	return true;
}
