/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_replay.h"

#include "rt_contexts.h"
#include "rt_sys.h"

enum {
	CLOSED_MOST = CPROF_CLOSED_MOST,
	CLOSED_ITEM_BYTES = 15,
	ID_ITEM_BYTES = 8,       /* escape: code, kind, 32-bit payload; of SUSPEND and RESUME, which are no holes, twice that */
	TIME_ITEM_BYTES = 10,
	OPEN_FIRST = 1 << 14,
};

uint64_t rt_replay_buffer_bytes(uint32_t items, uint32_t depth)
{
	/* A hole in the block becomes an escape and an event: twice the ids. */
	return sizeof(struct cprof_events_header) + (uint64_t)(depth < CLOSED_MOST ? depth : CLOSED_MOST) * CLOSED_ITEM_BYTES +
	       (uint64_t)items * (2 * ID_ITEM_BYTES + TIME_ITEM_BYTES) + 64;
}

/* At the end of the process its thread may still be writing behind what is encoded. */
static inline uint64_t event_load(const uint64_t *event)
{
	return __atomic_load_n(event, __ATOMIC_RELAXED);
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

/* The closed column: calls that were open before the chunk and that it closes. */
struct closed_column {
	uint8_t *at;
	uint64_t first_tsc;
	uint32_t low;      /* calls of open[0 .. low) were open before the chunk and still are */
	uint32_t items;
};

static __attribute__((noinline)) void closed_put(struct closed_column *closed, const struct rt_open *call)
{
	closed->low--;
	if (closed->items < CLOSED_MOST) {
		closed->at = leb_put(closed->at, call->id);
		closed->at = leb_put(closed->at, closed->first_tsc - call->start_tsc);
		closed->items++;
	}
}

static uint8_t *escape_put(uint8_t *ids, uint32_t kind, uint64_t payload)
{
	ids = leb_put(ids, CPROF_ID_ESCAPE);
	ids = leb_put(ids, kind);
	return leb_put(ids, payload);
}

/* The context that is current when open[0 .. depth) are the open calls. */
static uint32_t context_at(const struct rt_open *open, uint32_t depth)
{
	return depth ? rt_contexts_target(open[depth - 1].id) : 0;
}

#define DEPTH_UNKNOWN INT64_MIN

/* By how much events[0 .. items) change the number of open calls; DEPTH_UNKNOWN when they do not say. */
static int64_t depth_change(const uint64_t *events, uint32_t items)
{
	int64_t change = 0;

	for (uint32_t i = 0; i < items; i++) {
		uint64_t event = event_load(&events[i]);
		uint32_t id = (uint32_t)event;

		if (!id || id == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_LOST)
			return DEPTH_UNKNOWN;
		if (id == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_REPAIR)
			change -= (int64_t)(event >> 32);
		else if (id & CPROF_EVENT_EXIT || id < CPROF_ESCAPE_FIRST)
			change += id & CPROF_EVENT_EXIT ? -1 : 1;
	}
	return change;
}

/*
 * The event at a 0 slot: an interrupted hook won the slot and its signal handler's calls filled the rest of the block. The handler's first
 * enter tells the context that was committed, its parent; whether an enter or an exit led there, the number of calls open after the block. Where that is
 * not known and recursion makes both possible, it is taken for an exit. Returns the event without a time, or 0 when nothing is missing.
 */
static uint32_t hole_settle(const struct rt_open *open, uint32_t depth, const uint64_t *events, uint32_t items, int64_t depth_after)
{
	uint32_t current = context_at(open, depth), committed = 0, first = 0;

	for (; first < items && !committed; first++) {
		uint32_t id = (uint32_t)event_load(&events[first]);

		if (id && id < CPROF_ESCAPE_FIRST) {
			committed = rt_contexts_parent(id);
			break;
		}
	}
	if (first == items)
		return 0;
	uint32_t entered = committed && rt_contexts_parent(committed) == current ? committed : rt_contexts_edge(current, committed);
	int64_t change = depth_change(events, items), missing = DEPTH_UNKNOWN;

	if (change != DEPTH_UNKNOWN && depth_after >= 0)
		missing = depth_after - (int64_t)depth - change;
	if (missing == 0 || (missing == DEPTH_UNKNOWN && committed == current))
		return 0;
	if (entered && (missing == 1 || !depth || context_at(open, depth - 1) != committed))
		return entered;
	return CPROF_EVENT_EXIT | committed;
}

static bool is_switch(uint32_t kind)
{
	return kind == CPROF_ESCAPE_SUSPEND || kind == CPROF_ESCAPE_RESUME;
}

static bool is_timed(uint32_t id)
{
	return id && ((id & CPROF_EVENT_ID) < CPROF_ESCAPE_FIRST || is_switch(id - CPROF_ESCAPE_FIRST));
}

/* The thread's first block: its first event's time is the base of all. */
static uint64_t first_time(const struct cprof_block_header *block, const uint64_t *events, uint32_t items)
{
	uint64_t high = block->tsc_high;

	for (uint32_t i = 0; i < items; i++) {
		uint64_t event = event_load(&events[i]);
		uint32_t id = (uint32_t)event;

		if (id == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_CLOCK)
			high = event >> 32;
		else if (is_timed(id))
			return high << 32 | event >> 32;
	}
	return 0;
}

bool rt_replay_encode(struct rt_replay *replay, const struct cprof_block_header *block, const uint64_t *events, uint32_t items, int64_t depth_after,
		      uint8_t *buffer, struct rt_columns *ret)
{
	struct cprof_events_header *columns = (void *)buffer;
	uint8_t *closed_at = buffer + sizeof *columns;
	uint8_t *ids_at = closed_at + (uint64_t)(replay->depth < CLOSED_MOST ? replay->depth : CLOSED_MOST) * CLOSED_ITEM_BYTES;
	uint8_t *times_at = ids_at + (uint64_t)items * 2 * ID_ITEM_BYTES;
	uint8_t *ids = ids_at, *times = times_at;
	uint32_t depth = replay->depth, timed = 0, escapes = 0;
	uint64_t high = (uint64_t)block->tsc_high << 32;

	if (!open_reserve(replay, (uint64_t)depth + items + 1))
		return false;
	if (!replay->last_tsc)
		replay->last_tsc = first_time(block, events, items);
	struct rt_open *open = replay->open;
	uint64_t last = replay->last_tsc;
	struct closed_column closed = { closed_at, last, depth, 0 };
	const uint32_t depth_before = depth, context_before = context_at(open, depth);

	for (uint32_t i = 0; i < items; i++) {
		uint64_t event = event_load(&events[i]);
		uint32_t id = (uint32_t)event;
		uint64_t tsc = high | event >> 32;

		if (__builtin_expect(!id, 0)) {
			id = hole_settle(open, depth, events + i + 1, items - i - 1, depth_after);
			if (!id)
				continue;
			ids = escape_put(ids, CPROF_ESCAPE_UNTIMED, 0);
			escapes++;
			tsc = last;
		}
		if (id & CPROF_EVENT_EXIT) {
			uint32_t to = id & CPROF_EVENT_ID, below = ~to;

			if (__builtin_expect(depth > 0, 1)) {
				depth--;
				if (__builtin_expect(depth < closed.low, 0))
					closed_put(&closed, &open[depth]);
				below = depth ? open[depth - 1].id : 0;
				if (__builtin_expect(below != to, 0) && below)
					below = rt_contexts_target(below);
			}
			*ids++ = below == to ? CPROF_ID_EXIT : CPROF_ID_EXIT_EXPLICIT;
			if (__builtin_expect(below != to, 0))
				ids = leb_put(ids, to);
		} else if (__builtin_expect(id < CPROF_ESCAPE_FIRST, 1)) {
			ids = leb_put(ids, id + CPROF_ID_ENTER_BASE);
			open[depth].id = id;
			open[depth].start_tsc = tsc > last ? tsc : last;
			depth++;
		} else {
			uint32_t kind = id - CPROF_ESCAPE_FIRST, payload = (uint32_t)(event >> 32);

			if (kind == CPROF_ESCAPE_CLOCK)
				high = (uint64_t)payload << 32;
			if (kind == CPROF_ESCAPE_CLOCK || kind == CPROF_ESCAPE_PAD)
				continue;
			if (kind == CPROF_ESCAPE_REPAIR || kind == CPROF_ESCAPE_LOST) { /* they end with the next event */
				uint32_t n = kind == CPROF_ESCAPE_LOST || payload > depth ? depth : payload;

				replay->repaired += n;
				while (n--)
					if (--depth < closed.low)
						closed_put(&closed, &open[depth]);
			}
			escapes++;
			if (is_switch(kind)) {
				ids = escape_put(ids, kind, tsc > last ? tsc - last : 0);
				replay->steps_back += tsc < last;
				last = tsc > last ? tsc : last;
				continue;
			}
			ids = escape_put(ids, kind, payload);
			continue;
		}
		if (__builtin_expect(tsc < last, 0)) {
			replay->steps_back++;
			tsc = last;
		}
		times = leb_put(times, tsc - last);
		last = tsc;
		timed++;
	}

	*columns = (struct cprof_events_header){ closed.items, (uint32_t)(closed.at - closed_at), (uint32_t)(ids - ids_at),
						 (uint32_t)(times - times_at) };
	__builtin_memmove(closed.at, ids_at, columns->ids_bytes);
	__builtin_memmove(closed.at + columns->ids_bytes, times_at, columns->times_bytes);
	ret->payload = buffer;
	ret->payload_bytes = sizeof *columns + columns->closed_bytes + columns->ids_bytes + columns->times_bytes;
	ret->header = (struct cprof_chunk_header){
		.magic = CPROF_CHUNK_MAGIC, .kind = CPROF_CHUNK_EVENTS, .version = CPROF_FORMAT_VERSION, .payload_bytes = ret->payload_bytes,
		.thread = block->thread, .strand = block->strand, .sequence = block->sequence, .first_tsc = closed.first_tsc, .last_tsc = last,
		.depth = depth_before, .context = context_before, .items = timed + escapes,
	};
	replay->last_tsc = last;
	replay->depth = depth;
	replay->events += timed;
	return true;
}
