/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context_target [attach] WAY: threads whose memory or thread pointer is not what a runtime promises, each with one nap in context CONTEXT while it is so.
 * record_*_test.sh have what must be said of them. With "attach" in front it says that it is ready and waits for a line: for who attaches.
 *
 * The descriptor has a page of its own, so that this page alone can be taken away. What happens meanwhile must not touch thread-local memory at all:
 * system calls by hand.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/swap.h>
#include <time.h>
#include <unistd.h>

#define TARGET_LINE_ALIGNED 4096
#include "slots_target.h"

enum { PAGE = 4096, CONTEXT = 1100, NAP_NS = 20000000 };

static void *line_page(void)
{
	return (void *)&target_line;
}

static void check(bool failed)
{
	if (failed) {
		perror("context_target");
		_exit(90);
	}
}

static inline __attribute__((always_inline)) long call_by_hand(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

static const struct timespec nap_time = { 0, NAP_NS };

/* No access: the thread's memory cannot be read. */
__attribute__((noinline, no_stack_protector)) static void nap_without_page(void *page)
{
	call_by_hand(SYS_mprotect, (long)page, PAGE, PROT_NONE);
	call_by_hand(SYS_nanosleep, (long)&nap_time, 0, 0);
	call_by_hand(SYS_mprotect, (long)page, PAGE, PROT_READ | PROT_WRITE);
}

/* A thread pointer that is not the C library's, as switchers of stacks by hand make it. */
__attribute__((noinline, no_stack_protector)) static void nap_elsewhere(void *elsewhere)
{
	unsigned long pointer;

	call_by_hand(SYS_arch_prctl, ARCH_GET_FS, (long)&pointer, 0);
	call_by_hand(SYS_arch_prctl, ARCH_SET_FS, (long)elsewhere, 0);
	call_by_hand(SYS_nanosleep, (long)&nap_time, 0, 0);
	call_by_hand(SYS_arch_prctl, ARCH_SET_FS, (long)pointer, 0);
}

static void nap_in_handler(int signal_number)
{
	(void)signal_number;
	target_nap(NAP_NS);
}

static void nap_on_other_stack(void)
{
	stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };
	struct sigaction action = { .sa_handler = nap_in_handler, .sa_flags = SA_ONSTACK };

	check(!stack.ss_sp || sigaltstack(&stack, NULL) || sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
}

/* Swapped out: there is a page, but not in memory. */
static void nap_swapped_out(void *page)
{
	call_by_hand(SYS_madvise, (long)page, PAGE, MADV_PAGEOUT);
	call_by_hand(SYS_nanosleep, (long)&nap_time, 0, 0);
}

/* A child that shares all but its id, its parent's thread pointer included. */
static void nap_in_raw_clone(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	long result;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[nap], %%rdi\n\t"
			 "xor %%esi, %%esi\n\t"
			 "mov %[nanosleep], %%eax\n\t"
			 "syscall\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov %[end], %%eax\n\t"
			 "syscall\n\t"
			 "1:"
			 : "=a"(result)
			 : "a"((long)SYS_clone), "D"((long)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)), "S"(stack + sizeof stack - 64),
			   "d"(0L), [nap] "r"(&nap_time), [nanosleep] "i"(SYS_nanosleep), [end] "i"(SYS_exit)
			 : "rcx", "r11", "r10", "r8", "memory");
	check(result < 0);
	for (int i = 0; i < 4; i++) /* until it has ended */
		call_by_hand(SYS_nanosleep, (long)&nap_time, 0, 0);
}

static void *unregistered(void *unused)
{
	target_nap(NAP_NS);
	return unused;
}

int main(int argc, char **argv)
{
	bool attach = argc > 1 && strcmp(argv[1], "attach") == 0;
	const char *way = argc > 1 + attach ? argv[1 + attach] : "";
	pthread_t thread;
	char line[16], *elsewhere;

	target_open(0);
	target_register(0);
	check(mprotect(line_page(), PAGE, PROT_READ | PROT_WRITE));
	if (attach) {
		printf("ready\n");
		fflush(stdout);
		check(!fgets(line, sizeof line, stdin));
		target_context(CONTEXT);
		target_nap(NAP_NS); /* it is seen once as it should be */
	}
	target_context(CONTEXT);
	if (strcmp(way, "no-access") == 0) {
		nap_without_page(line_page());
	} else if (strcmp(way, "swapped") == 0) {
		nap_swapped_out(line_page());
	} else if (strcmp(way, "elsewhere") == 0) {
		elsewhere = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		check(elsewhere == MAP_FAILED);
		memset(elsewhere, 0, 16 * PAGE); /* or its pages are not there to be read */
		nap_elsewhere(elsewhere + 8 * PAGE);
	} else if (strcmp(way, "other-stack") == 0) {
		nap_on_other_stack();
	} else if (strcmp(way, "raw-clone") == 0) {
		target_context(CONTEXT);
		nap_in_raw_clone();
	} else if (strcmp(way, "unregistered") == 0) {
		target_context(0);
		check(pthread_create(&thread, NULL, unregistered, NULL));
		pthread_join(thread, NULL);
	} else {
		return 2;
	}
	target_context(0);
	if (attach) {
		printf("done\n");
		fflush(stdout);
		check(!fgets(line, sizeof line, stdin));
	}
	return 0;
}
