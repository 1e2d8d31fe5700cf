/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open calls of one thread, innermost last, of which the outermost may be unknown: so that a chunk can be followed without those before it.
 */
#ifndef CPROF_CALL_STACK_H
#define CPROF_CALL_STACK_H

#include "event_decoder.h"
#include "session.h"

struct call_stack {
	uint64_t unknown;           /* open calls below calls[0] of which nothing is known */
	struct closed_call *calls;
	size_t nr, capacity;
	uint32_t current;           /* context */
};

void call_stack_deinit(struct call_stack *stack);
/* depth open calls, all unknown; context is current. */
void call_stack_reset(struct call_stack *stack, uint64_t depth, uint32_t context);

struct cprof_error *call_stack_push(struct call_stack *stack, const struct trace_tables *tables, uint32_t id, uint64_t ticks) CPROF_MUST_CHECK;
/*
 * False when nothing is open. *ret, if not NULL, is the call that was closed: of an unknown one the id is the current context, the
 * start UINT64_MAX. Current becomes the context below; below an unknown call, or below the lowest that is known, its parent in the table.
 */
bool call_stack_pop(struct call_stack *stack, const struct trace_tables *tables, struct closed_call *ret);
/* Follows a whole chunk. It stops at an error in the columns. */
struct cprof_error *call_stack_apply(struct call_stack *stack, const struct trace_tables *tables, const struct events_chunk *chunk) CPROF_MUST_CHECK;

#endif
