/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bad neighbourhood: threads that come and go, signals, forks, libraries that are loaded and unloaded, longjmps, and an end that may come in any way
 * at any moment. Every call is counted first thing in the called function, in a file shared with the harness: so what was recorded is what
 * is counted, or one more where the process was killed in between.
 *
 * storm COUNTERS SEED END: END is the way it ends: return, exit, abort, thread (exit in another one), or never. COUNTERS is an array of u64, one for each
 * function (enum counter below; soak.sh knows the names).
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum counter { STEP_0, STEP_1, STEP_2, STEP_3, LEAF_0, LEAF_1, LEAF_2, LEAF_3, HANDLER, SHORT, CHILD, JUMP, PLUGIN_RED, PLUGIN_BLUE, COUNTERS = 16 };

#define HIDDEN __attribute__((no_instrument_function))

static uint64_t *counters;
static volatile int stop;

HIDDEN static inline void count(enum counter counter)
{
	__atomic_add_fetch(&counters[counter], 1, __ATOMIC_RELAXED);
}

HIDDEN static uint64_t random_next(uint64_t *state) /* xorshift64 */
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#define STEADY(number) \
	__attribute__((noinline)) static void leaf_##number(void) { count(LEAF_##number); } \
	__attribute__((noinline)) static void step_##number(void) \
	{ \
		count(STEP_##number); \
		for (int i = 0; i < 1 + number; i++) \
			leaf_##number(); \
	} \
	HIDDEN static void *steady_##number(void *unused) \
	{ \
		while (!stop) \
			step_##number(); \
		return unused; \
	}
STEADY(0)
STEADY(1)
STEADY(2)
STEADY(3)

__attribute__((noinline)) static void handler(int signal)
{
	(void)signal;
	count(HANDLER);
}

__attribute__((noinline)) static void short_thread(void)
{
	count(SHORT);
}

HIDDEN static void *short_main(void *unused)
{
	for (int i = 0; i < 10; i++)
		short_thread();
	return unused;
}

__attribute__((noinline)) static void child_work(void)
{
	count(CHILD);
}

static __thread jmp_buf place;

__attribute__((noinline)) static void jump_down(int depth)
{
	count(JUMP);
	if (depth)
		jump_down(depth - 1);
	else
		longjmp(place, 1);
}

HIDDEN static void *jumps(void *seed)
{
	uint64_t state = (uintptr_t)seed;

	while (!stop) {
		if (!setjmp(place))
			jump_down((int)(random_next(&state) % 40));
	}
	return NULL;
}

HIDDEN static void *threads(void *seed)
{
	uint64_t state = (uintptr_t)seed;

	while (!stop) {
		pthread_t thread[8];
		size_t nr = 1 + random_next(&state) % 8;

		for (size_t i = 0; i < nr; i++)
			if (pthread_create(&thread[i], NULL, short_main, NULL))
				abort();
		for (size_t i = 0; i < nr; i++)
			pthread_join(thread[i], NULL);
	}
	return NULL;
}

/* Children call, are killed, or leave in other ways. They share the counters, not the trace. */
HIDDEN static void *forks(void *seed)
{
	uint64_t state = (uintptr_t)seed;
	int children = 0;

	while (!stop && children++ < 12) {
		uint64_t choice = random_next(&state);
		struct timespec pause = { 0, (long)(choice >> 8) % 4000000 };
		pid_t parent = getpid(), pid = fork();

		if (pid < 0)
			abort();
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != parent)
				_exit(0);
			for (int i = 0; choice % 4 == 3 || i < 1000; i++)
				child_work();
			_exit(0); /* exit() may wait for ever for a lock of libc that another thread held at the fork */
		}
		nanosleep(&pause, NULL);
		if (choice % 4 == 3)
			kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return NULL;
}

/* Of two libraries one is there at a time, most often at the same address. */
HIDDEN static void *plugins(void *unused)
{
	static const char *const paths[] = { "./red.so", "./blue.so" };

	for (unsigned i = 0; !stop; i++) {
		void *library = dlopen(paths[i % 2], RTLD_NOW | RTLD_LOCAL);
		void (*work)(uint64_t *) = library ? (void (*)(uint64_t *))dlsym(library, "plugin_work") : NULL;

		if (!work) {
			fprintf(stderr, "%s\n", dlerror());
			abort();
		}
		for (int k = 0; k < 50; k++)
			work(&counters[PLUGIN_RED + i % 2]);
		dlclose(library);
	}
	return unused;
}

HIDDEN static void *leave(void *code)
{
	exit((int)(intptr_t)code);
}

HIDDEN int main(int argc, char **argv)
{
	static void *(*const mains[])(void *) = { steady_1, steady_2, steady_3, jumps, threads, forks, plugins };
	enum { THREADS = sizeof mains / sizeof *mains };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	uint64_t state;
	pthread_t ids[THREADS], thread;
	int fd;

	if (argc < 4)
		return 2;
	state = strtoull(argv[2], NULL, 10) * 0x9E3779B97F4A7C15u + 1;
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, COUNTERS * sizeof *counters))
		return 1;
	counters = mmap(NULL, COUNTERS * sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		return 1;
	close(fd);
	sigaction(SIGALRM, &action, NULL);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&ids[i], NULL, mains[i], (void *)(uintptr_t)(random_next(&state) | 1)))
			return 1;
	struct itimerval timer = { { 0, 50 + (long)(random_next(&state) % 2000) }, { 0, 100 } };
	setitimer(ITIMER_REAL, &timer, NULL);

	struct timespec start, now;
	long run_ms = 50 + (long)(random_next(&state) % 400);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		step_0();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < run_ms || !strcmp(argv[3], "never"));
	if (!strcmp(argv[3], "abort"))
		abort();
	if (!strcmp(argv[3], "exit")) /* the others run on */
		exit(7);
	if (!strcmp(argv[3], "thread")) {
		pthread_create(&thread, NULL, leave, (void *)7);
		for (;;)
			step_0();
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL); /* what comes after the end of recording is counted only */
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	return 7;
}
