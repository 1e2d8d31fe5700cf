/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_stackframe.h"

#include <signal.h>
#include <sys/uio.h>

#include "rt_sys.h"

#ifdef __aarch64__
bool rt_frame_leads_to(uint64_t frame, uint64_t call_site, uint64_t outer)
{
	(void)call_site, (void)outer;
	return !(frame & 1); /* it was tested when the frame was made */
}
#else
enum { NEAR_BYTES = 8 << 20, CERTAIN_BYTES = 16 << 10 };

bool rt_frame_leads_to(uint64_t frame, uint64_t call_site, uint64_t outer)
{
	uint64_t here = (uintptr_t)__builtin_frame_address(0), word = 0;

	if (frame & 7 || frame < here)
		return false;
	if (frame - here < CERTAIN_BYTES || (frame <= outer && outer - here < NEAR_BYTES))
		return ((const uint64_t *)frame)[1] == call_site;
	/* Not known to be mapped: let the kernel try. */
	struct iovec to = { &word, sizeof word }, from = { (void *)(frame + 8), sizeof word };
	if (rt_sys(SYS_process_vm_readv, rt_sys(SYS_getpid), &to, 1, &from, 1, 0) != sizeof word)
		return true; /* the kernel will not tell (seccomp): believe the compiler's flags */
	return word == call_site;
}
#endif

struct rt_signal_stack rt_signal_stack(void)
{
	stack_t stack = { 0 };

	if (rt_sys(SYS_sigaltstack, NULL, &stack) || stack.ss_flags & SS_DISABLE)
		return (struct rt_signal_stack){ 0, 0, false };
	return (struct rt_signal_stack){ (uintptr_t)stack.ss_sp, (uintptr_t)stack.ss_sp + stack.ss_size, stack.ss_flags & SS_ONSTACK };
}
