/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commit protocol, proven instruction by instruction.
 *
 * A child calls an instrumented function; its parent steps through the hooks with ptrace and delivers one signal after the n-th instruction, for
 * every n until the call is over. The handler makes calls of its own. After each round the child reads the events of the round from its block: every
 * call must be there once, nested under the context that was committed, with time never running back. Done for warm hooks, for hooks that
 * miss the cache, for hooks that leave through the poll word, for those that find that the thread was off its CPU (here the child plays BPF), for those that
 * find that the clock's upper half has changed, and for an enter and an exit that find calls that have ended without one. A handler may also fork: its child
 * goes on in the middle of the hook.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hooks_signal_program.h"
#include "rt_contexts.h"
#include "rt_thread.h"

enum variant {
	VARIANT_WARM,
	VARIANT_MISS,
	VARIANT_POLL,
	VARIANT_SWITCHED,
	VARIANT_CLOCK,
	VARIANT_LEFT_ENTER,
	VARIANT_LEFT_EXIT,
	VARIANT_FORK,
};
enum { F_CALLS = 2, HANDLER_CALLS = 5, LEFT_CALLS = 2, ROUND_EVENTS = 128, STEPS_MOST = 20000 };

struct report {
	unsigned long rounds, struck, failures;
	char first_failure[256];
};

static struct report *report; /* shared with the child */
static volatile unsigned long handler_runs;

static enum variant variant;

/* As BPF would: the sums first, `changes` last. */
static void switch_out(uint64_t runq_ns)
{
	volatile struct cprof_slot *slot = rt_tls.slot;

	slot->runq_ns += runq_ns;
	slot->blocked_ns[CPROF_BLOCKED_DISK] += 1ull << 30;
	slot->changes++;
}

static void note_failure(const char *what, uint64_t a, uint64_t b)
{
	if (!report->failures++)
		snprintf(report->first_failure, sizeof report->first_failure, "round %lu: %s (%#lx, %#lx)", report->rounds, what,
			 (unsigned long)a, (unsigned long)b);
}

static volatile bool is_in_call, is_fork;

/* The child goes on in the middle of the hook, up to the end of the call. It may not have written what is ours to write. */
static void fork_in_hook(void)
{
	uint64_t next = (uint32_t)rt_tls.state;
	int status = 1;
	pid_t pid = fork();

	if (!pid) {
		is_fork = true;
		return;
	}
	if (waitpid(pid, &status, 0) != pid || status)
		note_failure("the child of a fork in a hook", (uint64_t)pid, (uint64_t)status);
	if (rt_tls.events[next])
		note_failure("a child wrote into its parent's block", next, rt_tls.events[next]);
}

static void handler(int signal)
{
	handler_runs++;
	if (variant == VARIANT_FORK) {
		if (is_in_call)
			fork_in_hook();
		return;
	}
	if (variant == VARIANT_SWITCHED)
		switch_out(3);
	program_handler(signal);
}

/* Every figure once known is told again when it has grown, and never a smaller one. */
static void check_sched(uint32_t payload, uint64_t *told, uint64_t *high)
{
	uint32_t figure = payload >> CPROF_SCHED_VALUE_BITS;
	uint64_t value = payload & ((1u << CPROF_SCHED_VALUE_BITS) - 1);

	if (variant != VARIANT_SWITCHED)
		note_failure("an escape that nothing asked for", CPROF_ESCAPE_SCHED, payload);
	if (figure == CPROF_SCHED_HIGH) {
		*high = value << CPROF_SCHED_VALUE_BITS;
		return;
	}
	value |= *high;
	*high = 0;
	if (value < told[figure])
		note_failure("a sum that shrinks", figure, value);
	told[figure] = value;
}

static void check_told(const uint64_t *told)
{
	const struct cprof_slot *slot = rt_tls.slot;

	if (variant == VARIANT_SWITCHED && (told[CPROF_SCHED_SWITCHES] != slot->changes || told[CPROF_SCHED_RUNQ] != slot->runq_ns ||
					    told[CPROF_SCHED_BLOCKED + CPROF_BLOCKED_DISK] != slot->blocked_ns[CPROF_BLOCKED_DISK]))
		note_failure("time off the CPU was not told", slot->runq_ns, told[CPROF_SCHED_RUNQ]);
}

/* The events of one round: balanced, every enter under the current context, every exit back to what was below, in order of time. */
static void check_round(uint32_t from, uint32_t to, unsigned long expected_calls)
{
	uint32_t stack[64] = { 0 }, depth = 0, last = 0;
	uint64_t told[16] = { 0 }, high = 0;
	unsigned long calls = 0, clocks = 0, repaired = 0;
	int first = 1;

	for (uint32_t i = from; i != to; i++) {
		uint64_t event = rt_tls.events[i];
		uint32_t id = (uint32_t)event, ticks = (uint32_t)(event >> 32);

		if (!event) {
			note_failure("an event was never written", i, 0);
			return;
		}
		if (!(id & CPROF_EVENT_EXIT) && id >= CPROF_ESCAPE_FIRST) {
			if (id == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_SCHED) {
				check_sched(ticks, told, &high);
				continue;
			}
			if (id == CPROF_ESCAPE_FIRST + CPROF_ESCAPE_REPAIR && ticks <= depth && repaired + ticks <= LEFT_CALLS) {
				repaired += ticks;
				depth -= ticks;
				continue;
			}
			if (id != CPROF_ESCAPE_FIRST + CPROF_ESCAPE_CLOCK)
				note_failure("an escape that nothing asked for", id, ticks);
			first = 1; /* the clock's lower half has wrapped */
			clocks++;
			continue;
		}
		if (!first && (int32_t)(ticks - last) < 0)
			note_failure("time ran back", last, ticks);
		first = 0;
		last = ticks;
		if (id & CPROF_EVENT_EXIT) {
			if (!depth) {
				note_failure("an exit too many", i, id);
				return;
			}
			depth--;
			if ((id & CPROF_EVENT_ID) != stack[depth])
				note_failure("an exit to the wrong context", id & CPROF_EVENT_ID, stack[depth]);
		} else {
			if (rt_contexts_parent(id) != stack[depth])
				note_failure("a call under the wrong context", rt_contexts_parent(id), stack[depth]);
			stack[++depth] = rt_contexts_target(id);
			calls++;
		}
	}
	check_told(told);
	if (variant == VARIANT_CLOCK && !clocks)
		note_failure("the clock's upper half was not told", 0, 0);
	if (repaired != (variant == VARIANT_LEFT_ENTER || variant == VARIANT_LEFT_EXIT ? LEFT_CALLS : 0))
		note_failure("calls not or wrongly repaired", repaired, 0);
	if (depth)
		note_failure("calls left open", depth, 0);
	if (calls != expected_calls)
		note_failure("calls lost or made up", calls, expected_calls);
	if (rt_tls.state >> 32)
		note_failure("the stack is not empty", rt_tls.state >> 32, 0);
}

static __attribute__((noinline)) void leave_calls(void)
{
	if (!_setjmp(program_back))
		program_leave();
}

static void parent_steps_now(void)
{
	raise(SIGSTOP);
}

/* Calls that it makes by itself. */
static unsigned long make_calls(void)
{
	if (variant == VARIANT_LEFT_EXIT) {
		program_catch(parent_steps_now);
		return 1 + LEFT_CALLS;
	}
	if (variant == VARIANT_LEFT_ENTER)
		leave_calls();
	parent_steps_now();
	is_in_call = true;
	program_f();
	is_in_call = false;
	return F_CALLS + (variant == VARIANT_LEFT_ENTER ? LEFT_CALLS : 0);
}

static void child(void)
{
	struct sigaction action = { .sa_handler = handler };

	sigaction(SIGUSR1, &action, NULL);
	program_f(); /* attach, first misses */
	program_handler(0);
	for (unsigned long struck = 1;; report->rounds++) {
		while (rt_tls.thread->real_end - (uint32_t)rt_tls.state < ROUND_EVENTS) /* a round within one block */
			program_f();
		if (variant == VARIANT_MISS)
			for (int i = 0; i < RT_CACHE_SLOTS; i++)
				rt_tls.cache[i].parent = RT_CACHE_NO_PARENT;
		if (variant == VARIANT_POLL)
			rt_tls.end = 0;
		if (variant == VARIANT_SWITCHED)
			switch_out(7);
		if (variant == VARIANT_CLOCK)
			rt_tls.clock_high--;
		uint32_t before = (uint32_t)rt_tls.state;
		unsigned long runs = handler_runs;
		unsigned long calls = make_calls();

		if (is_fork)
			_exit(0);
		raise(SIGSTOP); /* over */
		struck = handler_runs - runs;
		report->struck += struck;
		check_round(before, (uint32_t)rt_tls.state, calls + struck * (variant == VARIANT_FORK ? 0 : HANDLER_CALLS));
		if (rt_tls.thread->record->unmatched_exits)
			note_failure("exits ignored", rt_tls.thread->record->unmatched_exits, 0);
	}
}

/* Continues until the child stops with SIGSTOP. */
static void run_to_stop(pid_t pid, int signal)
{
	int status;

	for (;;) {
		assert_return_code(ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal), errno);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) == SIGSTOP)
			return;
		signal = WSTOPSIG(status);
	}
}

/* Steps n instructions; true when the call was over before that. */
static int step(pid_t pid, unsigned long n)
{
	int status;

	while (n--) {
		assert_return_code(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), errno);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) == SIGSTOP)
			return 1;
		assert_int_equal(WSTOPSIG(status), SIGTRAP);
	}
	return 0;
}

static void step_through(enum variant which)
{
	int status;
	pid_t pid;

	variant = which;
	memset(report, 0, sizeof *report);
	pid = fork();
	assert_return_code(pid, errno);
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		child();
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	while (WSTOPSIG(status) != SIGSTOP) {
		ptrace(PTRACE_CONT, pid, NULL, (void *)(long)WSTOPSIG(status));
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	unsigned long n = 0;
	for (; n < STEPS_MOST; n++) {
		int over = step(pid, n);

		if (!over)
			run_to_stop(pid, SIGUSR1); /* delivered after the n-th instruction */
		run_to_stop(pid, 0);
		if (over)
			break;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	print_message("%lu instructions, %lu signals\n", n, report->struck);
	if (report->failures)
		fail_msg("%lu failures; first: %s", report->failures, report->first_failure);
	assert_in_range(n, 100, STEPS_MOST - 1);
	assert_int_equal(report->struck, n);
}

static void test_warm(void **state)
{
	(void)state;
	step_through(VARIANT_WARM);
}

static void test_cache_miss(void **state)
{
	(void)state;
	step_through(VARIANT_MISS);
}

static void test_poll(void **state)
{
	(void)state;
	step_through(VARIANT_POLL);
}

static void test_switched(void **state)
{
	(void)state;
	step_through(VARIANT_SWITCHED);
}

static void test_clock(void **state)
{
	(void)state;
	step_through(VARIANT_CLOCK);
}

static void test_left_enter(void **state)
{
	(void)state;
	step_through(VARIANT_LEFT_ENTER);
}

static void test_left_exit(void **state)
{
	(void)state;
	step_through(VARIANT_LEFT_EXIT);
}

static void test_fork(void **state)
{
	(void)state;
	step_through(VARIANT_FORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warm),
		cmocka_unit_test(test_cache_miss),
		cmocka_unit_test(test_poll),
		cmocka_unit_test(test_switched),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_left_enter),
		cmocka_unit_test(test_left_exit),
		cmocka_unit_test(test_fork),
	};

	char folder[] = "/tmp/cprof-hooks-XXXXXX";
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (system("rm -f trace*") == 0)
		rmdir(folder);
	return failed;
}
