/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf_target [again|switches|threads]: spends known times in known functions, for recordings without BPF. Built with cprof-cc.
 *
 *     burn_long, burn_short   300 and 100 ms of its thread's CPU time
 *     fold(3) > burn_folded   100 ms, below three folded calls
 *     nap                     20 sleeps of 2 ms
 *     wait_for_byte           a second thread waits 150 ms for a pipe, wait_for_lock 150 ms for a mutex
 *     in_child                a forked child burns 100 ms and naps once
 * With "threads" three threads burn 3 ms and nap, 150 times each, and make a thread each that does so 100 times, while main waits.
 * With "switches" two threads wake each other through pipes 100,000 times, and that is all.
 * With "again" a thread of it executes it without that: one process has two images. In the first burn_before takes 100 ms.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOT_RECORDED __attribute__((no_instrument_function, noinline))
#define RECORDED     __attribute__((noinline))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int pipe_ends[2];
static volatile unsigned long sink;

NOT_RECORDED static void die(const char *what)
{
	perror(what);
	exit(1);
}

NOT_RECORDED static long cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

NOT_RECORDED static void burn(long ms)
{
	for (long end = cpu_ns() + ms * 1000000; cpu_ns() < end;)
		for (unsigned long i = 0; i < 20000; i++)
			sink += i;
}

RECORDED static void burn_long(void)
{
	burn(300);
}

RECORDED static void burn_short(void)
{
	burn(100);
}

RECORDED static void burn_before(void)
{
	burn(100);
}

RECORDED static void burn_folded(void)
{
	burn(100);
}

RECORDED static int fold(int n)
{
	int sum = n ? fold(n - 1) : 0;

	if (!n)
		burn_folded();
	return sum + n;
}

RECORDED static void nap(void)
{
	usleep(2000);
}

RECORDED static void wait_for_byte(void)
{
	char byte;

	if (read(pipe_ends[0], &byte, 1) != 1)
		die("read");
}

RECORDED static void wait_for_lock(void)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}

RECORDED static void *second(void *unused)
{
	wait_for_byte();
	wait_for_lock();
	return unused;
}

RECORDED static void in_child(void)
{
	burn(100);
	nap();
}

static void *answer(void *ends)
{
	const int *there = ends;
	char byte;

	while (read(there[0], &byte, 1) == 1)
		if (write(there[3], &byte, 1) != 1)
			die("write");
	return NULL;
}

static void switches(void)
{
	int ends[4]; /* there: read, write; back: the same */
	pthread_t thread;
	char byte = 0;

	if (pipe(ends) || pipe(ends + 2) || pthread_create(&thread, NULL, answer, ends))
		die("pipes and a thread");
	for (int i = 0; i < 100000; i++)
		if (write(ends[1], &byte, 1) != 1 || read(ends[2], &byte, 1) != 1)
			die("ping");
	close(ends[1]);
	pthread_join(thread, NULL);
}

RECORDED static void burn_little(void)
{
	burn(3);
}

static void *burn_and_nap(void *times)
{
	pthread_t thread;
	long n = *(long *)times, less = 100;

	if (n > less && pthread_create(&thread, NULL, burn_and_nap, &less))
		die("a thread");
	for (long i = 0; i < n; i++) {
		burn_little();
		nap();
	}
	if (n > less)
		pthread_join(thread, NULL);
	return NULL;
}

RECORDED static void wait_for_threads(const pthread_t *threads, int nr)
{
	for (int i = 0; i < nr; i++)
		pthread_join(threads[i], NULL);
}

static void burn_in_threads(void)
{
	enum { THREADS = 3 };
	pthread_t threads[THREADS];
	long times = 150;

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, burn_and_nap, &times))
			die("a thread");
	wait_for_threads(threads, THREADS);
}

static void *execute(void *unused)
{
	execl("/proc/self/exe", "perf_target", (char *)NULL);
	die("exec");
	return unused;
}

static void child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		in_child();
		_exit(0);
	}
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 1 && strcmp(argv[1], "again") == 0) {
		burn_before();
		if (pthread_create(&thread, NULL, execute, NULL)) /* not the first thread: that one ends by it */
			die("a thread");
		pthread_join(thread, NULL);
	}
	if (argc > 1 && strcmp(argv[1], "switches") == 0) {
		switches();
		return 7;
	}
	if (argc > 1 && strcmp(argv[1], "threads") == 0) {
		burn_in_threads();
		return 7;
	}
	burn_long();
	burn_short();
	if (fold(3) != 6)
		die("fold");
	for (int i = 0; i < 20; i++)
		nap();
	pthread_mutex_lock(&lock);
	if (pipe(pipe_ends) || pthread_create(&thread, NULL, second, NULL))
		die("a thread");
	usleep(150000);
	if (write(pipe_ends[1], "", 1) != 1)
		die("write");
	usleep(150000);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	child();
	return 7;
}
