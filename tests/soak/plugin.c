/* SPDX-License-Identifier: BSD-2-Clause */
/* A library of storm.c, built twice: with functions of the same size at the same place, but of another name. */
#include <stdint.h>

__attribute__((noinline)) static void NAME(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

void plugin_work(uint64_t *counter);

__attribute__((no_instrument_function)) void plugin_work(uint64_t *counter)
{
	NAME(counter);
}
