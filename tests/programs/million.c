/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 1,000,003 calls open at once, on a stack that is large enough; at the bottom one that is left by longjmp over half of them, and then down again.
 *
 * calls: main=1 thread_main=1 down=1500005 half=1 bottom=2
 * tree: only("thread_main/down").repaired == 500002
 * tree: [at("thread_main/down/half/down")] == []
 * info: .repaired_calls == 500002 and .unmatched_exits == 0 and .open_calls == 0
 */
#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <sys/mman.h>

enum { DEPTH = 1000003, HALF = 500002 };

static const size_t stack_bytes = (size_t)1 << 30;
static jmp_buf half_way;
static volatile int sink;
static volatile int jumped;

__attribute__((noinline)) static void bottom(void)
{
	sink++;
}

static int down(int n);

/* The target of the jump: down() goes on from here. */
__attribute__((noinline)) static void half(int n)
{
	if (!setjmp(half_way))
		down(n - 1);
	sink++;
	if (jumped++ < 1)
		down(n - 1);
}

__attribute__((noinline)) static int down(int n)
{
	if (n == HALF + 1) {
		half(n);
		return 1;
	}
	if (n > 1)
		return down(n - 1) + 1;
	bottom();
	if (!jumped)
		longjmp(half_way, 1);
	return 0;
}

static void *thread_main(void *unused)
{
	down(DEPTH);
	return unused;
}

int main(void)
{
	void *stack = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	if (stack == MAP_FAILED || pthread_attr_setstack(&attributes, stack, stack_bytes) || pthread_create(&thread, &attributes, thread_main, NULL))
		return 1;
	return pthread_join(thread, NULL);
}
