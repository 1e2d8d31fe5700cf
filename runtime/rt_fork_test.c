/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that make processes: each records into a file of its own, calls that were open at a fork are timed in the child and counted in the
 * parent, and nobody touches what is another's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "rt_run_test_support.h"
#include "rt_threads_program.h"

enum { THREADS = 4, DEEP = 5, IN_CHILD = 1000, ROUNDS = 15 };

static _Atomic int at_work, stop;

static void *busy(void *unused)
{
	(void)unused;
	do {
		program_work(64);
		at_work++;
	} while (!stop);
	return NULL;
}

static void wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status)
		_exit(7);
}

/* The only trace of the run whose name is trace.<pid>.lz4. */
static struct trace_counts *child_counts(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	char found[300] = "";
	unsigned long pid;
	int end;

	while ((entry = readdir(dir))) {
		end = 0;
		if (sscanf(entry->d_name, "trace.%lu.lz4%n", &pid, &end) == 1 && end && !entry->d_name[end]) {
			assert_string_equal(found, "");
			strcpy(found, entry->d_name);
		}
	}
	closedir(dir);
	assert_string_not_equal(found, "");
	struct trace_counts *counts = run_read(found);
	assert_int_equal(strtoul(found + 6, NULL, 10), counts->pid);
	return counts;
}

static size_t files(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	size_t nr = 0;

	while ((entry = readdir(dir)))
		nr += !strncmp(entry->d_name, "trace", 5);
	closedir(dir);
	return nr;
}

/* --- fork in a process with busy threads ------------------------------------------------------------------------------------------ */

static void fork_here(void *unused)
{
	(void)unused;
	pid_t pid = fork();

	if (pid < 0)
		_exit(6);
	if (pid) {
		wait_for(pid);
		return;
	}
	program_fill(IN_CHILD); /* and then up through the calls that were open, to an end of its own */
}

static void fork_among_threads(void *unused)
{
	pthread_t threads[THREADS];
	pid_t me = getpid();

	(void)unused;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, busy, NULL);
	while (at_work < THREADS)
		sched_yield();
	program_deep(DEEP, fork_here, NULL);
	if (getpid() != me)
		exit(0);
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	program_fill(3);
}

static const struct trace_thread_counts *main_thread(const struct trace_counts *counts, size_t *index)
{
	for (size_t t = 0; t < counts->nr_threads; t++)
		if (counts->threads[t].main) {
			*index = t;
			return &counts->threads[t];
		}
	fail_msg("no main thread");
	return NULL;
}

static void check_fork_among_threads(const char *drain)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct trace_counts *parent = run_counts(&(struct run){ .buffer = "256k", .drain = drain, .seconds = 20 }, fork_among_threads, NULL);
		struct trace_counts *child = child_counts();
		size_t t = 0;
		const struct trace_thread_counts *thread = main_thread(parent, &t);

		assert_int_equal(files(), 2);
		assert_int_equal(parent->nr_threads, THREADS + 1);
		assert_false(parent->forked);
		assert_int_equal(trace_counts_calls(parent, t, program_deep), DEEP + 1);
		assert_int_equal(trace_counts_calls(parent, t, program_leaf), 3);
		assert_int_equal(thread->enters, DEEP + 1 + 4);
		assert_int_equal(thread->exits, thread->enters);
		assert_int_equal(thread->repaired + thread->inherited, 0);

		assert_true(child->clean);
		assert_true(child->forked);
		assert_int_equal(child->parent_pid, parent->pid);
		assert_int_equal(child->nr_threads, 1);
		assert_true(child->threads[0].main);
		assert_int_equal(child->threads[0].inherited, DEEP + 1);
		assert_int_equal(trace_counts_calls(child, 0, program_deep), 0);
		assert_int_equal(trace_counts_calls(child, 0, program_leaf), IN_CHILD);
		assert_int_equal(child->threads[0].enters, IN_CHILD + 1);
		assert_int_equal(child->threads[0].exits, IN_CHILD + 1 + DEEP + 1);
		assert_int_equal(child->threads[0].open + child->threads[0].repaired, 0);
		trace_counts_destroy(parent);
		trace_counts_destroy(child);
	}
}

static void test_fork_among_threads(void **state)
{
	(void)state;
	check_fork_among_threads("thread");
	check_fork_among_threads("inline");
}

/* --- a thread that had recorded nothing forks --------------------------------------------------------------------------------------- */

static void fork_from_silent_thread(void *in_child)
{
	pthread_t thread;

	pthread_create(&thread, NULL, busy, NULL);
	while (!at_work)
		sched_yield();
	pid_t pid = fork();
	if (!pid) {
		program_fill((unsigned long)in_child);
		exit(0);
	}
	wait_for(pid);
	stop = 1;
	pthread_join(thread, NULL);
}

static void test_fork_from_silent_thread(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct trace_counts *parent = run_counts(&(struct run){ .seconds = 20 }, fork_from_silent_thread, (void *)(uintptr_t)IN_CHILD);
		struct trace_counts *child = child_counts();

		assert_int_equal(files(), 2);
		assert_int_equal(parent->nr_threads, 1);
		assert_int_equal(trace_counts_calls(parent, 0, program_fill), 0);
		assert_true(child->clean);
		assert_int_equal(child->nr_threads, 1);
		assert_int_equal(child->threads[0].inherited, 0);
		assert_int_equal(child->threads[0].enters, IN_CHILD + 1);
		assert_int_equal(child->threads[0].exits, IN_CHILD + 1);
		trace_counts_destroy(parent);
		trace_counts_destroy(child);
	}
}

/* --- a child that makes no call leaves no file, and the parent's alone ---------------------------------------------------------------- */

static void fork_silent_child(void *unused)
{
	(void)unused;
	program_fill(10);
	pid_t pid = fork();
	if (!pid)
		exit(0);
	wait_for(pid);
	program_fill(10);
}

static void test_silent_child(void **state)
{
	(void)state;
	struct trace_counts *parent = run_counts(&(struct run){ 0 }, fork_silent_child, NULL);

	assert_int_equal(files(), 1);
	assert_int_equal(trace_counts_calls(parent, 0, program_leaf), 20);
	trace_counts_destroy(parent);
}

/* --- fork while another thread makes the process's first call --------------------------------------------------------------------------- */

static void *one_call(void *unused)
{
	(void)unused;
	at_work = 1;
	program_leaf();
	return NULL;
}

static void fork_at_start(void *unused)
{
	pthread_t thread;

	(void)unused;
	pthread_create(&thread, NULL, one_call, NULL);
	while (!at_work)
		sched_yield();
	pid_t pid = fork();
	if (!pid) {
		program_leaf();
		exit(0);
	}
	wait_for(pid);
	pthread_join(thread, NULL);
}

static void test_fork_at_start(void **state)
{
	(void)state;
	for (int round = 0; round < 4 * ROUNDS; round++) {
		assert_int_equal(run_child(&(struct run){ .seconds = 10 }, fork_at_start, NULL), 0);
		assert_int_equal(files(), 2);
		struct trace_counts *counts = run_read("trace.lz4");
		assert_int_equal(trace_counts_calls(counts, TRACE_ALL_THREADS, program_leaf), 1);
		trace_counts_destroy(counts);
		counts = child_counts();
		assert_int_equal(trace_counts_calls(counts, TRACE_ALL_THREADS, program_leaf), 1);
		trace_counts_destroy(counts);
	}
}

/* --- fork before anybody's first call: the child, which records first, does not lose its trace to the parent ------------------------------ */

static void fork_before_start(void *unused)
{
	(void)unused;
	pid_t pid = fork();
	if (!pid) {
		program_fill(IN_CHILD);
		exit(0);
	}
	wait_for(pid);
	program_leaf();
}

static void test_fork_before_start(void **state)
{
	(void)state;
	assert_int_equal(run_child(&(struct run){ 0 }, fork_before_start, NULL), 0);
	assert_int_equal(files(), 2);
	struct trace_counts *child = run_read("trace.lz4"), *parent = child_counts();
	assert_int_equal(trace_counts_calls(child, 0, program_leaf), IN_CHILD);
	assert_int_equal(trace_counts_calls(parent, 0, program_leaf), 1);
	trace_counts_destroy(child);
	trace_counts_destroy(parent);
}

/* --- children of children -------------------------------------------------------------------------------------------------------------- */

static void fork_chain(void *left_)
{
	uintptr_t left = (uintptr_t)left_;
	pid_t pid = left ? fork() : -1;

	if (pid == 0) {
		program_deep(left, fork_chain, (void *)(left - 1));
		exit(0);
	}
	if (pid > 0)
		wait_for(pid);
}

static void start_chain(void *unused)
{
	(void)unused;
	program_deep(0, fork_chain, (void *)3);
}

static void test_chain(void **state)
{
	uint64_t calls = 0, inherited = 0;

	(void)state;
	assert_int_equal(run_child(&(struct run){ 0 }, start_chain, NULL), 0);
	assert_int_equal(files(), 4);
	DIR *dir = opendir(".");
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "trace", 5))
			continue;
		struct trace_counts *counts = run_read(entry->d_name);
		assert_true(counts->clean);
		assert_int_equal(counts->nr_threads, 1);
		calls += trace_counts_calls(counts, 0, program_deep);
		inherited += counts->threads[0].inherited;
		trace_counts_destroy(counts);
	}
	closedir(dir);
	assert_int_equal(calls, 1 + 4 + 3 + 2);
	assert_int_equal(inherited, 1 + (1 + 4) + (1 + 4 + 3));
}

/* --- vfork ---------------------------------------------------------------------------------------------------------------------------- */

static void exec_true(void *unused)
{
	(void)unused;
	execl("/bin/true", "true", (char *)NULL);
	_exit(5);
}

static void vfork_run(void *unused)
{
	(void)unused;
	program_fill(5);
	pid_t pid = vfork();
	if (!pid) {
		program_fill(7);
		_exit(0);
	}
	wait_for(pid);
	program_fill(11);
	pid = vfork();
	if (!pid)
		program_deep(3, exec_true, NULL);
	wait_for(pid);
	program_fill(13);
}

/* The child's calls are the parent's thread's; those that ended with its exec are repaired. */
static void test_vfork(void **state)
{
	(void)state;
	struct trace_counts *counts = run_counts(&(struct run){ 0 }, vfork_run, NULL);

	assert_int_equal(files(), 1);
	assert_int_equal(counts->nr_threads, 1);
	assert_int_equal(trace_counts_calls(counts, 0, program_leaf), 5 + 7 + 11 + 13);
	assert_int_equal(trace_counts_calls(counts, 0, program_deep), 4);
	assert_int_equal(counts->threads[0].repaired, 4);
	assert_int_equal(counts->threads[0].open, 0);
	trace_counts_destroy(counts);
}

/* --- a daemon ---------------------------------------------------------------------------------------------------------------------------- */

static void daemon_run(void *unused)
{
	char text[] = "the daemon's own\n";

	(void)unused;
	program_fill(10);
	if (fork())
		_exit(0);
	program_fill(1); /* it has its file open now */
	setsid();
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	for (int fd = 0; fd < 1024; fd++) {
		char name[32];
		snprintf(name, sizeof name, "own.%d", fd % 3);
		if (open(name, O_RDWR | O_CREAT, 0600) < 0)
			break;
	}
	if (pwrite(0, text, sizeof text, 0) != sizeof text || pwrite(1, text, sizeof text, 0) != sizeof text ||
	    pwrite(2, text, sizeof text, 0) != sizeof text)
		_exit(4);
	program_fill(500000); /* more than its blocks hold */
	int fd = 900;
	close(fd);
	fd = open("done.new", O_WRONLY | O_CREAT, 0600);
	close(fd);
	/* exit() follows; the trace is complete when the live file is gone */
}

static void test_daemon(void **state)
{
	(void)state;
	assert_int_equal(run_child(&(struct run){ .buffer = "256k" }, daemon_run, NULL), 0);
	for (int tries = 0; tries < 1000 && (access("done.new", F_OK) || files() > 3); tries++)
		usleep(10000);
	struct trace_counts *parent = run_read("trace.lz4");
	struct trace_counts *child = child_counts();

	assert_false(parent->clean); /* _exit: read from the live file */
	assert_true(parent->live_used);
	assert_int_equal(trace_counts_calls(parent, 0, program_leaf), 10);
	assert_int_equal(child->threads[0].record_lost, 0);
	assert_int_equal(trace_counts_calls(child, 0, program_leaf), 500001);
	assert_true(child->clean);
	for (int i = 0; i < 3; i++) {
		char name[32];
		snprintf(name, sizeof name, "own.%d", i);
		assert_string_equal(file_text(name), "the daemon's own\n");
		struct stat st;
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_size, 18);
	}
	trace_counts_destroy(parent);
	trace_counts_destroy(child);
}

/* --- exec ---------------------------------------------------------------------------------------------------------------------------------- */

static void exec_again(void *left)
{
	char argument[16];

	snprintf(argument, sizeof argument, "exec-%d", (int)(intptr_t)left);
	program_fill(100);
	execl("/proc/self/exe", "again", argument, (char *)NULL);
	_exit(5);
}

static void test_exec(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (!pid) {
		folder_empty(run_folder);
		unsetenv("CPROF_OUTPUT");
		program_deep(2, exec_again, (void *)2);
		_exit(5);
	}
	wait_for(pid);
	for (int generation = 0; generation < 3; generation++) {
		char middle[32] = "", name[64];

		if (generation)
			snprintf(middle, sizeof middle, ".%d%s", pid, generation == 1 ? "" : ".1");
		snprintf(name, sizeof name, "trace%s.lz4", middle);
		struct trace_counts *counts = run_read(name);
		assert_int_equal(counts->pid, pid);
		assert_int_equal(counts->generation, generation);
		assert_int_equal(counts->clean, generation == 2);
		assert_int_equal(trace_counts_calls(counts, 0, program_leaf), 100);
		trace_counts_destroy(counts);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fork_among_threads),
		cmocka_unit_test(test_fork_from_silent_thread),
		cmocka_unit_test(test_silent_child),
		cmocka_unit_test(test_fork_at_start),
		cmocka_unit_test(test_fork_before_start),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_vfork),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_exec),
	};

	if (argc > 1 && !strncmp(argv[1], "exec-", 5)) {
		if (argv[1][5] == '1') {
			program_fill(100);
			return 0;
		}
		exec_again((void *)1);
	}
	return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
