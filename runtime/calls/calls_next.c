/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_next.h"

#include <dlfcn.h>
#include <errno.h>

struct calls_next calls_next;

/* Of functions that this libc does not have, and nobody can have called but who asked us whether we have them. */
static long missing(void)
{
	errno = ENOSYS;
	return -1;
}

static int missing_lock(void) /* pthread_* return it, sem_* leave it in errno */
{
	errno = ENOSYS;
	return ENOSYS;
}

static void *found(const char *name, void *otherwise)
{
	void *function = dlsym(RTLD_NEXT, name);

	return function ? function : otherwise;
}

void calls_next_find_all(void)
{
	int saved = errno;

#define CALLS_X(kind, type, name, parameters, arguments, number) *(void **)&calls_next.name = found(#name, (void *)missing);
	CALLS_IO_FUNCTIONS(CALLS_X)
#undef CALLS_X
#define CALLS_X(type, name, parameters, arguments, number) *(void **)&calls_next.name = found(#name, (void *)missing);
	CALLS_OPEN_FUNCTIONS(CALLS_X)
#undef CALLS_X
	*(void **)&calls_next.sync = found("sync", (void *)missing);
	*(void **)&calls_next.clock = dlvsym(RTLD_DEFAULT, "clock_gettime", "GLIBC_2.17"); /* a program's own has no version */
#define CALLS_X(name, parameters) *(void **)&calls_next.name = found(#name, (void *)missing_lock);
	CALLS_LOCK_FUNCTIONS(CALLS_X)
#undef CALLS_X
	errno = saved;
}
