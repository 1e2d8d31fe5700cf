/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rt_faults_test runs with faults: two threads, some thousand contexts, many blocks of events. Whatever happens to its recording, it prints
 * the same line and ends with status 3. "crowd" as argument: two hundred threads.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

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
	enum { MOST = 200 };
	unsigned long nr = argc > 1 && argv[1][0] == 'c' ? MOST : 2, rounds = nr == 2 ? 20 : 1, sum = 0;
	pthread_t threads[MOST];
	void *part;

	for (unsigned long i = 0; i < nr; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)rounds))
			return 9;
	for (unsigned long i = 0; i < nr; i++) {
		pthread_join(threads[i], &part);
		sum += (unsigned long)part;
	}
	printf("sum %lu\n", sum);
	return 3;
}
