/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coroutines of <ucontext.h>: whose stack a context runs on, told to rt_strand.c before libc goes over to it.
 *
 * rt_context_gate.S stands in front of swapcontext() and setcontext() and jumps on to libc's, so that no frame of ours is part of a context. A
 * coroutine whose function returns goes over to uc_link inside of libc: the return address that makecontext() has laid down is replaced by the
 * gate's, once, before the context runs for the first time. Where libc does it in another way than expected nothing is replaced, and the end of
 * such a coroutine is noticed with the next exit.
 */
#ifdef CPROF_SHARED
#include <dlfcn.h>
#endif
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "rt_strand.h"
#include "rt_sys.h"

#ifdef CPROF_STATIC
#define GATE_CALLS __attribute__((visibility("default")))
#else
#define GATE_CALLS __attribute__((visibility("hidden")))
#endif

GATE_CALLS void cprof_rt_context_switch(const ucontext_t *to);
GATE_CALLS uint64_t cprof_rt_context_returned(const ucontext_t *link);
extern char cprof_rt_context_return[] __attribute__((weak, visibility("hidden")));
extern __typeof__(makecontext) makecontext __attribute__((weak)); /* not to be pulled into static programs that do without */

#ifdef CPROF_SHARED
__attribute__((visibility("hidden"))) void *cprof_rt_next_swapcontext, *cprof_rt_next_setcontext;

static void next_find(void)
{
	if (cprof_rt_next_setcontext)
		return;
	cprof_rt_next_swapcontext = dlsym(RTLD_NEXT, "swapcontext");
	cprof_rt_next_setcontext = dlsym(RTLD_NEXT, "setcontext");
}
#else
static void next_find(void) /* the linker has */
{
}
#endif

static uint64_t libc_return; /* what makecontext() lets a coroutine's function return to; 1: not known */

#if defined(__x86_64__)
static uint64_t stack_pointer(const ucontext_t *context)
{
	return (uint64_t)context->uc_mcontext.gregs[REG_RSP];
}

static uint64_t *return_slot(const ucontext_t *context)
{
	return (uint64_t *)stack_pointer(context);
}

/* The gate finds uc_link where %rbx points. */
static bool link_is_where_expected(const ucontext_t *context)
{
	return *(ucontext_t **)context->uc_mcontext.gregs[REG_RBX] == context->uc_link;
}

static bool has_shadow_stack(void)
{
	uint64_t pointer = 0;

	__asm__ volatile("rdsspq %0" : "+r"(pointer));
	return pointer;
}
#elif defined(__aarch64__)
static uint64_t stack_pointer(const ucontext_t *context)
{
	return context->uc_mcontext.sp;
}

static uint64_t *return_slot(const ucontext_t *context)
{
	return (uint64_t *)&context->uc_mcontext.regs[30];
}

static bool link_is_where_expected(const ucontext_t *context)
{
	return context->uc_mcontext.regs[19] == (uintptr_t)context->uc_link;
}

static bool has_shadow_stack(void)
{
	return false;
}
#endif

static void nothing(void)
{
}

/* Asks makecontext() itself. */
static uint64_t libc_return_find(void)
{
	static uint64_t stack[512];
	static ucontext_t probe, link;

	if (!makecontext || !cprof_rt_context_return || has_shadow_stack())
		return 1;
	probe.uc_stack.ss_sp = stack;
	probe.uc_stack.ss_size = sizeof stack;
	probe.uc_link = &link;
	makecontext(&probe, nothing, 0);
	return link_is_where_expected(&probe) ? *return_slot(&probe) : 1;
}

/* The strand whose stack a context runs on. It is known from its first switch on, when uc_stack is that of makecontext(). */
static struct rt_strand *strand_of(const ucontext_t *context)
{
	uint64_t at = stack_pointer(context), low = (uintptr_t)context->uc_stack.ss_sp, high = low + context->uc_stack.ss_size;
	uint64_t here = (uintptr_t)__builtin_frame_address(0);
	struct rt_strand *strand = rt_strand_find_blocked(at - 1); /* a stack pointer at the very top is still of this stack */

	if (strand)
		return strand;
	/* What getcontext() leaves in uc_stack may be anything. */
	if (!low || high <= low || at <= low || at > high || (here >= low && here < high))
		return NULL;
	return rt_strand_make(low, high);
}

void cprof_rt_context_switch(const ucontext_t *to)
{
	next_find();
	uint64_t mask = rt_signals_block();
	struct rt_strand *strand = strand_of(to);

	if (!libc_return)
		libc_return = libc_return_find();
	if (strand && libc_return != 1 && *return_slot(to) == libc_return)
		*return_slot(to) = (uintptr_t)cprof_rt_context_return;
	rt_strand_switch_blocked(strand);
	rt_signals_restore(mask);
}

/* Called by the gate where a coroutine's function has returned: where to go on. */
uint64_t cprof_rt_context_returned(const ucontext_t *link)
{
	if (link)
		cprof_rt_context_switch(link);
	return libc_return;
}
