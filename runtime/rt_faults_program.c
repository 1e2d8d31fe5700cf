/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rt_faults_test runs with faults: two threads, some thousand contexts, many blocks of events. Whatever happens to its recording, it prints
 * the same line and ends with status 3. With an argument: it records one call, waits for the end of its standard input, and goes on then.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A tree of calls: two call sites in each of 11 functions, 4,094 contexts. */
#define NODE(name, below) \
	__attribute__((noinline)) static unsigned long name(unsigned long n) \
	{ \
		unsigned long left = below(n + 1); \
		return left + below(n + 2); \
	}

__attribute__((noinline)) static unsigned long leaf(unsigned long n)
{
	return n;
}

NODE(f10, leaf)
NODE(f9, f10)
NODE(f8, f9)
NODE(f7, f8)
NODE(f6, f7)
NODE(f5, f6)
NODE(f4, f5)
NODE(f3, f4)
NODE(f2, f3)
NODE(f1, f2)
NODE(f0, f1)

static void *work(void *rounds)
{
	unsigned long sum = 0;

	for (unsigned long i = (unsigned long)rounds; i; i--)
		sum += f0(i);
	return (void *)sum;
}

int main(int argc, char **argv)
{
	enum { THREADS = 2, ROUNDS = 20 };
	pthread_t threads[THREADS];
	unsigned long sum = 0;
	void *part;
	char byte;

	(void)argv;
	if (argc > 1 && read(0, &byte, 1) != 0)
		return 8;
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(unsigned long)ROUNDS))
			return 9;
	for (unsigned long i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &part);
		sum += (unsigned long)part;
	}
	printf("sum %lu\n", sum);
	return 3;
}
