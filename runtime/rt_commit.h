/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one word that commits: a compare-and-swap that is atomic against signal handlers of the same thread, not against other threads.
 */
#ifndef CPROF_RT_COMMIT_H
#define CPROF_RT_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

static inline bool rt_commit(volatile uint64_t *word, uint64_t from, uint64_t to)
{
#if defined(__x86_64__)
	bool ok;

	__asm__ volatile("cmpxchgq %3, %1" : "=@ccz"(ok), "+m"(*word), "+a"(from) : "r"(to) : "memory");
	return ok;
#elif defined(__aarch64__)
	/* An exception between the two clears the monitor, so a handler that came in between makes the store fail. */
	uint64_t seen;
	uint32_t failed;

	__asm__ volatile("ldxr %0, %2\n\t"
			 "mov %w1, #1\n\t"
			 "cmp %0, %3\n\t"
			 "b.ne 1f\n\t"
			 "stxr %w1, %4, %2\n"
			 "1:"
			 : "=&r"(seen), "=&r"(failed), "+Q"(*word)
			 : "r"(from), "r"(to)
			 : "memory", "cc");
	return !failed;
#endif
}

#endif
