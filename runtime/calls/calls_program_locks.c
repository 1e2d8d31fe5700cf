/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of calls_program: waits for locks, with who holds them, and what is none.
 */
#include "calls_program.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

static pthread_mutex_t lock_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t lock_condition = PTHREAD_COND_INITIALIZER;
static sem_t lock_semaphore;
static pthread_barrier_t lock_barrier, lock_taken;

enum { ROUNDS = 12 };

NO_HOOKS static void waits_for_it(void)
{
	usleep(20000);
}

NOINLINE static void holds(int round)
{
	if (round < 3)
		pthread_mutex_lock(&lock_mutex);
	else if (round < 9)
		pthread_rwlock_wrlock(&lock_rwlock);
	pthread_barrier_wait(&lock_taken);
	waits_for_it();
	if (round < 3)
		pthread_mutex_unlock(&lock_mutex);
	else if (round < 9)
		pthread_rwlock_unlock(&lock_rwlock);
	else
		sem_post(&lock_semaphore);
}

static void *holder(void *argument)
{
	for (int round = 0; round < ROUNDS; round++) {
		holds(round);
		pthread_barrier_wait(&lock_taken);
	}
	return argument;
}

NOINLINE static void waits(int round)
{
	struct timespec later = { time(NULL) + 100, 0 }, much_later;

	clock_gettime(CLOCK_MONOTONIC, &much_later);
	much_later.tv_sec += 100;
	switch (round) {
	case 0:
		CHECK(!pthread_mutex_lock(&lock_mutex));
		break;
	case 1:
		CHECK(!pthread_mutex_timedlock(&lock_mutex, &later));
		break;
	case 2:
		CHECK(!pthread_mutex_clocklock(&lock_mutex, CLOCK_MONOTONIC, &much_later));
		break;
	case 3:
		CHECK(!pthread_rwlock_rdlock(&lock_rwlock));
		break;
	case 4:
		CHECK(!pthread_rwlock_timedrdlock(&lock_rwlock, &later));
		break;
	case 5:
		CHECK(!pthread_rwlock_clockrdlock(&lock_rwlock, CLOCK_MONOTONIC, &much_later));
		break;
	case 6:
		CHECK(!pthread_rwlock_wrlock(&lock_rwlock));
		break;
	case 7:
		CHECK(!pthread_rwlock_timedwrlock(&lock_rwlock, &later));
		break;
	case 8:
		CHECK(!pthread_rwlock_clockwrlock(&lock_rwlock, CLOCK_MONOTONIC, &much_later));
		break;
	case 9:
		CHECK(!sem_wait(&lock_semaphore));
		break;
	case 10:
		CHECK(!sem_timedwait(&lock_semaphore, &later));
		break;
	case 11:
		CHECK(!sem_clockwait(&lock_semaphore, CLOCK_MONOTONIC, &much_later));
		break;
	}
}

NOINLINE static void waits_for_conditions(void)
{
	struct timespec past = { 1, 0 };

	pthread_mutex_lock(&lock_mutex);
	CHECK(pthread_cond_timedwait(&lock_condition, &lock_mutex, &past) == ETIMEDOUT);
	CHECK(pthread_cond_clockwait(&lock_condition, &lock_mutex, CLOCK_MONOTONIC, &past) == ETIMEDOUT);
	pthread_mutex_unlock(&lock_mutex);
}

NOINLINE static void joins(void)
{
	pthread_t id;

	pthread_create(&id, NULL, asleep, NULL);
	usleep(100000); /* it has begun */
	CHECK(!pthread_join(id, NULL));
}

NOINLINE static void meets(void)
{
	pthread_barrier_wait(&lock_barrier);
}

static void *meets_later(void *argument)
{
	waits_for_it();
	meets();
	return argument;
}

NOINLINE static void does_not_wait(void)
{
	pthread_t id;

	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock_mutex);
		pthread_mutex_unlock(&lock_mutex);
		pthread_rwlock_rdlock(&lock_rwlock);
		pthread_rwlock_unlock(&lock_rwlock);
		sem_post(&lock_semaphore);
		sem_wait(&lock_semaphore);
	}
	pthread_create(&id, NULL, meets_later, NULL);
	pthread_barrier_wait(&lock_barrier);
	usleep(100000);
	pthread_join(id, NULL);
}

void locks(void)
{
	pthread_t id;

	open_shared();
	sem_init(&lock_semaphore, 0, 0);
	pthread_barrier_init(&lock_taken, NULL, 2);
	pthread_barrier_init(&lock_barrier, NULL, 2);
	pthread_create(&id, NULL, holder, NULL);
	for (int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&lock_taken);
		waits(round);
		if (round < 3)
			pthread_mutex_unlock(&lock_mutex);
		else if (round < 9)
			pthread_rwlock_unlock(&lock_rwlock);
		pthread_barrier_wait(&lock_taken);
	}
	pthread_join(id, NULL);
	waits_for_conditions();
	joins();
	does_not_wait();
	printf("lock waits 1 3 holds\nlock waits 2 6 holds\nlock waits 4 3 -\nlock waits_for_conditions 3 2 -\nlock joins 5 1 asleep\n"
	       "lock does_not_wait 0 1 -\n");
	fflush(stdout);
}
