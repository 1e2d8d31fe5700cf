/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 499 threads that live shortly, at most 16 at once, each calling leaf 7 times: no thread's last calls are lost when it ends.
 *
 * calls: main=1 thread_main=499 leaf=3493
 * info: .threads == 500
 */
#include <pthread.h>
#include <stddef.h>

static __thread volatile int sink;

__attribute__((noinline)) static void leaf(void)
{
	sink++;
}

static void *thread_main(void *unused)
{
	for (int i = 0; i < 7; i++)
		leaf();
	return unused;
}

int main(void)
{
	enum { ALL = 499, AT_ONCE = 16 };
	pthread_t threads[AT_ONCE];

	for (int done = 0; done < ALL; done += AT_ONCE) {
		int count = ALL - done < AT_ONCE ? ALL - done : AT_ONCE;

		for (int i = 0; i < count; i++) {
			if (pthread_create(&threads[i], NULL, thread_main, NULL))
				return 1;
		}
		for (int i = 0; i < count; i++)
			pthread_join(threads[i], NULL);
	}
	return 0;
}
