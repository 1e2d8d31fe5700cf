/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_costs WORK KIND [recorded]: what is slowed by the kernel half of cprof, and how much; lines "KIND.name<tab>value".
 *
 *     busy      computes 20 calls deep:              busy_wall_ns, busy_cpu_ns   of a fixed piece of work of about 100 ms, the best of 20
 *     switches  two threads of one CPU wake each other through pipes:  switch_ns  of wall time per switch, the best of many short tries
 *     calls     enters the kernel for nothing: call_ns of CPU time per call, the best of many short tries
 *     sleeps    wakes up every 100 us for 2 s:       nothing of its own
 *
 * "recorded" is said when cprof-record started this program. Then the recorder's own CPU time while the work lasted is printed too, read from its
 * clock: recorder_cpu_ns, with elapsed_ns. What a recorder does before and after is not in it.
 *
 * The same program is run with and without the recorder. Its loops make no recorded call: the difference is the kernel half's alone.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PIECES = 20, DEPTH = 20, STEPS = 90000000, TRIES = 600, ROUND_TRIPS = 200, CALLS = 2000 };
static const int64_t SLEEP_NS = 100000, SLEEPS_LAST_NS = 2000000000;

static int there[2], back[2]; /* pipes */
static volatile uint64_t sink;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		die("clock_gettime");
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void keep_less(int64_t *best, int64_t value)
{
	*best = value < *best ? value : *best;
}

__attribute__((noinline)) static uint64_t compute(int depth, int64_t *wall_ns, int64_t *cpu_ns)
{
	uint64_t x = 1;

	if (depth)
		return compute(depth - 1, wall_ns, cpu_ns) + (uint64_t)depth; /* the sum keeps it a call */
	for (int piece = 0; piece < PIECES; piece++) {
		int64_t wall_start_ns = now_ns(CLOCK_MONOTONIC), cpu_start_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);

		for (int64_t i = 0; i < STEPS; i++)
			x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
		sink = x;
		keep_less(cpu_ns, now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_start_ns);
		keep_less(wall_ns, now_ns(CLOCK_MONOTONIC) - wall_start_ns);
	}
	return x;
}

static void work_busy(const char *kind)
{
	int64_t wall_ns = INT64_MAX, cpu_ns = INT64_MAX;

	sink = compute(DEPTH, &wall_ns, &cpu_ns);
	printf("%s.busy_wall_ns\t%lld\n%s.busy_cpu_ns\t%lld\n", kind, (long long)wall_ns, kind, (long long)cpu_ns);
}

static void pin_to_this_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((unsigned)sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof one, &one)) /* threads made later inherit it */
		die("sched_setaffinity");
}

static void *answer(void *unused)
{
	char byte;

	while (read(there[0], &byte, 1) == 1)
		if (write(back[1], &byte, 1) != 1)
			die("write");
	return unused;
}

static void work_switches(const char *kind)
{
	int64_t best_ns = INT64_MAX;
	pthread_t other;
	char byte = 0;

	pin_to_this_cpu();
	if (pipe(there) || pipe(back) || pthread_create(&other, NULL, answer, NULL))
		die("pipes and a thread");
	for (int try = 0; try < TRIES; try++) {
		int64_t start_ns = now_ns(CLOCK_MONOTONIC);

		for (int i = 0; i < ROUND_TRIPS; i++)
			if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
				die("ping");
		keep_less(&best_ns, now_ns(CLOCK_MONOTONIC) - start_ns);
	}
	close(there[1]);
	pthread_join(other, NULL);
	printf("%s.switch_ns\t%.1f\n", kind, (double)best_ns / (2 * ROUND_TRIPS));
}

static void work_calls(const char *kind)
{
	int64_t best_ns = INT64_MAX;

	for (int try = 0; try < TRIES; try++) {
		int64_t start_ns = now_ns(CLOCK_THREAD_CPUTIME_ID);

		for (int i = 0; i < CALLS; i++)
			syscall(SYS_getppid);
		keep_less(&best_ns, now_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns);
	}
	printf("%s.call_ns\t%.1f\n", kind, (double)best_ns / CALLS);
}

static void work_sleeps(const char *kind)
{
	int64_t end_ns = now_ns(CLOCK_MONOTONIC) + SLEEPS_LAST_NS, time_ns;

	(void)kind;
	prctl(PR_SET_TIMERSLACK, 1UL);
	while ((time_ns = now_ns(CLOCK_MONOTONIC)) < end_ns) {
		struct timespec until = { (time_ns + SLEEP_NS) / 1000000000, (time_ns + SLEEP_NS) % 1000000000 };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*work)(const char *kind);
	} works[] = { { "busy", work_busy }, { "switches", work_switches }, { "calls", work_calls }, { "sleeps", work_sleeps } };
	bool recorded = argc == 4 && !strcmp(argv[3], "recorded");
	int64_t start_ns = 0, recorder_ns = 0;
	clockid_t recorder = 0;

	if (argc < 3)
		return 2;
	if (recorded) {
		if (clock_getcpuclockid(getppid(), &recorder))
			die("the recorder's clock");
		start_ns = now_ns(CLOCK_MONOTONIC);
		recorder_ns = now_ns(recorder);
	}
	for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
		if (!strcmp(argv[1], works[i].name))
			works[i].work(argv[2]);
	if (recorded) {
		printf("%s.recorder_cpu_ns\t%lld\n", argv[2], (long long)(now_ns(recorder) - recorder_ns));
		printf("%s.elapsed_ns\t%lld\n", argv[2], (long long)(now_ns(CLOCK_MONOTONIC) - start_ns));
	}
	return 0;
}
