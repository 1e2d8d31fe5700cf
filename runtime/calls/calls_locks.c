/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of libc that wait for locks: only what waits is counted. Each tries first; when that says that it would wait, the real one
 * is timed.
 *
 * The answer of the trial is the function's whenever it is not "busy": for every kind of mutex libc's own functions agree so far. Where
 * they look at their arguments first and would refuse them, they get the call untried. A wait is counted once, however often the thread
 * woke up to find the lock taken again.
 */
#include <errno.h>
#include <stdbool.h>

#include "calls_holders.h"
#include "calls_memory.h"
#include "calls_next.h"
#include "calls_process.h"
#include "calls_sums.h"
#include "calls_who.h"

#define EXPORT __attribute__((visibility("default")))
#define CALLER ((uint64_t)(uintptr_t)__builtin_return_address(0))

struct wait {
	uint64_t start_ns, address, caller;
	uint32_t pid, class;
	struct cprof_who holder;
};

static bool counts(void)
{
	if (!calls_memory_counts(CPROF_CALLS_LOCKS))
		return false;
	calls_holders_note_once();
	return true;
}

static __attribute__((noinline)) struct wait begin(uint32_t class, const void *object, uint32_t owner, uint64_t caller)
{
	struct wait wait = { .address = (uint64_t)(uintptr_t)object, .caller = caller, .pid = calls_process_pid(), .class = class };

	if (owner)
		calls_holders_of_tid(wait.pid, owner, &wait.holder);
	wait.start_ns = calls_now_ns();
	return wait;
}

/* It came to an end, and not because the call was wrong. */
static bool has_waited(int error)
{
	return !error || error == ETIMEDOUT || error == EINTR || error == EOWNERDEAD || error == ENOTRECOVERABLE;
}

/* error: as the pthread functions return it. Returned again; errno stays. */
static __attribute__((noinline)) int end(const struct wait *wait, int error)
{
	uint64_t ns = calls_now_ns() - wait->start_ns;
	struct cprof_kernel_sum_key key = {
		.kind = CPROF_SUM_LOCK, .sub = wait->class, .object = wait->address, .other = wait->holder.context
	};

	if (!wait->pid || !has_waited(error))
		return error;
	calls_who_fill(wait->pid, &key.who);
	calls_sums_add(&key, ns, 0);
	if (ns >= calls_memory.lock_threshold_ns) {
		struct cprof_kernel_lock lock = { .time_ns = wait->start_ns,
						  .duration_ns = ns,
						  .who = key.who,
						  .holder = wait->holder,
						  .address = wait->address,
						  .ip = wait->caller,
						  .result = -error,
						  .lock_class = wait->class };

		lock.who.tid = calls_who_tid();
		calls_sums_record(NULL, &lock);
	}
	return error;
}

static bool is_clock(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

static bool is_time(const struct timespec *time)
{
	return time->tv_nsec >= 0 && time->tv_nsec < 1000000000;
}

/*
 * A function that waits, after one that tries. fits: libc would not refuse the arguments before it tries; owner: id of the thread that has
 * it.
 */
#define TRIES(name, parameters, arguments, try, try_arguments, fits, class, object, owner) \
	EXPORT int name parameters; \
	int name parameters \
	{ \
		if (!counts() || !(fits)) \
			return CALLS_NEXT(name) arguments; \
		int error = CALLS_NEXT(try) try_arguments; \
		if (likely(error != EBUSY)) \
			return error; \
		struct wait wait = begin(class, object, owner, CALLER); \
		return end(&wait, CALLS_NEXT(name) arguments); \
	}

#define MUTEX(name, parameters, arguments, fits) \
	TRIES(name, parameters, arguments, pthread_mutex_trylock, (mutex), fits, CPROF_LOCK_MUTEX, mutex, (uint32_t)mutex->__data.__owner)
MUTEX(pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex), true)
MUTEX(pthread_mutex_timedlock, (pthread_mutex_t * mutex, const struct timespec *until), (mutex, until), true)
MUTEX(pthread_mutex_clocklock, (pthread_mutex_t * mutex, clockid_t clock, const struct timespec *until), (mutex, clock, until),
      is_clock(clock))

/* Only a writer leaves its name. */
#define RWLOCK(name, parameters, arguments, try, fits) \
	TRIES(name, parameters, arguments, try, (lock), fits, CPROF_LOCK_RWLOCK, lock, (uint32_t)lock->__data.__cur_writer)
#define READ(name, parameters, arguments, fits)  RWLOCK(name, parameters, arguments, pthread_rwlock_tryrdlock, fits)
#define WRITE(name, parameters, arguments, fits) RWLOCK(name, parameters, arguments, pthread_rwlock_trywrlock, fits)
READ(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock), true)
READ(pthread_rwlock_timedrdlock, (pthread_rwlock_t * lock, const struct timespec *until), (lock, until), is_time(until))
READ(pthread_rwlock_clockrdlock, (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *until), (lock, clock, until),
     is_clock(clock) && is_time(until))
WRITE(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock), true)
WRITE(pthread_rwlock_timedwrlock, (pthread_rwlock_t * lock, const struct timespec *until), (lock, until), is_time(until))
WRITE(pthread_rwlock_clockwrlock, (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *until), (lock, clock, until),
      is_clock(clock) && is_time(until))

/* A join of a thread that has ended does not wait. A limit may be NULL: none. */
#define JOIN(name, parameters, arguments, fits) \
	EXPORT int name parameters; \
	int name parameters \
	{ \
		if (!counts() || !(fits)) \
			return CALLS_NEXT(name) arguments; \
		int error = CALLS_NEXT(pthread_tryjoin_np)(thread, result); \
		if (error != EBUSY) \
			return error; \
		struct wait wait = begin(CPROF_LOCK_JOIN, (const void *)thread, 0, CALLER); \
		calls_holders_of_thread(wait.pid, thread, &wait.holder); \
		return end(&wait, CALLS_NEXT(name) arguments); \
	}
JOIN(pthread_join, (pthread_t thread, void **result), (thread, result), true)
JOIN(pthread_timedjoin_np, (pthread_t thread, void **result, const struct timespec *until), (thread, result, until),
     !until || is_time(until))
JOIN(pthread_clockjoin_np, (pthread_t thread, void **result, clockid_t clock, const struct timespec *until), (thread, result, clock, until),
     is_clock(clock) && (!until || is_time(until)))

/* Those that always wait. */
#define WAITS(name, parameters, arguments, class, object) \
	EXPORT int name parameters; \
	int name parameters \
	{ \
		if (!counts()) \
			return CALLS_NEXT(name) arguments; \
		struct wait wait = begin(class, object, 0, CALLER); \
		return end(&wait, CALLS_NEXT(name) arguments); \
	}
#define CONDITION(name, parameters, arguments) WAITS(name, parameters, arguments, CPROF_LOCK_CONDITION, condition)
CONDITION(pthread_cond_wait, (pthread_cond_t * condition, pthread_mutex_t *mutex), (condition, mutex))
CONDITION(pthread_cond_timedwait, (pthread_cond_t * condition, pthread_mutex_t *mutex, const struct timespec *until),
	  (condition, mutex, until))
CONDITION(pthread_cond_clockwait, (pthread_cond_t * condition, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until),
	  (condition, mutex, clock, until))
WAITS(pthread_barrier_wait, (pthread_barrier_t * barrier), (barrier), CPROF_LOCK_UNKNOWN, barrier) /* but for the last, who is told so */

/* These have errno. */
static int sem_try(sem_t *semaphore)
{
	int saved = errno, error = CALLS_NEXT(sem_trywait)(semaphore);

	errno = saved;
	return error;
}

#define SEMAPHORE(name, parameters, arguments, cancels, fits) \
	EXPORT int name parameters; \
	int name parameters \
	{ \
		if (!counts() || !(fits)) \
			return CALLS_NEXT(name) arguments; \
		cancels; \
		if (!sem_try(semaphore)) \
			return 0; \
		struct wait wait = begin(CPROF_LOCK_SEMAPHORE, semaphore, 0, CALLER); \
		int result = CALLS_NEXT(name) arguments; \
		end(&wait, result ? errno : 0); \
		return result; \
	}
/* libc's acts on a cancellation also when there is nothing to wait for. */
SEMAPHORE(sem_wait, (sem_t * semaphore), (semaphore), pthread_testcancel(), true)
SEMAPHORE(sem_timedwait, (sem_t * semaphore, const struct timespec *until), (semaphore, until), (void)0, is_time(until))
SEMAPHORE(sem_clockwait, (sem_t * semaphore, clockid_t clock, const struct timespec *until), (semaphore, clock, until), (void)0,
	  is_clock(clock) && is_time(until))
