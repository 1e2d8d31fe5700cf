/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few libc functions that libcprof stands in front of, because what they do changes what the recording rests on. Static programs are linked with
 * --wrap for them (all but dlclose, which has nothing to close there), and come by gates that are members of their own (rt_*_gate.c).
 *
 * dlclose: addresses go away and come back as something else. (dlopen is left alone: wrapping it breaks $ORIGIN.)
 * _Fork: runs no fork handlers, and until a child knows that it is one it would write into its parent's files.
 * unshare, setns: with a user namespace they refuse to work in a process with threads, and the drain's is one.
 * Each does just what the host asked for, and returns what the host would have got. In a forked child that has made no call yet the recording is its
 * parent's, and not touched.
 */
#ifdef CPROF_SHARED
#include <dlfcn.h>
#endif
#include <errno.h>
#include <sched.h>

#include "rt_contexts.h"
#include "rt_drain.h"
#include "rt_modules.h"
#include "rt_process.h"
#include "rt_status.h"
#include "rt_sys.h"
#include "rt_thread.h"

#define WRAP __attribute__((visibility("default")))

/* Whatever became of the recording: the thread may still be there when that has failed. */
static void before_unshare(int flags)
{
	if (flags & (CLONE_NEWUSER | CLONE_THREAD | CLONE_VM | CLONE_SIGHAND) && !rt_process_is_forked_child())
		rt_drain_stop(); /* the next full block starts it again */
}

static void before_setns(void)
{
	if (!rt_process_is_forked_child())
		rt_drain_stop();
}

#ifdef CPROF_STATIC
WRAP void cprof_rt_before_unshare(int flags);
WRAP void cprof_rt_before_setns(void);
WRAP pid_t cprof_rt_fork(pid_t (*next)(void));

void cprof_rt_before_unshare(int flags)
{
	before_unshare(flags);
}

void cprof_rt_before_setns(void)
{
	before_setns();
}

pid_t cprof_rt_fork(pid_t (*next)(void))
{
	return rt_process_fork(next);
}
#endif

#ifdef CPROF_SHARED
WRAP int unshare(int flags);
WRAP int setns(int fd, int type);

static int finish_call(long ret)
{
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	return (int)ret;
}

int unshare(int flags)
{
	before_unshare(flags);
	return finish_call(rt_sys(SYS_unshare, flags));
}

int setns(int fd, int type)
{
	before_setns();
	return finish_call(rt_sys(SYS_setns, fd, type));
}
#endif

#ifdef CPROF_SHARED
WRAP int dlclose(void *handle);
WRAP pid_t _Fork(void);

static bool forgot;

static void forget(uint64_t start, uint64_t end)
{
	rt_contexts_forget(start, end);
	forgot = true;
}

int dlclose(void *handle)
{
	int (*next)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
	int ret = next ? next(handle) : -1;

	if (!ret && atomic_load(&rt_phase) == RT_PHASE_ON && !rt_process_is_forked_child()) {
		int saved = errno;

		forgot = false;
		rt_modules_sweep(forget);
		if (forgot)
			rt_threads_ask(RT_REQUEST_FLUSH_CACHE);
		errno = saved;
	}
	return ret;
}

static pid_t (*next_fork)(void);

/* Early: _Fork() may be called in a signal handler, where dlsym() may not. */
__attribute__((constructor(102))) static void wrap_constructor(void)
{
	next_fork = (pid_t(*)(void))dlsym(RTLD_NEXT, "_Fork");
}

pid_t _Fork(void)
{
	if (!next_fork)
		wrap_constructor();
	if (!next_fork) { /* glibc before 2.34 has none: who calls it then has looked, and found ours */
		errno = ENOSYS;
		return -1;
	}
	return rt_process_fork(next_fork);
}
#endif
