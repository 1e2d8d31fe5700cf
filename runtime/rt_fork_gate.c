/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * _Fork() of static programs, which are linked with --wrap=_Fork; libc.a's own fork() comes by here too. In libcprof.a a member of its own: __real__Fork is
 * there only for who links so.
 */
#include <unistd.h>

#if __GLIBC_PREREQ(2, 34) /* the first that has one */

#define GATE __attribute__((visibility("default")))

GATE pid_t __wrap__Fork(void);
pid_t __real__Fork(void);
pid_t cprof_rt_fork(pid_t (*next)(void));

pid_t __wrap__Fork(void)
{
	return cprof_rt_fork(__real__Fork);
}
#endif
