/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of libc that wait for a lock, a condition or a thread, and those that try it first: X(name, (parameters)). All return int.
 */
#ifndef CPROF_CALLS_LOCK_FUNCTIONS_H
#define CPROF_CALLS_LOCK_FUNCTIONS_H

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#define CALLS_LOCK_FUNCTIONS(X) \
	X(pthread_mutex_lock, (pthread_mutex_t * mutex)) \
	X(pthread_mutex_trylock, (pthread_mutex_t * mutex)) \
	X(pthread_mutex_timedlock, (pthread_mutex_t * mutex, const struct timespec *until)) \
	X(pthread_mutex_clocklock, (pthread_mutex_t * mutex, clockid_t clock, const struct timespec *until)) \
	X(pthread_rwlock_rdlock, (pthread_rwlock_t * lock)) \
	X(pthread_rwlock_tryrdlock, (pthread_rwlock_t * lock)) \
	X(pthread_rwlock_timedrdlock, (pthread_rwlock_t * lock, const struct timespec *until)) \
	X(pthread_rwlock_clockrdlock, (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *until)) \
	X(pthread_rwlock_wrlock, (pthread_rwlock_t * lock)) \
	X(pthread_rwlock_trywrlock, (pthread_rwlock_t * lock)) \
	X(pthread_rwlock_timedwrlock, (pthread_rwlock_t * lock, const struct timespec *until)) \
	X(pthread_rwlock_clockwrlock, (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *until)) \
	X(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t * mutex)) \
	X(pthread_cond_timedwait, (pthread_cond_t * condition, pthread_mutex_t * mutex, const struct timespec *until)) \
	X(pthread_cond_clockwait, (pthread_cond_t * condition, pthread_mutex_t * mutex, clockid_t clock, const struct timespec *until)) \
	X(sem_wait, (sem_t * semaphore)) \
	X(sem_trywait, (sem_t * semaphore)) \
	X(sem_timedwait, (sem_t * semaphore, const struct timespec *until)) \
	X(sem_clockwait, (sem_t * semaphore, clockid_t clock, const struct timespec *until)) \
	X(pthread_join, (pthread_t thread, void **result)) \
	X(pthread_tryjoin_np, (pthread_t thread, void **result)) \
	X(pthread_timedjoin_np, (pthread_t thread, void **result, const struct timespec *until)) \
	X(pthread_clockjoin_np, (pthread_t thread, void **result, clockid_t clock, const struct timespec *until)) \
	X(pthread_barrier_wait, (pthread_barrier_t * barrier))

#endif
