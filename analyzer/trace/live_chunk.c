/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a live block to columns; see live_chunk.h and docs/trace-format.md sections 4 and 6. */
#include "live_chunk.h"

#include <inttypes.h>

struct converter {
	struct live_chunk *chunk;
	const struct trace_tables *tables;
	struct call_stack *stack;
	uint64_t lowest;           /* least number of open calls so far, of those open before the block */
	uint64_t high;             /* upper half of the clock */
	uint64_t first_tsc, ticks;
	uint32_t items, closed_items;
	uint64_t unfinished;       /* zero words since the last event */
};

void live_chunk_deinit(struct live_chunk *chunk)
{
	bytes_deinit(&chunk->closed);
	bytes_deinit(&chunk->ids);
	bytes_deinit(&chunk->times);
}

static bool add_escape(struct converter *converter, uint32_t kind, uint64_t payload)
{
	struct bytes *ids = &converter->chunk->ids;

	converter->items++;
	return bytes_add_leb128(ids, CPROF_ID_ESCAPE) && bytes_add_leb128(ids, kind) && bytes_add_leb128(ids, payload);
}

/* Closes the innermost call; one that was open before the block goes to the closed column. */
static bool close_call(struct converter *converter, bool *was_open)
{
	struct call_stack *stack = converter->stack;
	struct closed_call call;

	*was_open = call_stack_pop(stack, converter->tables, &call);
	if (*was_open && !call.id) { /* open when a hole began, and nothing tells what it was: no column can name it */
		call_stack_reset(stack, 0, 0);
		*was_open = false;
	}
	if (!*was_open || stack->unknown + stack->nr >= converter->lowest)
		return true;
	converter->lowest--;
	converter->closed_items++;

	uint64_t ago = call.start_ticks < converter->first_tsc ? converter->first_tsc - call.start_ticks : 0;

	return bytes_add_leb128(&converter->chunk->closed, call.id) && bytes_add_leb128(&converter->chunk->closed, ago);
}

/* Ticks since the last time. A step back of the clock is none. */
static uint64_t pass_time(struct converter *converter, uint64_t ticks)
{
	uint64_t delta = ticks > converter->ticks ? ticks - converter->ticks : 0;

	converter->ticks += delta;
	return delta;
}

static bool add_time(struct converter *converter, uint64_t ticks)
{
	converter->items++;
	return bytes_add_leb128(&converter->chunk->times, pass_time(converter, ticks));
}

static struct cprof_error *add_enter(struct converter *converter, uint32_t id, uint64_t ticks)
{
	if (!add_time(converter, ticks) || !bytes_add_leb128(&converter->chunk->ids, id + (uint64_t)CPROF_ID_ENTER_BASE))
		return &cprof_enomem;
	return call_stack_push(converter->stack, converter->tables, id, converter->ticks);
}

static struct cprof_error *add_exit(struct converter *converter, uint32_t returned_to, uint64_t ticks)
{
	struct bytes *ids = &converter->chunk->ids;
	bool was_open;

	if (!close_call(converter, &was_open))
		return &cprof_enomem;
	if (!was_open)
		return add_escape(converter, CPROF_ESCAPE_UNMATCHED, 1) ? NULL : &cprof_enomem;
	bool added = add_time(converter, ticks);

	if (returned_to == converter->stack->current)
		added = added && bytes_add_leb128(ids, CPROF_ID_EXIT);
	else
		added = added && bytes_add_leb128(ids, CPROF_ID_EXIT_EXPLICIT) && bytes_add_leb128(ids, returned_to);
	return added ? NULL : &cprof_enomem;
}

static uint32_t parent_of(const struct converter *converter, uint32_t id)
{
	return id < converter->tables->nr_contexts ? converter->tables->contexts[id].parent : 0;
}

/* The context that is current after an exit now. */
static uint32_t context_below(const struct converter *converter)
{
	const struct call_stack *stack = converter->stack;

	if (stack->nr + stack->unknown < 2)
		return 0;
	if (stack->nr >= 2) {
		uint32_t below = stack->calls[stack->nr - 2].id;

		return below < converter->tables->nr_contexts ? converter->tables->contexts[below].target : below;
	}
	return parent_of(converter, stack->nr ? stack->calls[0].id : stack->current);
}

/*
 * Before the enter of id there were unfinished events. Their writers were interrupted for ever, each by the handler that wrote the next event,
 * so they are enters from one context down to id's parent, except that the first may be an exit. Where both fit, or neither, nothing is proven.
 */
static struct cprof_error *restore_unfinished(struct converter *converter, uint32_t id, uint64_t ticks)
{
	uint32_t chain[16]; /* contexts between the current one and id, innermost first */
	size_t nr = 0, unfinished = (size_t)converter->unfinished;
	struct cprof_error *error = NULL;

	converter->unfinished = 0;
	if (unfinished > sizeof chain / sizeof *chain || id >= converter->tables->nr_contexts) {
		converter->chunk->dropped += unfinished;
		return NULL;
	}
	uint32_t above = parent_of(converter, id); /* where the last unfinished event led to */

	for (; nr + 1 < unfinished && above; above = parent_of(converter, above))
		chain[nr++] = above;
	bool open = converter->stack->nr + converter->stack->unknown > 0;
	bool exited = nr + 1 == unfinished && open && context_below(converter) == above;
	bool entered = nr + 1 == unfinished && above && parent_of(converter, above) == converter->stack->current;

	if (exited == entered) {
		converter->chunk->dropped += unfinished;
		return NULL;
	}
	if (entered)
		chain[nr++] = above;
	if (exited) {
		if (!add_escape(converter, CPROF_ESCAPE_UNTIMED, 0))
			return &cprof_enomem;
		error = add_exit(converter, above, ticks);
	}
	while (!error && nr) {
		if (!add_escape(converter, CPROF_ESCAPE_UNTIMED, 0))
			return &cprof_enomem;
		error = add_enter(converter, chain[--nr], ticks);
	}
	converter->chunk->restored += unfinished;
	return error;
}

static struct cprof_error *convert_escape(struct converter *converter, uint32_t kind, uint32_t payload)
{
	bool was_open = true, added = true;

	if (kind == CPROF_ESCAPE_CLOCK) {
		converter->high = payload;
		return NULL;
	}
	if (kind == CPROF_ESCAPE_PAD)
		return NULL;
	converter->chunk->dropped += converter->unfinished;
	converter->unfinished = 0;
	if (kind == CPROF_ESCAPE_SUSPEND || kind == CPROF_ESCAPE_RESUME)
		return add_escape(converter, kind, pass_time(converter, converter->high << 32 | payload)) ? NULL : &cprof_enomem;
	uint64_t calls = kind == CPROF_ESCAPE_REPAIR ? payload : kind == CPROF_ESCAPE_LOST ? UINT64_MAX : 0;

	for (uint64_t i = 0; i < calls && added && was_open; i++)
		added = close_call(converter, &was_open);
	return added && add_escape(converter, kind, payload) ? NULL : &cprof_enomem;
}

static struct cprof_error *convert_word(struct converter *converter, uint64_t word)
{
	uint32_t low = (uint32_t)word, id = low & CPROF_EVENT_ID;
	uint64_t ticks = converter->high << 32 | word >> 32;
	struct cprof_error *error = NULL;

	if (!word) {
		converter->unfinished++;
		return NULL;
	}
	if (!(low & CPROF_EVENT_EXIT) && id >= CPROF_ESCAPE_FIRST)
		return convert_escape(converter, id - CPROF_ESCAPE_FIRST, (uint32_t)(word >> 32));
	if (low & CPROF_EVENT_EXIT) {
		converter->chunk->dropped += converter->unfinished;
		converter->unfinished = 0;
		return add_exit(converter, id, ticks);
	}
	if (converter->unfinished)
		error = restore_unfinished(converter, id, ticks);
	return error ? error : add_enter(converter, id, ticks);
}

/* Whether the word says a time; *high is the clock's upper half there. */
static bool word_time(uint64_t word, uint64_t *high, uint64_t *ret)
{
	uint32_t low = (uint32_t)word;

	if (low == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_CLOCK)
		*high = word >> 32;
	else if (word && (low & CPROF_EVENT_EXIT || low < CPROF_ESCAPE_FIRST || low == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_SUSPEND ||
			  low == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_RESUME)) {
		*ret = *high << 32 | word >> 32;
		return true;
	}
	return false;
}

static uint64_t first_time(const struct live_block *block)
{
	uint64_t high = block->header.tsc_high, time = 0;

	for (size_t i = 0; i < block->nr_words; i++)
		if (word_time(block->words[i], &high, &time))
			return time;
	return 0;
}

uint64_t live_block_last_tsc(const struct live_block *block)
{
	uint64_t high = block->header.tsc_high, time = 0, last = 0;

	for (size_t i = 0; i < block->nr_words; i++)
		if (word_time(block->words[i], &high, &time) && time > last)
			last = time;
	return last;
}

struct cprof_error *live_chunk_make(struct live_chunk *chunk, const struct live_block *block, const struct trace_tables *tables, uint64_t last_tsc,
				    struct call_stack *stack, struct events_chunk *ret)
{
	struct converter converter = { .chunk = chunk, .tables = tables, .stack = stack, .lowest = stack->unknown + stack->nr,
				       .high = block->header.tsc_high, .first_tsc = last_tsc, .ticks = last_tsc };
	uint64_t first_tsc = first_time(block);
	struct cprof_error *error = NULL;

	if (first_tsc > last_tsc)
		converter.first_tsc = converter.ticks = first_tsc;
	bytes_clear(&chunk->closed);
	bytes_clear(&chunk->ids);
	bytes_clear(&chunk->times);
	for (size_t i = 0; i < block->nr_words && !error; i++)
		error = convert_word(&converter, block->words[i]);
	if (error)
		return error;
	chunk->dropped += converter.unfinished;
	*ret = (struct events_chunk){
		.header = { .magic = CPROF_CHUNK_MAGIC,
			    .kind = CPROF_CHUNK_EVENTS,
			    .version = CPROF_FORMAT_VERSION,
			    .payload_bytes = sizeof(struct cprof_events_header) + chunk->closed.used + chunk->ids.used + chunk->times.used,
			    .thread = block->header.thread,
			    .strand = block->header.strand,
			    .sequence = block->header.sequence,
			    .first_tsc = converter.first_tsc,
			    .last_tsc = converter.ticks,
			    .depth = block->header.depth,
			    .context = block->header.context,
			    .items = converter.items },
		.closed = chunk->closed.data,
		.ids = chunk->ids.data,
		.times = chunk->times.data,
		.closed_bytes = chunk->closed.used,
		.ids_bytes = chunk->ids.used,
		.times_bytes = chunk->times.used,
		.closed_items = converter.closed_items,
	};
	return NULL;
}
