/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unshare() of static programs, which are linked with --wrap=unshare. In libcprof.a a member of its own, and it goes on to whatever the program has under that
 * name: a function of its own, with arguments and a result of its own, is called as it would be.
 */
#define GATE __attribute__((visibility("default")))

GATE long __wrap_unshare(long a, long b, long c, long d, long e, long f);
long __real_unshare(long a, long b, long c, long d, long e, long f);
void cprof_rt_before_unshare(int flags);

long __wrap_unshare(long a, long b, long c, long d, long e, long f)
{
	cprof_rt_before_unshare((int)a);
	return __real_unshare(a, b, c, d, e, f);
}
