/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_target WHAT [ARGUMENT...]: does a known number of known things in known contexts, for the tests of cprof-record (record_*_test.sh have what is
 * expected). What a test must compare with is printed as one line of JSON.
 */
#include "slots_target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* NAP: long enough that it has not run out before the thread has left the CPU, also where a host takes the CPU away. */
enum { NAP_NS = 5000000, PAGE = 4096, WORKERS = 4, ROUNDS = 20, PAGES = 10, SHORT_THREADS = 1000, SHORT_AT_ONCE = 8 };
enum { IN_NAP = 1003, IN_FAULT = 1005, IN_SPIN_A = 1010, IN_SPIN_B = 1011, IN_SHORT = 2000 };

extern char **environ;
static volatile uint64_t sink;

/* Each page is touched once: one fault a page. */
static void touch_pages(uint32_t context, unsigned pages)
{
	volatile char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(92);
	madvise((void *)(uintptr_t)memory, pages * PAGE, MADV_NOHUGEPAGE);
	target_context(context);
	for (unsigned i = 0; i < pages; i++)
		memory[i * PAGE] = 1;
	target_context(0);
	munmap((void *)(uintptr_t)memory, pages * PAGE);
}

/* Two functions that differ in where they are, not in what they do; each on a page of its own, found by the test through their addresses. */
#define SPIN(name) \
	__attribute__((noinline, aligned(4096))) static void name(uint64_t cpu_ns) \
	{ \
		uint64_t end_ns = target_clock_ns(CLOCK_THREAD_CPUTIME_ID) + cpu_ns; \
		do { \
			for (unsigned i = 0; i < 2000000; i++) \
				sink += i; \
		} while (target_clock_ns(CLOCK_THREAD_CPUTIME_ID) < end_ns); \
	}
SPIN(spin_a)
SPIN(spin_b)
static void *contexts_worker(void *unused)
{
	target_register(0);
	for (int i = 0; i < ROUNDS; i++) {
		target_context(IN_NAP);
		target_nap(NAP_NS);
		target_context(0);
		touch_pages(IN_FAULT, PAGES);
	}
	target_release();
	return unused;
}

static void *contexts_short(void *number)
{
	target_register(0);
	touch_pages(IN_SHORT + (uint32_t)(uintptr_t)number, 1);
	target_release();
	return NULL;
}

/* 4 threads: 80 naps, 800 faults. 1,000 threads: a fault each, in a context of its own. */
static int run_contexts(void)
{
	pthread_t workers[WORKERS], threads[SHORT_AT_ONCE];

	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&workers[i], NULL, contexts_worker, NULL))
			return 93;
	for (int i = 0; i < SHORT_THREADS; i += SHORT_AT_ONCE) {
		for (int j = 0; j < SHORT_AT_ONCE; j++)
			if (pthread_create(&threads[j], NULL, contexts_short, (void *)(uintptr_t)(i + j)))
				return 93;
		for (int j = 0; j < SHORT_AT_ONCE; j++)
			pthread_join(threads[j], NULL);
	}
	for (int i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	return 0;
}

/* N naps; what the slot says about them. */
static int run_naps(unsigned naps)
{
	uint32_t before = target_slot->changes;
	uint64_t slept_ns = target_slot->blocked_ns[CPROF_BLOCKED_SLEEP];

	target_context(IN_NAP);
	for (unsigned i = 0; i < naps; i++)
		target_nap(NAP_NS);
	target_context(0);
	printf("{\"slept_ns\":%" PRIu64 ",\"changes\":%u,\"faults\":%u,\"runq_ns\":%" PRIu64 "}\n",
	       target_slot->blocked_ns[CPROF_BLOCKED_SLEEP] - slept_ns, target_slot->changes - before, target_slot->faults,
	       target_slot->runq_ns);
	return 0;
}

/* Equal work in two places. */
static int run_spin(uint64_t cpu_ms)
{
	for (int i = 0; i < 10; i++) {
		target_context(IN_SPIN_A);
		spin_a(cpu_ms * 100000);
		target_context(IN_SPIN_B);
		spin_b(cpu_ms * 100000);
	}
	target_context(0);
	printf("{\"spin_a\":%" PRIu64 ",\"spin_b\":%" PRIu64 ",\"cpu_ns\":%" PRIu64 "}\n", (uint64_t)(uintptr_t)spin_a,
	       (uint64_t)(uintptr_t)spin_b, target_clock_ns(CLOCK_PROCESS_CPUTIME_ID));
	return 0;
}

static void *spinner(void *cpu_ns)
{
	target_register(0);
	target_context(IN_SPIN_A);
	spin_a((uint64_t)(uintptr_t)cpu_ns);
	target_context(0);
	printf("{\"tid\":%ld,\"cpu_ns\":%" PRIu64 "}\n", syscall(SYS_gettid), target_clock_ns(CLOCK_THREAD_CPUTIME_ID));
	fflush(stdout);
	return NULL; /* without a word: BPF frees the slot */
}

static void *brief_thread(void *unused)
{
	target_register(0);
	target_context(IN_SPIN_A);
	spin_a(4000000);
	target_context(0);
	target_release();
	return unused;
}

/* N threads, one after the other, none of which lives for as long as a period of the sampling. */
static int run_brief(unsigned threads)
{
	pthread_t thread;

	for (unsigned i = 0; i < threads; i++) {
		if (pthread_create(&thread, NULL, brief_thread, NULL))
			return 93;
		pthread_join(thread, NULL);
	}
	return 0;
}

/* System calls and nothing else: every probe there is, all the time. */
static int run_syscalls(uint64_t cpu_ms)
{
	target_context(IN_SPIN_A);
	while (target_clock_ns(CLOCK_PROCESS_CPUTIME_ID) < cpu_ms * 1000000)
		for (int i = 0; i < 1000; i++)
			syscall(SYS_getppid);
	target_context(0);
	return 0;
}

/* Two threads that want the same CPU all the time. */
static int run_queue(uint64_t cpu_ms)
{
	pthread_t threads[2];
	cpu_set_t one;

	sched_getaffinity(0, sizeof one, &one);
	for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &one) && seen++)
			CPU_CLR(cpu, &one);
	}
	sched_setaffinity(0, sizeof one, &one);
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, spinner, (void *)(uintptr_t)(cpu_ms * 1000000)))
			return 93;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

/* A child that registers late: its first faults are in what its parent was in. */
static int run_fork(void)
{
	int status;
	pid_t child;

	target_context(IN_NAP);
	child = fork();
	if (!child) {
		target_nap(NAP_NS); /* before it has registered: its parent's context */
		target_register(0);
		touch_pages(IN_FAULT, PAGES);
		target_release();
		_exit(5);
	}
	target_context(0);
	waitpid(child, &status, 0);
	return WEXITSTATUS(status) == 5 ? 0 : 94;
}

/* Its own exec, twice; the last image says so. */
static int run_exec(char **argv, unsigned image)
{
	char number[16];

	touch_pages(IN_FAULT + image, PAGES);
	if (image == 2)
		return 6;
	snprintf(number, sizeof number, "%u", image + 1);
	execv("/proc/self/exe", (char *[]) { argv[0], argv[1], number, NULL });
	return 95;
}

static int run_spawn(void)
{
	pid_t child;
	int status;

	target_context(IN_NAP);
	if (posix_spawn(&child, "/bin/true", NULL, NULL, (char *[]) { "true", NULL }, environ))
		return 96;
	target_context(0);
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

/* Waits for a line, then works: for who attaches. */
static int run_attached(void)
{
	char line[16];
	pthread_t worker;

	printf("ready\n");
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return 97;
	if (pthread_create(&worker, NULL, contexts_worker, NULL))
		return 93;
	pthread_join(worker, NULL);
	target_context(IN_NAP);
	for (int i = 0; i < 50; i++)
		target_nap(NAP_NS);
	target_context(0);
	printf("done\n");
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return 97;
	return 0;
}

static void *idle_worker(void *barrier)
{
	target_register(0);
	pthread_barrier_wait(barrier);
	target_context(IN_NAP);
	for (int i = 0; i < 10; i++)
		target_nap(NAP_NS);
	pthread_barrier_wait(barrier);
	target_release();
	return NULL;
}

/* N threads at once. */
static int run_threads(unsigned threads)
{
	pthread_barrier_t barrier;
	pthread_t ids[64];

	if (threads > 64)
		return 2;
	pthread_barrier_init(&barrier, NULL, threads);
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, idle_worker, &barrier))
			return 93;
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return 0;
}

/* Many different keys and many records: N contexts with a fault and a short nap each. */
static int run_many(unsigned contexts)
{
	for (unsigned i = 1; i <= contexts; i++) {
		touch_pages(i, 1);
		target_nap(1000);
	}
	return 0;
}

/* N contexts with two short naps each, the second after all the first; what the slot says about them. */
static int run_returning(unsigned contexts)
{
	uint64_t slept_ns = target_slot->blocked_ns[CPROF_BLOCKED_SLEEP];

	for (unsigned i = 0; i < 2 * contexts; i++) {
		target_context(1 + i % contexts);
		target_nap(500000);
	}
	target_context(0);
	printf("{\"slept_ns\":%" PRIu64 "}\n", target_slot->blocked_ns[CPROF_BLOCKED_SLEEP] - slept_ns);
	return 0;
}

/* How long the kernel says that the calling thread waited for a CPU. */
static uint64_t run_delay_ns(void)
{
	uint64_t ran_ns, delay_ns = 0;
	FILE *file = fopen("/proc/thread-self/schedstat", "r");

	if (!file || fscanf(file, "%" SCNu64 " %" SCNu64, &ran_ns, &delay_ns) != 2)
		exit(98);
	fclose(file);
	return delay_ns;
}

static int wakes[2]; /* pipe */
static volatile unsigned wakes_awaited;

/* To the first or last CPU that it may use: two threads side by side, if there are two. */
static void stay(bool last)
{
	cpu_set_t all, one;
	int cpu = last ? CPU_SETSIZE - 1 : 0;

	if (sched_getaffinity(0, sizeof all, &all))
		exit(94);
	while (!CPU_ISSET(cpu, &all))
		cpu += last ? -1 : 1;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof one, &one);
}

static void *wakes_reader(void *times)
{
	uint64_t runq_ns, delay_ns;
	char byte;

	stay(false);
	target_register(0);
	target_context(IN_NAP);
	delay_ns = run_delay_ns();
	runq_ns = target_slot->runq_ns;
	for (unsigned i = 1; i <= (unsigned)(uintptr_t)times; i++) {
		wakes_awaited = i;
		if (read(wakes[0], &byte, 1) != 1)
			exit(99);
	}
	runq_ns = target_slot->runq_ns - runq_ns;
	printf("{\"runq_ns\":%" PRIu64 ",\"delay_ns\":%" PRIu64 "}\n", runq_ns, run_delay_ns() - delay_ns);
	return NULL;
}

/* N reads of a pipe to which something is written while the reader goes to sleep, or just has, or not yet. */
static int run_wakes(unsigned times)
{
	pthread_t reader;

	if (pipe(wakes) || pthread_create(&reader, NULL, wakes_reader, (void *)(uintptr_t)times))
		return 93;
	stay(true);
	for (unsigned i = 1; i <= times; i++) {
		while (wakes_awaited != i)
			;
		for (unsigned steps = i * 7 % 4000; steps; steps--)
			sink += steps;
		if (write(wakes[1], "", 1) != 1)
			return 99;
	}
	pthread_join(reader, NULL);
	return 0;
}

/* N writes of a byte that go nowhere. */
static int run_writes(unsigned writes)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	target_context(IN_NAP);
	for (unsigned i = 0; i < writes; i++)
		if (write(fd, "x", 1) != 1)
			return 98;
	target_context(0);
	return 0;
}

/* What the exit hook can know of a call: the slot is read again when it moved meanwhile. */
static uint64_t off_cpu_now_ns(uint64_t *clock_ns, uint64_t *cpu_ns, uint32_t *changes)
{
	uint64_t off_ns;

	do {
		*changes = *(volatile uint32_t *)&target_slot->changes;
		*clock_ns = target_clock_ns(CLOCK_MONOTONIC);
		*cpu_ns = target_clock_ns(CLOCK_THREAD_CPUTIME_ID);
		off_ns = *(volatile uint64_t *)&target_slot->runq_ns;
		for (int i = 0; i < CPROF_BLOCKED_COUNT; i++)
			off_ns += *(volatile uint64_t *)&target_slot->blocked_ns[i];
	} while (*changes != *(volatile uint32_t *)&target_slot->changes);
	return off_ns;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* How often the calling thread has left the CPU by the kernel's own count, less its slot's. */
static int64_t switches_untold(uint32_t *changes)
{
	struct rusage usage;

	do {
		*changes = *(volatile uint32_t *)&target_slot->changes;
		getrusage(RUSAGE_THREAD, &usage);
	} while (*changes != *(volatile uint32_t *)&target_slot->changes);
	return (int64_t)usage.ru_nvcsw + (int64_t)usage.ru_nivcsw - (int64_t)*changes;
}

struct call_errors {
	uint64_t *ns;
	unsigned calls, kept, host;
	uint32_t switches;
	int64_t untold; /* of the switches */
};

/* Each call works and sleeps: wall - time off the CPU should be what the thread's own clock says. */
static void *call_thread(void *pointer)
{
	struct call_errors *errors = pointer;
	uint32_t first_changes, last_changes;

	target_register(0);
	int64_t untold_before = switches_untold(&first_changes);

	for (unsigned i = 0; i < errors->calls; i++) {
		uint64_t start_ns, start_cpu_ns, end_ns, end_cpu_ns;
		uint32_t start_changes, end_changes;
		uint64_t start_off_ns = off_cpu_now_ns(&start_ns, &start_cpu_ns, &start_changes);

		for (unsigned j = 0; j < 500000; j++)
			sink += j;
		if (i % 4 == 0)
			target_nap(500000);
		uint64_t end_off_ns = off_cpu_now_ns(&end_ns, &end_cpu_ns, &end_changes);
		int64_t error_ns =
			(int64_t)(end_ns - start_ns) - (int64_t)(end_off_ns - start_off_ns) - (int64_t)(end_cpu_ns - start_cpu_ns);

		if (error_ns > 100000 && end_changes == start_changes)
			errors->host++; /* the host, or an interrupt: wall time has it, the thread's clock has not */
		else
			errors->ns[errors->kept++] = (uint64_t)(error_ns < 0 ? -error_ns : error_ns);
	}
	errors->untold = switches_untold(&last_changes) - untold_before;
	errors->switches = last_changes - first_changes;
	target_release();
	return NULL;
}

/* N calls in each of 4 threads. */
static int run_calls(unsigned calls)
{
	struct call_errors errors[WORKERS];
	uint64_t *all = calloc((size_t)WORKERS * calls, sizeof *all), sum_ns = 0, late_ns = 0;
	pthread_t threads[WORKERS];
	unsigned kept = 0, host = 0, switches = 0, untold = 0;

	for (int i = 0; i < WORKERS; i++) {
		errors[i] = (struct call_errors) { .ns = calloc(calls, sizeof *all), .calls = calls };
		if (!all || !errors[i].ns || pthread_create(&threads[i], NULL, call_thread, &errors[i]))
			return 93;
	}
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		memcpy(all + kept, errors[i].ns, errors[i].kept * sizeof *all);
		kept += errors[i].kept;
		host += errors[i].host;
		switches += errors[i].switches;
		untold += (unsigned)(errors[i].untold < 0 ? -errors[i].untold : errors[i].untold);
		free(errors[i].ns);
	}
	qsort(all, kept, sizeof *all, compare_ns);
	unsigned late = 0;

	for (unsigned i = 0; i < kept; i++) {
		if (all[i] >
		    1000000) /* the kernel did not say that it was back: its slot learnt of it late (switches.late counts them) */
			late++, late_ns += all[i];
		else
			sum_ns += all[i];
	}
	printf("{\"calls\":%u,\"kept\":%u,\"host\":%u,\"late\":%u,\"switches\":%u,\"untold\":%u,\"median_ns\":%" PRIu64 ",\"p90_ns\":%" PRIu64 ",\"p99_ns\":%" PRIu64
	       ",\"max_ns\":%" PRIu64 ",\"mean_ns\":%" PRIu64 ",\"mean_with_late_ns\":%" PRIu64 "}\n",
	       WORKERS * calls, kept, host, late, switches, untold, all[kept / 2], all[kept * 9 / 10], all[kept * 99 / 100], all[kept - 1],
	       sum_ns / (kept - late), (sum_ns + late_ns) / kept);
	free(all);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned number = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	unsigned generation = strcmp(what, "exec") == 0 ? number : 0;

	target_open(generation);
	target_register(generation);
	if (strcmp(what, "contexts") == 0)
		return run_contexts();
	if (strcmp(what, "naps") == 0)
		return run_naps(number);
	if (strcmp(what, "spin") == 0)
		return run_spin(number);
	if (strcmp(what, "queue") == 0)
		return run_queue(number);
	if (strcmp(what, "fork") == 0)
		return run_fork();
	if (strcmp(what, "exec") == 0)
		return run_exec(argv, number);
	if (strcmp(what, "spawn") == 0)
		return run_spawn();
	if (strcmp(what, "attached") == 0)
		return run_attached();
	if (strcmp(what, "threads") == 0)
		return run_threads(number);
	if (strcmp(what, "many") == 0)
		return run_many(number);
	if (strcmp(what, "returning") == 0)
		return run_returning(number);
	if (strcmp(what, "wakes") == 0)
		return run_wakes(number);
	if (strcmp(what, "brief") == 0)
		return run_brief(number);
	if (strcmp(what, "syscalls") == 0)
		return run_syscalls(number);
	if (strcmp(what, "calls") == 0)
		return run_calls(number);
	if (strcmp(what, "writes") == 0)
		return run_writes(number);
	fprintf(stderr,
		"usage: %s brief N|calls N|syscalls MS|contexts|naps N|spin MS|queue MS|fork|exec 0|spawn|attached|threads N|many N|returning N|wakes N|writes N\n",
		argv[0]);
	return 2;
}
