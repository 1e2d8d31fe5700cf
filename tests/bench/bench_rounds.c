/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs commands against each other and keeps each one's best: bench_rounds ROUNDS < COMMANDS
 *
 * A line of input is "NAME<tab>SHELL COMMAND". In each round every command runs once, in order (A B A B), so that a machine that
 * gets slower or faster for a while does so for all of them. Printed per command, tab separated, minima over the rounds:
 *     NAME  wall_ns  cpu_ns  main_cpu_ns  max_rss_kb
 * wall and CPU time are those of the whole process and what it waited for; main_cpu_ns is what timed_main.c says of the main thread
 * (0 where it is not linked in). max_rss_kb is a maximum. Before them "tsc_pair_ns" (two reads of the clock back to back, measured once
 * before each command, minimum) and "tsc_step_ticks". A command that fails ends it all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COMMANDS = 64 };

struct subject {
	char *name, *command;
	int64_t wall_ns, cpu_ns, main_cpu_ns;
	long max_rss_kb;
};

static struct subject subjects[MAX_COMMANDS];
static size_t nr_subjects;
static char main_output[4096]; /* absolute: commands change the folder */

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "bench_rounds: %s: %s\n", what, detail);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The same instruction as in the hooks. */
static inline uint64_t read_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#else
	return (uint64_t)now_ns();
#endif
}

static double measure_tsc_pair_ns(void)
{
	enum { BATCH = 20000, BATCHES = 40 };
	double best_ns = 1e9;

	for (int batch = 0; batch < BATCHES; batch++) {
		int64_t start_ns = now_ns();
		double pair_ns;

		for (int i = 0; i < BATCH; i++) {
			read_ticks();
			read_ticks();
			__asm__ volatile("" ::: "memory");
		}
		pair_ns = (double)(now_ns() - start_ns) / BATCH;
		if (pair_ns < best_ns)
			best_ns = pair_ns;
	}
	return best_ns;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The largest over many short runs: one that was moved to another CPU, with another phase, says 1. */
static uint64_t measure_tsc_step(void)
{
	uint64_t largest = 0;

	for (int run = 0; run < 500; run++) {
		uint64_t step = 0, last = read_ticks();

		for (int i = 0; i < 200; i++) {
			uint64_t ticks = read_ticks();

			step = common_divisor(ticks - last, step);
			last = ticks;
		}
		if (step > largest)
			largest = step;
	}
	return largest;
}

static int64_t keep_less(int64_t best, int64_t value)
{
	return !best || value < best ? value : best;
}

static int64_t read_main_cpu_ns(void)
{
	long long wall_ns, cpu_ns = 0;
	FILE *file = fopen(main_output, "r");

	if (!file)
		return 0;
	if (fscanf(file, "wall_ns %lld thread_cpu_ns %lld", &wall_ns, &cpu_ns) != 2)
		die(main_output, "not what timed_main writes");
	fclose(file);
	return cpu_ns;
}

static void run_once(struct subject *subject)
{
	int64_t start_ns, wall_ns;
	struct rusage usage;
	int status;
	pid_t pid;

	unlink(main_output);
	start_ns = now_ns();
	pid = fork();
	if (pid < 0)
		die("fork", strerror(errno));
	if (!pid) {
		execl("/bin/sh", "sh", "-c", subject->command, (char *)NULL);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		die("wait4", strerror(errno));
	wall_ns = now_ns() - start_ns;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("failed", subject->command);

	subject->wall_ns = keep_less(subject->wall_ns, wall_ns);
	subject->cpu_ns = keep_less(subject->cpu_ns, (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000000) +
							     (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * INT64_C(1000));
	subject->main_cpu_ns = keep_less(subject->main_cpu_ns, read_main_cpu_ns());
	if (usage.ru_maxrss > subject->max_rss_kb)
		subject->max_rss_kb = usage.ru_maxrss;
}

static void read_subjects(void)
{
	char *line = NULL;
	size_t capacity = 0;

	while (getline(&line, &capacity, stdin) > 0) {
		char *tab = strchr(line, '\t');

		if (!tab || nr_subjects == MAX_COMMANDS)
			die("input", line);
		*tab = '\0';
		line[strcspn(tab + 1, "\n") + (size_t)(tab + 1 - line)] = '\0';
		subjects[nr_subjects].name = strdup(line);
		subjects[nr_subjects++].command = strdup(tab + 1);
	}
	free(line);
}

int main(int argc, char **argv)
{
	int rounds = argc == 2 ? atoi(argv[1]) : 0;
	double tsc_pair_ns = 1e9;

	if (rounds < 1)
		die("usage", "bench_rounds ROUNDS < COMMANDS");
	if (!getcwd(main_output, sizeof(main_output) - 32))
		die("getcwd", strerror(errno));
	strcat(main_output, "/bench_main.txt");
	setenv("TIMED_MAIN_OUTPUT", main_output, 1);
	read_subjects();
	for (int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < nr_subjects; i++) {
			double pair_ns = measure_tsc_pair_ns();

			if (pair_ns < tsc_pair_ns)
				tsc_pair_ns = pair_ns;
			run_once(&subjects[i]);
		}
	}
	printf("tsc_pair_ns\t%.3f\ntsc_step_ticks\t%" PRIu64 "\n", tsc_pair_ns, measure_tsc_step());
	for (size_t i = 0; i < nr_subjects; i++) {
		printf("%s\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%ld\n", subjects[i].name, subjects[i].wall_ns, subjects[i].cpu_ns,
		       subjects[i].main_cpu_ns, subjects[i].max_rss_kb);
		free(subjects[i].name);
		free(subjects[i].command);
	}
	return 0;
}
