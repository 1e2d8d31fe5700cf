/* SPDX-License-Identifier: BSD-2-Clause */
/* Hooks that do nothing, in a shared library as libcprof.so is: what the instrumentation alone costs. */
void __cyg_profile_func_enter(void *function, void *call_site);
void __cyg_profile_func_exit(void *function, void *call_site);

__attribute__((no_instrument_function)) void __cyg_profile_func_enter(void *function, void *call_site)
{
	(void)function;
	(void)call_site;
}

__attribute__((no_instrument_function)) void __cyg_profile_func_exit(void *function, void *call_site)
{
	(void)function;
	(void)call_site;
}
