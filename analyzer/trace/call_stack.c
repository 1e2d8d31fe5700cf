/* SPDX-License-Identifier: BSD-2-Clause */
/* Push, pop and follow; see call_stack.h. */
#include "call_stack.h"

#include "vec.h"

void call_stack_deinit(struct call_stack *stack)
{
	free(stack->calls);
	*stack = (struct call_stack){ 0 };
}

void call_stack_reset(struct call_stack *stack, uint64_t depth, uint32_t context)
{
	stack->unknown = depth;
	stack->nr = 0;
	stack->current = context;
}

static uint32_t target_of(const struct trace_tables *tables, uint32_t id)
{
	return id < tables->nr_contexts ? tables->contexts[id].target : id;
}

static uint32_t parent_of(const struct trace_tables *tables, uint32_t id)
{
	return id < tables->nr_contexts ? tables->contexts[id].parent : 0;
}

struct cprof_error *call_stack_push(struct call_stack *stack, const struct trace_tables *tables, uint32_t id, uint64_t ticks)
{
	if (!vec_reserve(&stack->calls, &stack->capacity, stack->nr + 1, sizeof *stack->calls))
		return &cprof_enomem;
	stack->calls[stack->nr++] = (struct closed_call){ id, ticks };
	stack->current = target_of(tables, id);
	return NULL;
}

bool call_stack_pop(struct call_stack *stack, const struct trace_tables *tables, struct closed_call *ret)
{
	struct closed_call call = { stack->current, UINT64_MAX };

	if (!stack->nr && !stack->unknown)
		return false;
	if (stack->nr)
		call = stack->calls[--stack->nr];
	else
		stack->unknown--;
	if (stack->nr)
		stack->current = target_of(tables, stack->calls[stack->nr - 1].id);
	else
		stack->current = stack->unknown ? parent_of(tables, call.id) : 0;
	if (ret)
		*ret = call;
	return true;
}

/* Without a step for each unknown call: a hostile chunk claims four billion of them. */
static void drop_calls(struct call_stack *stack, const struct trace_tables *tables, uint64_t calls)
{
	for (; calls && stack->nr; calls--)
		call_stack_pop(stack, tables, NULL);
	for (; calls && stack->unknown && stack->current; calls--)
		call_stack_pop(stack, tables, NULL);
	stack->unknown -= calls < stack->unknown ? calls : stack->unknown;
}

static struct cprof_error *apply_item(struct call_stack *stack, const struct trace_tables *tables, const struct event_item *item)
{
	if (item->kind == EVENT_ENTER)
		return call_stack_push(stack, tables, item->id, item->ticks);
	if (item->kind != EVENT_ESCAPE) {
		call_stack_pop(stack, tables, NULL);
	} else if (item->id == CPROF_ESCAPE_REPAIR) {
		drop_calls(stack, tables, item->payload);
	} else if (item->id == CPROF_ESCAPE_LOST) {
		call_stack_reset(stack, 0, 0);
	}
	return NULL;
}

struct cprof_error *call_stack_apply(struct call_stack *stack, const struct trace_tables *tables, const struct events_chunk *chunk)
{
	struct event_decoder decoder = event_decoder_make(chunk);

	for (;;) {
		struct event_item item;
		bool end;
		struct cprof_error *error = event_decoder_next(&decoder, &item, &end);

		if (error || end)
			return error;
		error = apply_item(stack, tables, &item);
		if (error)
			return error;
	}
}
