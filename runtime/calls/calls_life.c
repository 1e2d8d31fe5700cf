/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the library counts: from its constructor on, if there is a recorder's memory, until the recorder says that it has ended.
 *
 * Nothing is undone: functions may be called after every destructor.
 */
#include "calls_holders.h"
#include "calls_memory.h"
#include "calls_next.h"
#include "calls_process.h"

__attribute__((constructor(101))) static void life_constructor(void)
{
	calls_next_find_all();
	if (calls_memory_open() && calls_holders_begin() && calls_process_begin())
		calls_memory_begin(calls_process_first != CALLS_PROCESS_FOREIGN ? calls_memory_sources() : 0);
}
