/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that end in every way but by returning: cancelled in the middle of nested calls, at a cancellation point or anywhere, with cleanup handlers and
 * key destructors that make calls; detached; and one that is still there when main has returned, for ever in the same call.
 *
 * calls: main=1 cancelled=37 waits=37 wait_leaf=259 cleanup=37 key_end=41 key_leaf=123 anywhere=4 spin_begin=4 detached=23 detached_leaf=253 outlives=1 stays=1 stays_leaf=100003
 * tree: [at("cancelled")] | map(.calls) | add == 37
 * tree: only("outlives/stays").open == 1
 * tree: only("cancelled").open == 0 and only("anywhere").repaired == 4
 * info: .unmatched_exits == 0 and .open_calls == 2
 * info: .threads == 1 + 37 + 4 + 23 + 1
 */
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <unistd.h>

enum { CANCELLED = 37, ANYWHERE = 4, DETACHED = 23 };

static pthread_key_t key, gone_key;
static sem_t ready, done;
static __thread volatile int sink;

#define LEAF(name) __attribute__((noinline)) static void name(void) { sink++; }
LEAF(wait_leaf)
LEAF(key_leaf)
LEAF(detached_leaf)
LEAF(stays_leaf)
LEAF(spin_begin)

static void key_end(void *value)
{
	(void)value;
	for (int i = 0; i < 3; i++)
		key_leaf();
}

/* Of a detached thread: what it called has returned. */
__attribute__((no_instrument_function)) static void gone(void *value)
{
	sem_post(value);
}

static void cleanup(void *unused)
{
	(void)unused;
	sink++;
}

__attribute__((noinline)) static void waits(void)
{
	for (int i = 0; i < 7; i++)
		wait_leaf();
	sem_post(&ready);
	for (;;)
		pause();
}

static void *cancelled(void *unused)
{
	pthread_setspecific(key, &ready);
	pthread_cleanup_push(cleanup, NULL);
	waits();
	pthread_cleanup_pop(0);
	return unused;
}

static void *anywhere(void *unused)
{
	pthread_setspecific(key, &ready);
	spin_begin();
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	sem_post(&ready);
	for (;;)
		sink++;
	return unused;
}

static void *detached(void *unused)
{
	pthread_setspecific(gone_key, &done);
	for (int i = 0; i < 11; i++)
		detached_leaf();
	return unused;
}

__attribute__((noinline)) static void stays(void)
{
	for (int i = 0; i < 100003; i++)
		stays_leaf();
	sem_post(&ready);
	for (;;)
		pause();
}

static void *outlives(void *unused)
{
	stays();
	return unused;
}

static void cancel_all(void *(*thread_main)(void *), int count)
{
	for (int i = 0; i < count; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, thread_main, NULL);
		sem_wait(&ready);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	sem_init(&ready, 0, 0);
	sem_init(&done, 0, 0);
	pthread_key_create(&key, key_end);
	pthread_key_create(&gone_key, gone);
	cancel_all(cancelled, CANCELLED);
	cancel_all(anywhere, ANYWHERE);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < DETACHED; i++) {
		pthread_create(&thread, &attributes, detached, NULL);
		sem_wait(&done);
	}
	pthread_create(&thread, &attributes, outlives, NULL);
	sem_wait(&ready);
	return 0;
}
