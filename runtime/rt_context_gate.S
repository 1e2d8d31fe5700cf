/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gates of rt_context.c. They pass on all registers and leave no frame: a context that is saved here is its caller's.
 *
 * In libcprof.so they are swapcontext() and setcontext() and go on to the next ones of those names. In libcprof.a they are a member of their own, for
 * programs that are linked with --wrap and use them.
 */
#ifdef CPROF_SHARED
#define GATE(name) name
#define NEXT(name) cprof_rt_next_##name
#else
#define GATE(name) __wrap_##name
#define NEXT(name) __real_##name
#endif

	.text

#if defined(__x86_64__)
/* name: the register with the context that is gone over to. */
#define MAKE_GATE(name, to) \
	.globl GATE(name); \
	.type GATE(name), @function; \
GATE(name): \
	.cfi_startproc; \
	endbr64; \
	push %rdi; \
	.cfi_adjust_cfa_offset 8; \
	push %rsi; \
	.cfi_adjust_cfa_offset 8; \
	sub $8, %rsp; \
	.cfi_adjust_cfa_offset 8; \
	mov to, %rdi; \
	call cprof_rt_context_switch; \
	add $8, %rsp; \
	.cfi_adjust_cfa_offset -8; \
	pop %rsi; \
	.cfi_adjust_cfa_offset -8; \
	pop %rdi; \
	.cfi_adjust_cfa_offset -8; \
	GO_ON(name); \
	.cfi_endproc; \
	.size GATE(name), .-GATE(name)

#ifdef CPROF_SHARED
#define GO_ON(name) jmp *NEXT(name)(%rip)
#else
#define GO_ON(name) jmp NEXT(name)
#endif

MAKE_GATE(swapcontext, %rsi)
MAKE_GATE(setcontext, %rdi)

	.globl cprof_rt_context_return
	.hidden cprof_rt_context_return
	.type cprof_rt_context_return, @function
cprof_rt_context_return:
	.cfi_startproc
	.cfi_undefined %rip
	endbr64
	mov (%rbx), %rdi
	and $-16, %rsp
	call cprof_rt_context_returned
	jmp *%rax
	.cfi_endproc
	.size cprof_rt_context_return, .-cprof_rt_context_return

#elif defined(__aarch64__)
#define MAKE_GATE(name, to) \
	.globl GATE(name); \
	.type GATE(name), @function; \
GATE(name): \
	.cfi_startproc; \
	stp x0, x1, [sp, #-32]!; \
	.cfi_adjust_cfa_offset 32; \
	str x30, [sp, #16]; \
	mov x0, to; \
	bl cprof_rt_context_switch; \
	ldr x30, [sp, #16]; \
	ldp x0, x1, [sp], #32; \
	.cfi_adjust_cfa_offset -32; \
	GO_ON(name); \
	.cfi_endproc; \
	.size GATE(name), .-GATE(name)

#ifdef CPROF_SHARED
#define GO_ON(name) adrp x16, NEXT(name); ldr x16, [x16, :lo12:NEXT(name)]; br x16
#else
#define GO_ON(name) b NEXT(name)
#endif

MAKE_GATE(swapcontext, x1)
MAKE_GATE(setcontext, x0)

	.globl cprof_rt_context_return
	.hidden cprof_rt_context_return
	.type cprof_rt_context_return, @function
cprof_rt_context_return:
	.cfi_startproc
	.cfi_undefined x30
	mov x0, x19
	bl cprof_rt_context_returned
	br x0
	.cfi_endproc
	.size cprof_rt_context_return, .-cprof_rt_context_return
#endif

	.section .note.GNU-stack, "", %progbits
