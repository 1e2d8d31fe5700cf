// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls outside of main: by constructors of every priority, which may run before the runtime's own, by preinit functions, by initialisers and destructors of
 * static and thread_local objects, in threads and in main, and by handlers of exit. -DQUICK: at_quick_exit() and quick_exit() instead.
 *
 * calls: main=1 very_early=1 early=1 early_leaf=6 worker=13 local_begin=14 static_begin=1 at_exit_leaf=3
 * tree: [only("main/use_local") | recurse(.children[]) | select(named("local_begin"))] | map(.calls) | add == 1
 * info: .unmatched_exits == 0
 */
#include <cstdio>
#include <cstdlib>
#include <pthread.h>

static volatile int sink;

extern "C" {
#define LEAF(name) __attribute__((noinline)) static void name() { sink = sink + 1; }
LEAF(early_leaf)
LEAF(local_leaf)
LEAF(at_exit_leaf)
LEAF(static_begin)
LEAF(static_end)

__attribute__((constructor(101))) static void very_early()
{
	for (int i = 0; i < 3; i++)
		early_leaf();
}

__attribute__((constructor)) static void early()
{
	for (int i = 0; i < 3; i++)
		early_leaf();
}

__attribute__((destructor)) static void late()
{
	static_end();
}

__attribute__((noinline)) static void local_begin()
{
	local_leaf();
}

__attribute__((noinline)) static void local_end()
{
	local_leaf();
}

static void at_exit()
{
	for (int i = 0; i < 3; i++)
		at_exit_leaf();
}
}

struct local {
	int number;
	local() : number(1)
	{
		local_begin();
	}
	~local()
	{
		local_end();
	}
};

struct everywhere {
	everywhere()
	{
		static_begin();
	}
	~everywhere()
	{
		static_end();
	}
};

static everywhere one;
static thread_local local mine;

extern "C" {
__attribute__((noinline)) static void use_local()
{
	sink = sink + mine.number;
}

static void *worker(void *unused)
{
	use_local();
	return unused;
}
}

int main()
{
	pthread_t threads[13];

	for (pthread_t &thread : threads)
		pthread_create(&thread, NULL, worker, NULL);
	for (pthread_t &thread : threads)
		pthread_join(thread, NULL);
	use_local();
#ifdef QUICK
	/* Neither static objects nor main's thread_local ones are destroyed. */
	puts("calls: late=0 static_end=0 local_end=13 local_leaf=27");
	fflush(stdout);
	at_quick_exit(at_exit);
	quick_exit(0);
#else
	puts("calls: late=1 static_end=2 local_end=14 local_leaf=28");
	atexit(at_exit);
	return 0;
#endif
}
