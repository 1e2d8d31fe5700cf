/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of calls_program: what libc promises of the functions, and must be so with us before them.
 */
#include "calls_program.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

static int cancel_pipe[2];
static sem_t cancel_semaphore;
static pthread_mutex_t cancel_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cancel_condition = PTHREAD_COND_INITIALIZER;
static int cleaned;

static void unlock(void *mutex)
{
	cleaned += !pthread_mutex_unlock(mutex);
}

static void *in_read(void *argument)
{
	char byte;

	return read(cancel_pipe[0], &byte, 1) ? argument : NULL;
}

static void *in_semaphore(void *argument)
{
	return sem_wait(&cancel_semaphore) ? argument : NULL;
}

static void *
in_free_semaphore(void *argument) /* asked to end before it comes to one that is free: that is a cancellation point all the same */
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while (!*(volatile int *)argument)
		sched_yield();
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	sem_wait(&cancel_semaphore);
	return argument;
}

static void *in_condition(void *argument)
{
	pthread_mutex_lock(&cancel_mutex);
	pthread_cleanup_push(unlock, &cancel_mutex);
	for (;;)
		pthread_cond_wait(&cancel_condition, &cancel_mutex);
	pthread_cleanup_pop(1);
	return argument;
}

static void *in_join(void *argument)
{
	pthread_join(*(pthread_t *)argument, NULL);
	return argument;
}

static void ends_by_cancellation(void *(*function)(void *), void *argument)
{
	pthread_t id;
	void *result;

	pthread_create(&id, NULL, function, argument);
	usleep(20000);
	CHECK(!pthread_cancel(id));
	CHECK(!pthread_join(id, &result) && result == PTHREAD_CANCELED);
}

void cancels(void)
{
	pthread_t other, id;
	volatile int go = 0;
	void *result;

	CHECK(!pipe(cancel_pipe) && !sem_init(&cancel_semaphore, 0, 0));
	ends_by_cancellation(in_read, &other);
	ends_by_cancellation(in_semaphore, &other);
	ends_by_cancellation(in_condition, &other);
	CHECK(cleaned == 1 && !pthread_mutex_trylock(&cancel_mutex));
	pthread_create(&other, NULL, asleep, NULL);
	ends_by_cancellation(in_join, &other);
	CHECK(!pthread_join(other, NULL));
	sem_post(&cancel_semaphore);
	pthread_create(&id, NULL, in_free_semaphore, (void *)&go);
	pthread_cancel(id);
	go = 1;
	CHECK(!pthread_join(id, &result) && result == PTHREAD_CANCELED);
	int left;
	CHECK(!sem_getvalue(&cancel_semaphore, &left) && left == 1);
}

static void interrupt(int number)
{
	(void)number;
}

static void *interrupter(void *argument)
{
	for (int i = 0; i < 3; i++) {
		usleep(50000);
		pthread_kill(*(pthread_t *)argument, SIGUSR1);
	}
	return NULL;
}

static pthread_mutex_t *taken_mutex;
static void *dies_with_mutex(void *argument)
{
	pthread_mutex_lock(taken_mutex);
	return argument;
}

static void *posts_later(void *semaphore)
{
	usleep(50000);
	sem_post(semaphore);
	return NULL;
}

/* What the functions return in all the ways that are not success. */
void odd(void)
{
	pthread_t self = pthread_self(), id;
	struct timespec past = { 1, 0 }, never = { 1, 2000000000 };
	pthread_mutexattr_t kind;
	pthread_mutex_t mutex, normal = PTHREAD_MUTEX_INITIALIZER;
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	pthread_barrier_t barrier;
	sem_t semaphore;
	char byte;

	CHECK(!pipe(cancel_pipe) && !sem_init(&semaphore, 0, 0));
	sigaction(SIGUSR1, &(struct sigaction) { .sa_handler = interrupt }, NULL);
	pthread_create(&id, NULL, interrupter, &self);
	errno = 0;
	CHECK(read(cancel_pipe[0], &byte, 1) == -1 && errno == EINTR);
	errno = 0;
	CHECK(sem_wait(&semaphore) == -1 && errno == EINTR);
	CHECK(pthread_join(id, NULL) == 0);
	errno = 0;
	CHECK(sem_timedwait(&semaphore, &past) == -1 && errno == ETIMEDOUT);
	CHECK(sem_timedwait(&semaphore, &never) == -1 && errno == EINVAL);
	sem_post(&semaphore);
	CHECK(sem_timedwait(&semaphore, &never) == -1 && errno == EINVAL); /* free, but libc looks at the time first */
	errno = 66;
	CHECK(!sem_wait(&semaphore) && errno == 66);
	CHECK(sem_clockwait(&semaphore, 77, &past) == -1 && errno == EINVAL);
	pthread_create(&id, NULL, posts_later, &semaphore);
	errno = 65;
	CHECK(!sem_wait(&semaphore) && errno == 65); /* it has waited, and looked before */
	CHECK(pthread_join(id, NULL) == 0);

	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&mutex, &kind);
	CHECK(!pthread_mutex_lock(&mutex) && pthread_mutex_lock(&mutex) == EDEADLK && !pthread_mutex_unlock(&mutex));
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&mutex, &kind);
	CHECK(!pthread_mutex_lock(&mutex) && !pthread_mutex_lock(&mutex) && !pthread_mutex_unlock(&mutex) && !pthread_mutex_unlock(&mutex));
	CHECK(pthread_mutex_unlock(&mutex) == EPERM);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_NORMAL);
	pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&mutex, &kind);
	CHECK(!pthread_mutex_lock(&mutex) && pthread_mutex_trylock(&mutex) == EBUSY && pthread_mutex_timedlock(&mutex, &past) == ETIMEDOUT);
	CHECK(!pthread_mutex_unlock(&mutex));
	pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_NONE);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &kind);
	taken_mutex = &mutex;
	pthread_create(&id, NULL, dies_with_mutex, NULL);
	CHECK(!pthread_join(id, NULL) && pthread_mutex_lock(&mutex) == EOWNERDEAD);
	pthread_mutex_unlock(&mutex);
	CHECK(pthread_mutex_lock(&mutex) == ENOTRECOVERABLE);

	CHECK(!pthread_mutex_lock(&normal) && pthread_mutex_timedlock(&normal, &past) == ETIMEDOUT);
	CHECK(pthread_mutex_timedlock(&normal, &never) == EINVAL && pthread_mutex_clocklock(&normal, 77, &past) == EINVAL);
	CHECK(!pthread_mutex_unlock(&normal) && pthread_mutex_clocklock(&normal, 77, &past) == EINVAL);
	CHECK(pthread_mutex_timedlock(&normal, &never) == 0 && !pthread_mutex_unlock(&normal)); /* free: libc does not look */
	CHECK(!pthread_rwlock_wrlock(&lock) && pthread_rwlock_rdlock(&lock) == EDEADLK && pthread_rwlock_wrlock(&lock) == EDEADLK);
	CHECK(pthread_rwlock_timedrdlock(&lock, &never) == EINVAL && !pthread_rwlock_unlock(&lock));
	CHECK(pthread_rwlock_timedrdlock(&lock, &never) == EINVAL && pthread_rwlock_clockwrlock(&lock, 77, &past) == EINVAL);
	CHECK(!pthread_rwlock_rdlock(&lock) && pthread_rwlock_timedwrlock(&lock, &past) == ETIMEDOUT && !pthread_rwlock_unlock(&lock));
	CHECK(pthread_join(self, NULL) == EDEADLK);
	pthread_create(&id, NULL, asleep, NULL);
	CHECK(pthread_timedjoin_np(id, NULL, &past) == ETIMEDOUT && pthread_clockjoin_np(id, NULL, 77, &past) == EINVAL);
	CHECK(pthread_timedjoin_np(id, NULL, NULL) == 0);
	CHECK(!pthread_barrier_init(&barrier, NULL, 1) && pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
}
