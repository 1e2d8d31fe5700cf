/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What belongs to the program stays as it is over 2,000,003 calls, many of which change blocks or are a thread's first: errno, rounding mode and
 * floating-point flags, the signal mask, pending signals, handlers (SIGPROF, SIGUSR1 and SIGUSR2 among them), the file mode mask, the current folder, the
 * lowest free descriptor.
 *
 * calls: main=1 work=23 leaf=2000003 handler=69
 */
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HIDDEN __attribute__((no_instrument_function))

struct state {
	int error, rounding, flags, lowest_fd;
	sigset_t mask, pending;
	struct { void (*handler)(int); int flags; sigset_t mask; } actions[65];
	mode_t mode;
	char folder[256];
};

static volatile int sink;

__attribute__((noinline)) static void leaf(void)
{
	sink++;
}

__attribute__((noinline)) static void handler(int signal)
{
	sink = signal;
}

HIDDEN static void state_read(struct state *state)
{
	memset(state, 0, sizeof *state);
	state->error = errno;
	state->rounding = fegetround();
	state->flags = fetestexcept(FE_ALL_EXCEPT);
	state->lowest_fd = dup(0);
	close(state->lowest_fd);
	pthread_sigmask(SIG_SETMASK, NULL, &state->mask);
	sigpending(&state->pending);
	for (int i = 1; i < 65; i++) {
		struct sigaction action;

		memset(&action, 0, sizeof action);
		sigaction(i, NULL, &action);
		state->actions[i].handler = action.sa_handler;
		state->actions[i].flags = action.sa_flags;
		for (int k = 1; k < 65; k++)
			if (sigismember(&action.sa_mask, k) == 1)
				sigaddset(&state->actions[i].mask, k);
	}
	state->mode = umask(0);
	umask(state->mode);
	if (!getcwd(state->folder, sizeof state->folder))
		state->folder[0] = 0;
	errno = state->error;
}

__attribute__((noinline)) static void work(int calls)
{
	while (calls--)
		leaf();
}

HIDDEN static void *run(void *calls)
{
	static struct state before[23], after[23];
	static _Atomic int next;
	int i = next++;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, 40 + i % 20);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_kill(pthread_self(), SIGUSR2); /* stays pending */
	fesetround(i % 2 ? FE_UPWARD : FE_TOWARDZERO);
	feraiseexcept(i % 3 ? FE_INEXACT : FE_UNDERFLOW | FE_DIVBYZERO);
	errno = 1000 + i;
	state_read(&before[i]);
	work((int)(ptrdiff_t)calls);
	state_read(&after[i]);
	for (int k = 0; k < 3; k++)
		pthread_kill(pthread_self(), k == 0 ? SIGPROF : SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigwait(&set, &(int){ 0 });
	return memcmp(&before[i], &after[i], sizeof before[i]) ? run : NULL;
}

int main(void)
{
	struct sigaction action;
	pthread_t thread;
	void *differs;

	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	sigaction(SIGPROF, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	umask(026);
	for (ptrdiff_t i = 0; i < 23; i++) {
		if (pthread_create(&thread, NULL, run, (void *)(i ? (ptrdiff_t)11 : 2000003 - 22 * 11)) || pthread_join(thread, &differs))
			return 2;
		if (differs)
			return 3;
	}
	return 0;
}
