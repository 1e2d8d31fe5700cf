/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The exported hooks: a gate that a switched-off runtime leaves at once, for about the price of an empty hook.
 *
 * Compiled without a frame pointer and with tail calls, so that hook_enter() and hook_exit() find the guest's frame and return address as
 * if they had been called themselves (hooks_signal_test would not pass otherwise).
 */
#include "hooks.h"
#include "rt_status.h"

#define HOOK __attribute__((visibility("default"), noinline))

HOOK void __cyg_profile_func_enter(void *function, void *call_site);
HOOK void __cyg_profile_func_exit(void *function, void *call_site);

void __cyg_profile_func_enter(void *function, void *call_site)
{
	if (__builtin_expect(rt_is_off(), 0))
		return;
	hook_enter(function, call_site);
}

void __cyg_profile_func_exit(void *function, void *call_site)
{
	if (__builtin_expect(rt_is_off(), 0))
		return;
	hook_exit(function, call_site);
}
