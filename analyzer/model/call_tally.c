/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_tally.h"

#include <stdlib.h>
#include <string.h>

#include "huge_alloc.h"
#include "session.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum { BATCH_ITEMS = 4096 }; /* events between two looks at what they may need */

/* Bits of open_call.slot. */
#define OPEN_COUNTED   0x80000000u /* its groups count it */
#define OPEN_INHERITED 0x40000000u /* of the parent process, or from before the range: timed, not counted */
#define OPEN_SLOT      0x3FFFFFFFu

enum { NOBODY }; /* the slot whose time nobody reads */

/* Times stay below this, so that no sum of two wraps. */
#define TIME_LIMIT (UINT64_C(1) << 62)

enum call_ending { ENDED, ENDED_REPAIRED, CUT_BY_HOLE, CUT_BY_END };

struct cprof_error *call_tally_init(struct call_tally *tally, uint32_t nr_contexts, uint32_t nr_groups, bool unroll)
{
	uint64_t capacity = nr_contexts;

	if (!nr_contexts || nr_contexts > OPEN_SLOT - CALL_TALLY_MAX_PATHS)
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "a trace of %u contexts is more than this program can hold", nr_contexts);
	*tally = (struct call_tally){ .nr_contexts = nr_contexts, .nr_slots = nr_contexts, .slots_capacity = nr_contexts,
				      .nr_groups = nr_groups, .unroll = unroll, .range = { 0, UINT64_MAX, 0 } };
	sched_tally_init(&tally->sched, nr_contexts);
	tally->slots = huge_alloc(capacity * sizeof *tally->slots);
	tally->rare = huge_alloc(capacity * sizeof *tally->rare);
	tally->groups = calloc(nr_groups, sizeof *tally->groups);
	if (!tally->slots || !tally->rare || !tally->groups) {
		call_tally_deinit(tally);
		return &cprof_enomem;
	}
	memset(tally->slots, 0, capacity * sizeof *tally->slots);
	memset(tally->rare, 0, capacity * sizeof *tally->rare);
	return NULL;
}

void call_tally_deinit(struct call_tally *tally)
{
	histogram_store_deinit(&tally->store);
	free(tally->slots);
	free(tally->rare);
	free(tally->groups);
	free(tally->paths);
	number_map_deinit(&tally->path_slots);
	sched_tally_deinit(&tally->sched);
	free(tally->carries);
	free(tally->stack);
	*tally = (struct call_tally){ 0 };
}

void call_tally_reset(struct call_tally *tally)
{
	histogram_store_deinit(&tally->store);
	for (uint32_t i = 0; i < tally->nr_slots; i++) {
		struct call_slot *slot = &tally->slots[i];

		slot->durations = (struct histogram){ 0 };
		slot->self_ticks = slot->min_complement = slot->max_ticks = 0;
	}
	memset(tally->rare, 0, tally->nr_slots * sizeof *tally->rare);
	memset(tally->groups, 0, tally->nr_groups * sizeof *tally->groups);
	sched_tally_reset(&tally->sched);
	tally->nr_carries = 0;
	tally->totals = (struct call_tally_totals){ 0 };
}

/* Paths: slots made while streaming. */

static bool paths_grow(struct call_tally *tally)
{
	uint64_t capacity = tally->slots_capacity + (tally->slots_capacity < 1024 ? 1024 : tally->slots_capacity / 2);
	struct call_slot *slots = huge_alloc(capacity * sizeof *slots);
	struct call_slot_rare *rare = slots ? realloc(tally->rare, capacity * sizeof *rare) : NULL;
	struct call_path *paths = rare ? realloc(tally->paths, (capacity - tally->nr_contexts) * sizeof *paths) : NULL;

	if (rare)
		tally->rare = rare;
	if (paths)
		tally->paths = paths;
	if (!paths || !sched_tally_reserve(&tally->sched, (uint32_t)capacity)) {
		free(slots);
		return false;
	}
	memcpy(slots, tally->slots, tally->nr_slots * sizeof *slots);
	free(tally->slots);
	tally->slots = slots;
	tally->slots_capacity = (uint32_t)capacity;
	return true;
}

static uint32_t path_make(struct call_tally *tally, uint32_t parent, uint32_t id)
{
	uint32_t number = tally->nr_slots;

	if (number - tally->nr_contexts >= CALL_TALLY_MAX_PATHS) {
		tally->too_many_paths = true;
		return id;
	}
	if (number == tally->slots_capacity && !paths_grow(tally)) {
		tally->no_memory = true;
		return id;
	}
	if (number_map_add(&tally->path_slots, (struct number_key){ parent, id, 0 }, number)) {
		tally->no_memory = true;
		return id;
	}
	const struct call_slot *origin = &tally->slots[id];
	tally->slots[number] = (struct call_slot){
		.target = tally->unroll ? number : origin->target,
		.flags = origin->flags & (CALL_SLOT_COUNTED | CALL_SLOT_SKIP),
		.node_group = tally->unroll ? 0 : origin->node_group,
		.function_group = origin->function_group,
		.parent = parent,
	};
	tally->rare[number] = (struct call_slot_rare){ 0 };
	tally->paths[number - tally->nr_contexts] = (struct call_path){ parent, id };
	tally->nr_slots++;
	return number;
}

static __attribute__((noinline)) uint32_t path_slot(struct call_tally *tally, uint32_t parent, uint32_t id)
{
	uint32_t slot = number_map_find(&tally->path_slots, (struct number_key){ parent, id, 0 });

	return slot == NUMBER_MAP_NONE ? path_make(tally, parent, id) : slot;
}

static ALWAYS_INLINE bool enter_needs_path(const struct call_slot *slot, uint32_t current, bool unroll)
{
	return unlikely(slot->flags & CALL_SLOT_PATH) || (unroll && slot->parent != current);
}

/* Single calls. */

static __attribute__((noinline)) void note_carry(struct call_tally *tally, uint32_t slot, uint32_t bucket, enum histogram_result result)
{
	struct call_carry *carries = NULL;

	if (result == HISTOGRAM_CARRY)
		carries = realloc(tally->carries, (tally->nr_carries + 1) * sizeof *carries);
	if (!carries) {
		tally->no_memory = true;
		return;
	}
	tally->carries = carries;
	carries[tally->nr_carries++] = (struct call_carry){ slot, bucket };
}

static ALWAYS_INLINE void credit_duration(struct call_tally *tally, struct call_slot *slots, uint32_t number, uint64_t ticks)
{
	struct call_slot *slot = &slots[number];
	uint32_t bucket = histogram_bucket(ticks);

	if (unlikely(~ticks > slot->min_complement))
		slot->min_complement = ~ticks;
	if (unlikely(ticks > slot->max_ticks))
		slot->max_ticks = ticks;

	enum histogram_result result = histogram_add(&slot->durations, &tally->store, bucket);
	if (unlikely(result != HISTOGRAM_OK))
		note_carry(tally, number, bucket, result);
}

static ALWAYS_INLINE void groups_open(struct call_group *groups, const struct call_slot *slot)
{
	groups[slot->node_group].open++;
	groups[slot->function_group].open++;
}

/* The last of a group's open calls to end is the first that began. */
static ALWAYS_INLINE void groups_close(struct call_group *groups, const struct call_slot *slot, uint64_t ticks)
{
	if (!--groups[slot->node_group].open)
		groups[slot->node_group].span_ticks += ticks;
	if (!--groups[slot->function_group].open)
		groups[slot->function_group].span_ticks += ticks;
}

/* Nothing is credited now. */
static bool is_muted(const struct call_tally *tally)
{
	return tally->before_range || tally->skip_depth;
}

/* Events must be looked at one by one. */
static bool is_watched(const struct call_tally *tally)
{
	return unlikely(is_muted(tally) || tally->skip_left || tally->may_end || tally->may_edge);
}

/* Calls with CALL_SLOT_SKIP: the call on top of the stack is new. */
static void skip_begin(struct call_tally *tally)
{
	if (tally->skip_open++ || tally->before_range || !tally->skip_left)
		return;
	tally->skip_left--;
	tally->skip_depth = tally->depth;
	tally->stack[tally->depth - 1].slot |= OPEN_INHERITED;
}

static void call_open(struct call_tally *tally, uint32_t id, uint64_t start_ticks, bool inherited)
{
	uint32_t number = id;

	if (enter_needs_path(&tally->slots[id], tally->current, tally->unroll))
		number = path_slot(tally, tally->current, id);

	const struct call_slot *slot = &tally->slots[number];

	tally->stack[tally->depth++] = (struct open_call){ start_ticks, number | (inherited || is_muted(tally) ? OPEN_INHERITED : 0), tally->current };
	tally->current = slot->target;
	if (unlikely(slot->flags & CALL_SLOT_SKIP) && is_watched(tally))
		skip_begin(tally);
	if (slot->flags & CALL_SLOT_COUNTED && !is_muted(tally)) {
		tally->stack[tally->depth - 1].slot |= OPEN_COUNTED;
		groups_open(tally->groups, slot);
	}
}

static void call_close(struct call_tally *tally, enum call_ending ending)
{
	struct open_call call = tally->stack[--tally->depth];
	uint32_t number = call.slot & OPEN_SLOT;
	uint64_t ticks = tally->now - call.start_ticks;

	if (call.slot & OPEN_COUNTED)
		groups_close(tally->groups, &tally->slots[number], ticks);
	tally->current = call.caller;
	if (tally->skip_open && tally->slots[number].flags & CALL_SLOT_SKIP)
		tally->skip_open--;
	if (tally->depth < tally->skip_depth)
		tally->skip_depth = 0;
	if (call.slot & OPEN_INHERITED)
		return;
	if (ending == ENDED || ending == ENDED_REPAIRED)
		credit_duration(tally, tally->slots, number, ticks);
	else
		tally->rare[number].calls_cut++;
	tally->rare[number].repaired += ending == ENDED_REPAIRED || ending == CUT_BY_HOLE;
	tally->rare[number].open += ending == CUT_BY_END;
}

static void calls_close(struct call_tally *tally, uint64_t count, enum call_ending ending)
{
	while (count-- && tally->depth)
		call_close(tally, ending);
}

/* As the trace's clock says it. */
static uint64_t time_real(const struct call_tally *tally)
{
	return tally->now + tally->suspended;
}

/* What tally->now is at a time of the trace's clock that is not before it. */
static uint64_t time_running(const struct call_tally *tally, uint64_t real_ticks)
{
	return real_ticks > tally->suspended ? real_ticks - tally->suspended : 0;
}

static void time_advance(struct call_tally *tally, uint64_t ticks)
{
	tally->now += ticks;
	if (!is_muted(tally))
		tally->slots[tally->current].self_ticks += ticks;
}

/* What the scheduler did: see sched_tally.h. */

static void sched_take(struct call_tally *tally, uint32_t payload)
{
	uint64_t shrunk = tally->sched.figures.shrunk;

	tally->no_memory |= !sched_tally_take(&tally->sched, payload, tally->current, !is_muted(tally));
	tally->totals.sched_shrunk += tally->sched.figures.shrunk - shrunk;
}

void call_tally_add_tail(struct call_tally *tally, const uint64_t *figures)
{
	if (tally->started && !tally->is_suspended && !is_muted(tally) && !tally->after_range)
		tally->no_memory |= !sched_tally_add(&tally->sched, figures, tally->current);
}

/* The range. */

/* What is open goes on, as if it began now. */
static void range_begin(struct call_tally *tally)
{
	tally->before_range = false;
	tally->totals.going_on |= tally->current != NOBODY;
	for (size_t i = 0; i < tally->depth; i++) {
		struct open_call *call = &tally->stack[i];
		const struct call_slot *slot = &tally->slots[call->slot & OPEN_SLOT];

		call->start_ticks = tally->now;
		if (slot->flags & CALL_SLOT_COUNTED) {
			call->slot |= OPEN_COUNTED;
			groups_open(tally->groups, slot);
		}
	}
}

/* Moves on to a later time (on the scale of tally->now), and over the ends of the range. */
static void time_reach_covered(struct call_tally *tally, uint64_t ticks)
{
	uint64_t from_ticks = time_running(tally, tally->range.from_ticks), to_ticks = time_running(tally, tally->range.to_ticks);

	if (tally->before_range && ticks >= from_ticks) {
		if (from_ticks > tally->now)
			time_advance(tally, from_ticks - tally->now);
		range_begin(tally);
	}
	if (ticks < to_ticks) {
		time_advance(tally, ticks - tally->now);
		return;
	}
	if (to_ticks > tally->now)
		time_advance(tally, to_ticks - tally->now);
	calls_close(tally, UINT64_MAX, CUT_BY_END);
	tally->after_range = true;
}

/* The strand does not run for so long. */
static void time_suspend(struct call_tally *tally, uint64_t ticks)
{
	const struct tally_range *range = &tally->range;
	uint64_t from = time_real(tally), to = from + ticks;
	bool ends = to >= range->to_ticks;

	if (tally->before_range && to >= range->from_ticks) {
		tally->suspended += range->from_ticks > from ? range->from_ticks - from : 0;
		from = time_real(tally);
		range_begin(tally);
	}
	to = ends ? range->to_ticks : to;
	if (to > from) {
		tally->suspended += to - from;
		if (!is_muted(tally))
			tally->rare[tally->current].suspended_ticks += to - from;
	}
	if (ends) {
		calls_close(tally, UINT64_MAX, CUT_BY_END);
		tally->after_range = true;
	}
}

/* The same, and over the ends of the cover: two at most. */
static void time_reach(struct call_tally *tally, uint64_t ticks)
{
	for (uint64_t edge; unlikely((edge = time_running(tally, sched_tally_edge(&tally->sched))) <= ticks) && !tally->no_memory && !tally->after_range;) {
		time_reach_covered(tally, edge > tally->now ? edge : tally->now);
		tally->no_memory |= !sched_tally_turn(&tally->sched, tally->slots, tally->nr_slots);
	}
	if (!tally->after_range)
		time_reach_covered(tally, ticks);
}

/* Nothing is known of the stack any more. */
static void stack_forget(struct call_tally *tally)
{
	calls_close(tally, UINT64_MAX, CUT_BY_HOLE);
	tally->current = 0;
	tally->pending_repairs = tally->pending_inherited = 0;
}

static bool stack_reserve(struct call_tally *tally, size_t more)
{
	size_t capacity = tally->stack_capacity;

	if (tally->depth + more <= capacity)
		return true;
	while (capacity < tally->depth + more)
		capacity = capacity ? capacity * 2 : 4 * BATCH_ITEMS;

	struct open_call *stack = realloc(tally->stack, capacity * sizeof *stack);
	if (!stack) {
		tally->no_memory = true;
		return false;
	}
	tally->stack = stack;
	tally->stack_capacity = capacity;
	return true;
}

/* Chunks. */

/* The next step of time. False: the column's end, or no time that can be. */
static __attribute__((noinline)) bool time_next(struct leb_column *column, uint64_t now, uint64_t *delta)
{
	struct leb_column after = *column;

	if (!leb_column_next(&after, delta) || *delta > TIME_LIMIT || now + *delta > TIME_LIMIT)
		return false;
	*column = after;
	return true;
}

/*
 * For id columns of at least 4 bytes more, and stacks with room for BATCH_ITEMS more calls: plain enters and exits, up to the first item that is anything
 * else, is longer than 4 bytes, or is too near the column's end to be loaded at once. Most steps of time are a byte, which cannot make time wrap.
 * Returns whether it stopped only because the batch was full.
 */
static ALWAYS_INLINE bool events_run(struct call_tally *tally, const bool unroll, const enum leb_gather gather)
{
	const uint8_t *id = tally->ids.next, *const id_limit = tally->ids.end - sizeof(uint32_t); /* last place to load from */
	const uint8_t *time = tally->times.next, *const time_end = tally->times.end;
	struct open_call *bottom = tally->stack, *top = bottom + tally->depth; /* top[-1] is the innermost call */
	struct call_slot *slots = tally->slots;
	struct call_group *groups = tally->groups;
	const uint32_t nr_contexts = tally->nr_contexts;
	uint32_t current = tally->current, left = BATCH_ITEMS;
	uint64_t now = tally->now;

	for (; left && id <= id_limit && time < time_end; left--) {
		const uint8_t *const time_before = time;
		uint64_t delta = *time;
		uint32_t word;

		memcpy(&word, id, sizeof word);
		if (unlikely(delta & 0x80)) {
			struct leb_column times = { time, time_end }; /* only here: what has an address is kept in memory */
			uint64_t long_delta;

			if (!time_next(&times, now, &long_delta))
				break;
			delta = long_delta;
			time = times.next;
		} else {
			time++;
		}
		if (!(word & 0xff)) { /* CPROF_ID_EXIT */
			if (unlikely(top == bottom)) {
				time = time_before;
				break;
			}

			struct open_call call = *--top;
			id++;
			now += delta;
			slots[current].self_ticks += delta;
			current = call.caller;
			if (unlikely(call.slot & ~OPEN_SLOT)) {
				uint32_t bits = call.slot;

				call.slot &= OPEN_SLOT;
				if (bits & OPEN_COUNTED)
					groups_close(groups, &slots[call.slot], now - call.start_ticks);
				if (bits & OPEN_INHERITED)
					continue;
			}
			credit_duration(tally, slots, call.slot, now - call.start_ticks);
		} else {
			uint32_t ends = ~word & 0x80808080, number = leb_gather_word(word, ends, gather) - CPROF_ID_ENTER_BASE;

			/* Below the base this wraps; 0 is no context. */
			if (unlikely(!ends || number - 1 >= nr_contexts - 1)) {
				time = time_before;
				break;
			}
			id += (uint32_t)__builtin_ctz(ends) / 8 + 1;
			now += delta;
			slots[current].self_ticks += delta;
			if (enter_needs_path(&slots[number], current, unroll)) {
				number = path_slot(tally, current, number);
				slots = tally->slots;
			}
			*top = (struct open_call){ now, number, current };
			if (slots[number].flags & CALL_SLOT_COUNTED) {
				top->slot |= OPEN_COUNTED;
				groups_open(groups, &slots[number]);
			}
			top++;
			current = slots[number].target;
		}
	}
	tally->totals.events += BATCH_ITEMS - left;
	tally->ids.next = id;
	tally->times.next = time;
	tally->depth = (size_t)(top - bottom);
	tally->current = current;
	tally->now = now;
	return !left;
}

static LEB_PEXT_TARGET bool events_run_pext(struct call_tally *tally)
{
	return events_run(tally, false, LEB_GATHER_PEXT);
}

static bool events_run_plain(struct call_tally *tally)
{
	return events_run(tally, false, LEB_GATHER_PLAIN);
}

static bool events_run_unrolled(struct call_tally *tally)
{
	return events_run(tally, true, LEB_GATHER_PLAIN);
}

/* SUSPEND or RESUME. False: that cannot be. */
static bool switch_take(struct call_tally *tally, uint32_t kind)
{
	uint64_t ticks;

	if (!leb_column_next(&tally->ids, &ticks) || ticks > TIME_LIMIT || time_real(tally) + ticks > TIME_LIMIT)
		return false;
	if (tally->is_suspended)
		time_suspend(tally, ticks);
	else
		time_reach(tally, tally->now + ticks);
	tally->is_suspended = kind == CPROF_ESCAPE_SUSPEND;
	return true;
}

static void escape_take(struct call_tally *tally, uint32_t kind, uint64_t payload)
{
	switch (kind) {
	case CPROF_ESCAPE_REPAIR:
		tally->pending_repairs += payload;
		break;
	case CPROF_ESCAPE_UNMATCHED:
		tally->totals.unmatched_exits += payload;
		break;
	case CPROF_ESCAPE_INHERIT:
		tally->pending_inherited += payload;
		break;
	case CPROF_ESCAPE_SCHED:
		sched_take(tally, (uint32_t)payload);
		break;
	case CPROF_ESCAPE_LOST:
		tally->totals.lost_events += payload;
		sched_figures_hole(&tally->sched.figures);
		stack_forget(tally);
		break;
	default: /* nothing that changes a sum */
		break;
	}
}

static void exit_take(struct call_tally *tally, bool is_explicit, uint32_t context)
{
	bool known = tally->depth > 0;

	if (known)
		call_close(tally, ENDED);
	else
		tally->current = tally->slots[tally->current].parent;
	/* Unrolled, the same context is another slot: it stays, if what it stands for is right. */
	if (is_explicit && tally->current != context) {
		uint32_t slot = tally->current;
		uint32_t id = slot < tally->nr_contexts ? slot : tally->paths[slot - tally->nr_contexts].id;

		if (slot < tally->nr_contexts || tally->slots[id].target != context) {
			tally->totals.wrong_exits += known;
			tally->current = context;
		}
	}
}

/* A number of the id column; UINT32_MAX, which means nothing there, when it is larger. */
static bool id_next(struct call_tally *tally, uint32_t *ret)
{
	uint64_t number;

	if (!leb_column_next(&tally->ids, &number))
		return false;
	*ret = number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
	return true;
}

/* One item of any kind, by the book. False: it makes no sense, or is cut off. */
static bool item_take(struct call_tally *tally)
{
	uint32_t kind, number = 0, payload;
	uint64_t delta;

	if (!id_next(tally, &kind))
		return false;
	if (kind == CPROF_ID_ESCAPE) {
		if (!id_next(tally, &number))
			return false;
		if (number == CPROF_ESCAPE_SUSPEND || number == CPROF_ESCAPE_RESUME)
			return switch_take(tally, number);
		if (!id_next(tally, &payload))
			return false;
		escape_take(tally, number, payload);
		return true;
	}
	if (kind > CPROF_ID_ENTER_BASE)
		number = kind - CPROF_ID_ENTER_BASE;
	else if (kind == CPROF_ID_EXIT_EXPLICIT && !id_next(tally, &number))
		return false;
	if (number >= tally->nr_contexts || !time_next(&tally->times, tally->now, &delta))
		return false;
	if (tally->is_suspended) /* without a RESUME: it has been lost */
		time_suspend(tally, delta);
	else
		time_reach(tally, tally->now + delta);
	if (tally->after_range)
		return true;
	tally->is_suspended = false;
	tally->totals.events += !tally->before_range;
	calls_close(tally, tally->pending_repairs, ENDED_REPAIRED);
	tally->pending_repairs = 0;
	if (kind > CPROF_ID_ENTER_BASE) {
		call_open(tally, number, tally->now, tally->pending_inherited > 0);
		tally->pending_inherited -= tally->pending_inherited > 0;
	} else {
		exit_take(tally, kind == CPROF_ID_EXIT_EXPLICIT, number);
	}
	return true;
}

/* False: the columns do not agree, or make no sense from some point on. */
static bool columns_run(struct call_tally *tally)
{
	bool (*run)(struct call_tally *) = tally->unroll ? events_run_unrolled : leb_pext_is_fast() ? events_run_pext : events_run_plain;

	while (tally->ids.next != tally->ids.end) {
		if (tally->depth > CALL_TALLY_MAX_DEPTH || !stack_reserve(tally, BATCH_ITEMS))
			return false;
		if (!tally->pending_repairs && !tally->pending_inherited && !tally->is_suspended && tally->ids.end - tally->ids.next >= (ptrdiff_t)sizeof(uint32_t) &&
		    !is_watched(tally)) {
			if (run(tally))
				continue;
			if (tally->ids.next == tally->ids.end)
				break;
		}
		if (!item_take(tally))
			return false;
		if (tally->after_range)
			return true;
	}
	return tally->times.next == tally->times.end;
}

static struct cprof_error *tally_failure(const struct call_tally *tally)
{
	if (tally->no_memory)
		return &cprof_enomem;
	if (tally->too_many_paths)
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "unrolled, this run has more than %u contexts; try --recursion=fold",
					  CALL_TALLY_MAX_PATHS);
	return NULL;
}

void call_tally_begin_thread(struct call_tally *tally)
{
	tally->started = tally->is_suspended = false;
	tally->now = tally->suspended = 0;
	tally->current = 0;
	tally->depth = 0;
	tally->pending_repairs = tally->pending_inherited = 0;
	tally->before_range = tally->range.from_ticks > 0;
	tally->after_range = false;
	tally->skip_left = tally->range.skip_first;
	tally->skip_open = tally->skip_depth = 0;
	tally->may_edge = false;
	sched_tally_begin_thread(&tally->sched);
}

struct cprof_error *call_tally_set_cover(struct call_tally *tally, struct tally_cover cover)
{
	return sched_tally_set_cover(&tally->sched, cover, tally->slots, tally->nr_slots) ? NULL : &cprof_enomem;
}

/* Whether the steps of time lead from now to ticks. */
static bool times_reach(struct leb_column times, uint64_t now, uint64_t ticks)
{
	uint64_t delta;

	while (now < ticks && time_next(&times, now, &delta))
		now += delta;
	return now >= ticks;
}

static void chunk_begin(struct call_tally *tally, const struct events_chunk *chunk)
{
	uint64_t first_tsc = chunk->header.first_tsc < TIME_LIMIT ? chunk->header.first_tsc : TIME_LIMIT;

	if (!tally->started) /* nothing is known of the time before */
		tally->now = first_tsc;
	first_tsc = time_running(tally, first_tsc);
	time_reach(tally, first_tsc > tally->now ? first_tsc : tally->now);
	/* After a loss the stack is unknown, but what is current is not. */
	if (!tally->depth && chunk->header.context < tally->nr_contexts)
		tally->current = chunk->header.context;
	tally->ids = (struct leb_column){ chunk->ids, chunk->ids + chunk->ids_bytes };
	tally->times = (struct leb_column){ chunk->times, chunk->times + chunk->times_bytes };
	uint64_t edge = sched_tally_edge(&tally->sched);

	tally->may_edge = edge < TIME_LIMIT && (chunk->header.last_tsc >= edge || times_reach(tally->times, tally->now, time_running(tally, edge)));
	/* Times of suspension are not in the column: with them only the header knows. */
	tally->may_end = tally->range.to_ticks < TIME_LIMIT && (chunk->header.last_tsc >= tally->range.to_ticks ||
								 times_reach(tally->times, tally->now, time_running(tally, tally->range.to_ticks)));
}

static void totals_take_time(struct call_tally_totals *totals, uint64_t first_tsc, uint64_t last_tsc)
{
	if (!totals->last_tsc || first_tsc < totals->first_tsc)
		totals->first_tsc = first_tsc;
	if (last_tsc > totals->last_tsc)
		totals->last_tsc = last_tsc;
}

struct cprof_error *call_tally_add_chunk(struct call_tally *tally, const struct events_chunk *chunk)
{
	struct leb_column times;
	uint64_t first_delta;

	if (!tally->after_range)
		chunk_begin(tally, chunk);
	if (tally->after_range)
		return NULL;
	times = tally->times;
	if (!tally->started && time_next(&times, tally->now, &first_delta)) {
		totals_take_time(&tally->totals, time_real(tally) + first_delta, 0);
		tally->started = true;
	}

	bool good = columns_run(tally);
	if (!good) {
		tally->totals.damaged_chunks++;
		stack_forget(tally);
		sched_figures_hole(&tally->sched.figures);
	}
	if (tally->started)
		totals_take_time(&tally->totals, tally->totals.first_tsc, time_real(tally));
	return tally_failure(tally);
}

/* To the end of a hole. Its time is nobody's. */
static void hole_pass(struct call_tally *tally, uint64_t resume_tsc)
{
	uint32_t current = tally->current;

	tally->current = NOBODY;
	time_reach(tally, time_running(tally, resume_tsc));
	if (!tally->after_range)
		tally->current = current;
}

/* A call that was made in the hole, perhaps before the range. */
static void hole_open(struct call_tally *tally, const struct open_call *call)
{
	uint64_t start = time_running(tally, call->start_ticks), from = time_running(tally, tally->range.from_ticks);
	uint64_t start_ticks = start < tally->now ? start : tally->now;
	bool before = start_ticks < from;

	call_open(tally, call->slot, before && !tally->before_range ? from : start_ticks, before);
}

struct cprof_error *call_tally_hole(struct call_tally *tally, const struct tally_hole *hole)
{
	if (tally->after_range)
		return NULL;
	sched_figures_hole(&tally->sched.figures);
	calls_close(tally, tally->pending_repairs, ENDED_REPAIRED);
	tally->pending_repairs = tally->pending_inherited = 0;
	tally->is_suspended = false;
	/* keep_until is of the trace's clock, the stack of the strand's: with suspensions they cannot be compared. */
	while (tally->depth && !(hole->keep && !tally->suspended && tally->stack[tally->depth - 1].start_ticks <= hole->keep_until))
		call_close(tally, CUT_BY_HOLE);
	if (hole->resume_tsc > time_real(tally) && hole->resume_tsc < TIME_LIMIT)
		hole_pass(tally, hole->resume_tsc);
	if (tally->after_range)
		return NULL;
	if (hole->nr_opened > CALL_TALLY_MAX_DEPTH || !stack_reserve(tally, hole->nr_opened))
		return &cprof_enomem;
	for (size_t i = 0; i < hole->nr_opened; i++) {
		struct open_call call = hole->opened[i];

		if (call.slot && call.slot < tally->nr_contexts)
			hole_open(tally, &call);
	}

	uint32_t slot = tally->current;
	uint32_t id = slot < tally->nr_contexts ? slot : tally->paths[slot - tally->nr_contexts].id;
	if (hole->context < tally->nr_contexts && tally->slots[id].target != hole->context)
		tally->current = hole->context;
	return tally_failure(tally);
}

struct cprof_error *call_tally_end_thread(struct call_tally *tally, uint64_t end_tsc)
{
	if (tally->started && end_tsc > time_real(tally) && end_tsc < TIME_LIMIT && !tally->after_range) {
		if (tally->is_suspended)
			time_suspend(tally, end_tsc - time_real(tally));
		else
			time_reach(tally, time_running(tally, end_tsc));
	}
	calls_close(tally, tally->pending_repairs, ENDED_REPAIRED);
	calls_close(tally, UINT64_MAX, CUT_BY_END);
	tally->no_memory |= !sched_tally_end_thread(&tally->sched, tally->slots, tally->nr_slots);
	call_tally_begin_thread(tally);
	return tally_failure(tally);
}
