/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in for libcprof where only the wrapper is tested: counts the calls of the hooks and, when the program ends, appends
 * "program: enters exits" to the file that COUNT_FILE names. Nothing if there were none, as libcprof does.
 *
 * As in libcprof.so, the hooks have a symbol version of their own (counting_hooks.map). glibc has empty hooks, and in a plain program
 * that loads an instrumented library libc stands before libcprof in the order of search: only the version keeps the loader from taking
 * those. The second version, glibc's, lets LD_PRELOAD win over them in programs that were linked without libcprof.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HOOK __attribute__((visibility("default"), no_instrument_function))

#ifdef COUNTING_HOOKS_SHARED
#ifdef __x86_64__
#define GLIBC_FIRST "GLIBC_2.2.5"
#else
#define GLIBC_FIRST "GLIBC_2.17"
#endif
__asm__(".symver counting_enter, __cyg_profile_func_enter@@@CPROF_1");
__asm__(".symver counting_exit, __cyg_profile_func_exit@@@CPROF_1");
__asm__(".symver counting_enter_glibc, __cyg_profile_func_enter@" GLIBC_FIRST ", remove");
__asm__(".symver counting_exit_glibc, __cyg_profile_func_exit@" GLIBC_FIRST ", remove");
#else
#define counting_enter __cyg_profile_func_enter
#define counting_exit  __cyg_profile_func_exit
#endif

static unsigned long nr_enters, nr_exits;

HOOK void counting_enter(void *function, void *call_site);
HOOK void counting_exit(void *function, void *call_site);

void counting_enter(void *function, void *call_site)
{
	(void)function;
	(void)call_site;
	__atomic_fetch_add(&nr_enters, 1, __ATOMIC_RELAXED);
}

void counting_exit(void *function, void *call_site)
{
	(void)function;
	(void)call_site;
	__atomic_fetch_add(&nr_exits, 1, __ATOMIC_RELAXED);
}

#ifdef COUNTING_HOOKS_SHARED
HOOK void counting_enter_glibc(void *function, void *call_site) __attribute__((alias("counting_enter")));
HOOK void counting_exit_glibc(void *function, void *call_site) __attribute__((alias("counting_exit")));
#endif

__attribute__((destructor, no_instrument_function)) static void counting_hooks_report(void)
{
	const char *path = getenv("COUNT_FILE");
	FILE *out;

	if (!path || !nr_enters || !(out = fopen(path, "a")))
		return;
	fprintf(out, "%s: %lu %lu\n", program_invocation_short_name, nr_enters, nr_exits);
	fclose(out);
}
