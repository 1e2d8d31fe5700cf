/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A signal handler that fills whole blocks of events, struck after each instruction of a hook.
 *
 * The interrupted hook may have won a slot of a block that is full, handed over and perhaps drained when it goes on: its event belongs there and nowhere
 * else. Read back from the trace: every call is there once, nothing is damaged, and no more than one event per round had to be settled without
 * its time. (hooks_signal_test looks at single hooks more closely, within one block.)
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/ptrace.h>

#include "rt_run_test_support.h"
#include "rt_thread.h"
#include "rt_threads_program.h"

enum { STEPS_MOST = 2000 };

static _Atomic uint64_t leaves;
static unsigned blocks; /* that the handler fills */

static void handler(int signal)
{
	uint64_t sequence = rt_tls.thread ? atomic_load(&rt_tls.thread->sequence) : 0;

	(void)signal;
	do {
		program_fill(500);
		leaves += 500;
	} while (rt_tls.thread && atomic_load(&rt_tls.thread->sequence) < sequence + blocks);
}

static void stepped(void *unused)
{
	struct sigaction action = { .sa_handler = handler };

	(void)unused;
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	sigaction(SIGUSR1, &action, NULL);
	program_fill(1);
	leaves = 1;
	for (unsigned long rounds = 0;; rounds++) {
		raise(SIGSTOP);
		program_leaf();
		leaves++;
		if (raise(SIGSTOP) || rounds > STEPS_MOST)
			break;
		if (access("over", F_OK) == 0)
			break;
	}
	FILE *file = fopen("leaves", "w");
	fprintf(file, "%" PRIu64, (uint64_t)leaves);
	fclose(file);
	raise(SIGSTOP);
}

static int wait_stop(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	return WSTOPSIG(status);
}

static void go_to_stop(pid_t pid, int signal)
{
	do {
		assert_return_code(ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal), errno);
		signal = wait_stop(pid);
	} while (signal != SIGSTOP);
}

static void strike(unsigned blocks_in_handler, unsigned long step, bool untimed)
{
	unsigned long struck = 0;
	int status;

	blocks = blocks_in_handler;
	folder_empty(run_folder);
	pid_t pid = fork();
	assert_return_code(pid, errno);
	if (!pid) {
		setenv("CPROF_BUFFER", "256k", 1);
		setenv("CPROF_DRAIN", "inline", 1);
		alarm(100);
		stepped(NULL);
		exit(0);
	}
	assert_int_equal(wait_stop(pid), SIGSTOP);
	bool over = false;
	for (unsigned long n = 0; !over && n < STEPS_MOST; n += step) {
		for (unsigned long i = 0; !over && i < n; i++) {
			assert_return_code(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), errno);
			over = wait_stop(pid) == SIGSTOP;
		}
		if (over)
			break;
		go_to_stop(pid, SIGUSR1);
		struck++;
		go_to_stop(pid, 0);
	}
	assert_true(over);
	close(open("over", O_CREAT | O_WRONLY, 0600));
	go_to_stop(pid, 0);
	assert_return_code(ptrace(PTRACE_CONT, pid, NULL, NULL), errno);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	uint64_t made = strtoull(file_text("leaves"), NULL, 10);
	struct trace_counts *counts = run_read("trace.lz4");
	print_message("%lu signals, %" PRIu64 " calls, %" PRIu64 " untimed\n", struck, made, counts->threads[0].untimed);
	assert_in_range(struck, 20, STEPS_MOST);
	assert_true(counts->clean);
	assert_int_equal(trace_counts_calls(counts, 0, program_leaf), made);
	assert_int_equal(counts->threads[0].exits, counts->threads[0].enters);
	assert_int_equal(counts->threads[0].open + counts->threads[0].repaired + counts->threads[0].record_lost, 0);
	assert_in_range(counts->threads[0].untimed, 0, struck);
	assert_int_equal(counts->threads[0].untimed > 0, untimed);
	trace_counts_destroy(counts);
}

static void test_next_block(void **state)
{
	(void)state;
	strike(1, 1, false);
}

/* So many that the drain gives up waiting for the event that the hook has not written yet, and settles it by what follows. */
static void test_many_blocks(void **state)
{
	(void)state;
	strike(11, 3, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_next_block), cmocka_unit_test(test_many_blocks) };

	return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
