/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main and four threads, each with counts of its own; two of them start together and make the same new contexts at the same time.
 *
 * calls: main=1 odd=307 even=401 twin=4 shared_a=10008 shared_b=20016 leaf_00=10008 leaf_01=10008 leaf_02=10008 leaf_03=10008
 * info: .threads == 5
 */
#include <pthread.h>
#include <stddef.h>

static __thread volatile int sink;
static pthread_barrier_t start;

__attribute__((noinline)) static void odd(void)
{
	sink++;
}

__attribute__((noinline)) static void even(void)
{
	sink++;
}

#define LEAF(number) __attribute__((noinline)) static void leaf_##number(void) { sink++; }
LEAF(00)
LEAF(01)
LEAF(02)
LEAF(03)

__attribute__((noinline)) static void shared_b(int round)
{
	if (round & 1) {
		leaf_00();
		leaf_01();
	} else {
		leaf_02();
		leaf_03();
	}
	sink++;
}

__attribute__((noinline)) static void shared_a(void)
{
	shared_b(0);
	shared_b(1);
	sink++;
}

/* Each round is the first for both threads: every context below is made by whoever comes first. */
__attribute__((noinline)) static void twin(void)
{
	pthread_barrier_wait(&start);
	for (int i = 0; i < 5003 / 2; i++)
		shared_a();
	sink++;
}

static void *odd_main(void *unused)
{
	for (int i = 0; i < 307; i++)
		odd();
	return unused;
}

static void *even_main(void *unused)
{
	for (int i = 0; i < 401; i++)
		even();
	return unused;
}

static void *twin_main(void *unused)
{
	twin();
	twin();
	shared_a();
	shared_a();
	return unused;
}

int main(void)
{
	static void *(*const mains[4])(void *) = { odd_main, even_main, twin_main, twin_main };
	pthread_t threads[4];

	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, mains[i], NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
