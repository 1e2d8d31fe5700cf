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

#ifdef CPROF_SHARED
/*
 * The hooks of libcprof.so have a version of their own (libcprof.map): glibc has empty hooks, and where a plain program loads an instrumented
 * library, libc stands before libcprof in the order of search; only the version keeps the loader from taking those. Programs that were linked
 * without libcprof ask for glibc's version, and find it here too if libcprof is preloaded.
 */
#ifdef __x86_64__
#define GLIBC_FIRST "GLIBC_2.2.5"
#else
#define GLIBC_FIRST "GLIBC_2.17"
#endif
HOOK void cprof_rt_enter_glibc(void *function, void *call_site) __attribute__((alias("__cyg_profile_func_enter")));
HOOK void cprof_rt_exit_glibc(void *function, void *call_site) __attribute__((alias("__cyg_profile_func_exit")));
__asm__(".symver __cyg_profile_func_enter, __cyg_profile_func_enter@@@CPROF_1");
__asm__(".symver __cyg_profile_func_exit, __cyg_profile_func_exit@@@CPROF_1");
__asm__(".symver cprof_rt_enter_glibc, __cyg_profile_func_enter@" GLIBC_FIRST ", remove");
__asm__(".symver cprof_rt_exit_glibc, __cyg_profile_func_exit@" GLIBC_FIRST ", remove");
#endif
