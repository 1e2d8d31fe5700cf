/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames: does a frame pointer lead to a return address, and which stack is it on? Cold; never faults.
 */
#ifndef CPROF_RT_STACKFRAME_H
#define CPROF_RT_STACKFRAME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The frame that stands for a call, from the frame pointer of the function that calls the hook and the hook's own.
 *
 * x86-64: the frame pointer itself; it lies right below the return address. On aarch64 the record that it points to lies below the function's locals:
 * the record of a large new frame may be below that of a small one that a longjmp took away, and a function that jumps to its exit hook has lost it. So
 * there it is the *caller's* record, which the function's own record names: above all that the caller calls, and still known at such a jump.
 */
#ifdef __aarch64__
enum { RT_FRAME_CERTAIN_BYTES = 16 << 10, RT_FRAME_NEAR_BYTES = 8 << 20 };
#define RT_RETURN_ADDRESS_MASK 0xFFFFFFFFFFFFull /* above it may be a signature of the address */

/* Is the record there to be read? `outer`: a place further out on this stack, as far as it is known. */
static inline bool rt_frame_is_near(uint64_t pointer, uint64_t here, uint64_t outer)
{
	return !(pointer & 15) && (pointer - here < RT_FRAME_CERTAIN_BYTES || (pointer - here < outer - here && outer - here < RT_FRAME_NEAR_BYTES));
}

/* Odd, and below the true one, where there is no such record: code without frame pointers. */
static inline uint64_t rt_frame_of_enter(uint64_t pointer, uint64_t here, uint64_t call_site)
{
	const uint64_t *record = (const uint64_t *)pointer;

	if (!rt_frame_is_near(pointer, here, here) || (record[1] ^ call_site) & RT_RETURN_ADDRESS_MASK || record[0] & 15 || record[0] <= pointer ||
	    record[0] - pointer > RT_FRAME_NEAR_BYTES)
		return here | 1;
	return record[0];
}

/* The second place where the frame may be is `pointer`: then the function has left its own already. 0: nowhere else. */
static inline uint64_t rt_frame_of_exit(uint64_t pointer, uint64_t here, uint64_t outer)
{
	return rt_frame_is_near(pointer, here, outer) ? *(const uint64_t *)pointer : 0;
}
#define rt_frame_of_tail(pointer, here) (pointer)
#else
#define rt_frame_of_enter(pointer, here, call_site) (pointer)
#define rt_frame_of_exit(pointer, here, outer) (pointer)
#define rt_frame_of_tail(pointer, here) (here) /* the hook's own frame lies where the function's was */
#endif

/*
 * Does the word above `frame` hold call_site? It does in every function that keeps a frame pointer. `outer` is the frame of the innermost open call:
 * between the stack pointer and it memory is there to be read.
 */
bool rt_frame_leads_to(uint64_t frame, uint64_t call_site, uint64_t outer);

/* The alternate signal stack of this thread: empty (end 0) when it has none. */
struct rt_signal_stack {
	uint64_t start, end;
	bool current; /* we run on it now */
};
struct rt_signal_stack rt_signal_stack(void);

#endif
