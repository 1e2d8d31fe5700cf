/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One wait of each kind, at least HOLD long, by a thread that begins to wait when somebody else already has what it wants, and gets it HOLD after it is
 * seen to sleep in the kernel. So each wait is one futex call, however busy the machine is. Built with cprof-cc and run under cprof-record
 * --locks by locks_test.sh, which knows what is expected of each wait_*: its class, and the function that its holder was in (or nobody).
 *
 *     wait: FUNCTION CLASS HOLDER
 *
 * wait: wait_mutex 1 hold_mutex
 * wait: wait_recursive 1 hold_recursive
 * wait: wait_timed_mutex 1 hold_timed_mutex
 * wait: wait_priority_mutex 1 hold_priority_mutex
 * wait: wait_robust_mutex 1 hold_robust_mutex
 * wait: wait_shared_mutex 1 hold_shared_mutex
 * wait: wait_to_read 2 hold_to_write
 * wait: wait_to_write 2 nobody
 * wait: wait_to_write_after_writer 2 hold_to_write_first
 * wait: wait_to_read_timed 2 hold_to_write_timed
 * wait: wait_to_read_unfair 2 several
 * wait: wait_condition 3 nobody
 * wait: wait_condition_timed 3 nobody
 * wait: wait_condition_shared 3 nobody
 * wait: wait_condition_again 3 nobody
 * wait: wait_semaphore 4 nobody
 * wait: wait_semaphore_timed 4 nobody
 * wait: wait_semaphore_shared 4 nobody
 * wait: wait_join 5 hold_join
 * wait: wait_join_timed 5 hold_join_timed
 * wait: wait_barrier 0 nobody
 * wait: wait_barrier_again 0 nobody
 * wait: wait_own_futex 0 nobody
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define HOLD_MS 10

static atomic_int ready, waiter;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static pthread_barrier_t barrier;
static atomic_int flag, own[8];

static void check(int error)
{
	if (error) {
		fprintf(stderr, "locks: %s\n", strerror(error));
		abort();
	}
}

static void sleep_ms(long ms)
{
	struct timespec left = { 0, ms * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* Until that thread sleeps in a system call that waits: its number is 202 (futex) or, for none, "running". */
static void await_sleep(void)
{
	char path[64], text[64];

	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", atomic_load(&waiter));
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = read(fd, text, sizeof text - 1);

		close(fd);
		text[got > 0 ? got : 0] = '\0';
		if (atoi(text) == SYS_futex)
			return;
		sleep_ms(1);
	}
}

/* What the holder does with it. */
static void hold(void)
{
	atomic_store(&ready, 1);
	while (!atomic_load(&waiter))
		sleep_ms(1);
	await_sleep();
	sleep_ms(HOLD_MS);
}

static void arrive(void)
{
	while (!atomic_load(&ready))
		sleep_ms(1);
	atomic_store(&waiter, (int)syscall(SYS_gettid));
}

static struct timespec later(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	time.tv_sec += 1000;
	return time;
}

#define HOLDS(name, take, give) \
	static void *hold_##name(void *unused) \
	{ \
		check(take); \
		hold(); \
		check(give); \
		return unused; \
	}
HOLDS(mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
HOLDS(recursive, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
HOLDS(timed_mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
HOLDS(priority_mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
HOLDS(robust_mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
HOLDS(shared_mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex))
HOLDS(to_write, pthread_rwlock_wrlock(&rwlock), pthread_rwlock_unlock(&rwlock))
HOLDS(to_write_first, pthread_rwlock_wrlock(&rwlock), pthread_rwlock_unlock(&rwlock))
HOLDS(to_write_timed, pthread_rwlock_wrlock(&rwlock), pthread_rwlock_unlock(&rwlock))
HOLDS(to_read, pthread_rwlock_rdlock(&rwlock), pthread_rwlock_unlock(&rwlock))
HOLDS(join, 0, 0)
HOLDS(join_timed, 0, 0)
HOLDS(semaphore, 0, sem_post(&semaphore))
HOLDS(barrier, 0, pthread_barrier_wait(&barrier) > 0)

/* Wakes until somebody was there to be woken: the waiter may be seen asleep a moment before it is in the queue. */
static void *hold_own_futex(void *unused)
{
	hold();
	atomic_store(&own[0], 0);
	while (syscall(SYS_futex, &own[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0)
		sleep_ms(1);
	return unused;
}

static void *hold_condition(void *unused)
{
	hold();
	pthread_mutex_lock(&mutex);
	atomic_store(&flag, 1);
	pthread_mutex_unlock(&mutex);
	pthread_cond_signal(&condition); /* not before: the waiter would have to wait for the mutex, too */
	return unused;
}

/* A reader that has it, and a writer that wants it: a rwlock that prefers writers lets no further reader in. */
static void *want_to_write(void *unused)
{
	check(pthread_rwlock_wrlock(&rwlock));
	check(pthread_rwlock_unlock(&rwlock));
	return unused;
}

static void *hold_unfair(void *unused)
{
	pthread_t writer;

	check(pthread_rwlock_rdlock(&rwlock));
	check(pthread_create(&writer, NULL, want_to_write, NULL));
	while (pthread_rwlock_tryrdlock(&rwlock) == 0) { /* until the writer is in the way */
		check(pthread_rwlock_unlock(&rwlock));
		sleep_ms(1);
	}
	hold();
	check(pthread_rwlock_unlock(&rwlock));
	check(pthread_join(writer, NULL));
	return unused;
}

static void wait_mutex(void)
{
	check(pthread_mutex_lock(&mutex));
	check(pthread_mutex_unlock(&mutex));
}
static void wait_recursive(void)
{
	check(pthread_mutex_lock(&mutex));
	check(pthread_mutex_unlock(&mutex));
}
static void wait_timed_mutex(void)
{
	struct timespec time = later();

	check(pthread_mutex_timedlock(&mutex, &time));
	check(pthread_mutex_unlock(&mutex));
}
static void wait_priority_mutex(void)
{
	check(pthread_mutex_lock(&mutex));
	check(pthread_mutex_unlock(&mutex));
}
static void wait_robust_mutex(void)
{
	check(pthread_mutex_lock(&mutex));
	check(pthread_mutex_unlock(&mutex));
}
static void wait_shared_mutex(void)
{
	check(pthread_mutex_lock(&mutex));
	check(pthread_mutex_unlock(&mutex));
}
static void wait_to_read(void)
{
	check(pthread_rwlock_rdlock(&rwlock));
	check(pthread_rwlock_unlock(&rwlock));
}
static void wait_to_read_timed(void)
{
	struct timespec time = later();

	check(pthread_rwlock_timedrdlock(&rwlock, &time));
	check(pthread_rwlock_unlock(&rwlock));
}
static void wait_to_read_unfair(void)
{
	check(pthread_rwlock_rdlock(&rwlock));
	check(pthread_rwlock_unlock(&rwlock));
}
static void wait_to_write(void)
{
	check(pthread_rwlock_wrlock(&rwlock));
	check(pthread_rwlock_unlock(&rwlock));
}
static void wait_to_write_after_writer(void)
{
	check(pthread_rwlock_wrlock(&rwlock));
	check(pthread_rwlock_unlock(&rwlock));
}
/* A function per kind tells the waits apart. */
#define AWAIT_FLAG(wait) \
	check(pthread_mutex_lock(&mutex)); \
	while (!atomic_load(&flag)) \
		check(wait); \
	check(pthread_mutex_unlock(&mutex));
static void wait_condition(void)
{
	AWAIT_FLAG(pthread_cond_wait(&condition, &mutex))
}
static void wait_condition_again(void)
{
	AWAIT_FLAG(pthread_cond_wait(&condition, &mutex))
}
static void wait_condition_shared(void)
{
	AWAIT_FLAG(pthread_cond_wait(&condition, &mutex))
}
static void wait_condition_timed(void)
{
	struct timespec time = later();

	AWAIT_FLAG(pthread_cond_timedwait(&condition, &mutex, &time))
}
static void wait_semaphore(void)
{
	check(sem_wait(&semaphore));
}
static void wait_semaphore_shared(void)
{
	check(sem_wait(&semaphore));
}
static void wait_semaphore_timed(void)
{
	struct timespec time = later();

	check(sem_timedwait(&semaphore, &time));
}
static void wait_join(pthread_t thread)
{
	check(pthread_join(thread, NULL));
}
static void wait_join_timed(pthread_t thread)
{
	struct timespec time = later();

	check(pthread_timedjoin_np(thread, NULL, &time));
}
static void wait_barrier(void)
{
	check(pthread_barrier_wait(&barrier) > 0);
}
/* After a round of two threads the barrier waits for 2, as a contended mutex does. */
static void wait_barrier_again(void)
{
	check(pthread_barrier_wait(&barrier) > 0);
}
/* The value of a contended mutex, but nobody's id behind it. */
static void wait_own_futex(void)
{
	while (atomic_load(&own[0]) == 2)
		syscall(SYS_futex, &own[0], FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static void round_of(void *(*holder)(void *), void (*wait)(void))
{
	pthread_t thread;

	atomic_store(&ready, 0);
	atomic_store(&waiter, 0);
	atomic_store(&flag, 0);
	check(pthread_create(&thread, NULL, holder, NULL));
	arrive();
	wait();
	/* Not a join: that would be a wait of its own, here. */
	while (pthread_tryjoin_np(thread, NULL))
		sleep_ms(1);
}

static void join_of(void *(*holder)(void *), void (*wait)(pthread_t))
{
	pthread_t thread;

	atomic_store(&ready, 0);
	atomic_store(&waiter, 0);
	check(pthread_create(&thread, NULL, holder, NULL));
	arrive();
	wait(thread);
}

static void make_mutex(int type, int protocol, int robust, int shared)
{
	pthread_mutexattr_t kind;

	pthread_mutexattr_init(&kind);
	check(pthread_mutexattr_settype(&kind, type));
	check(pthread_mutexattr_setprotocol(&kind, protocol));
	check(pthread_mutexattr_setrobust(&kind, robust));
	check(pthread_mutexattr_setpshared(&kind, shared));
	check(pthread_mutex_init(&mutex, &kind));
}

static void mutexes(void)
{
	round_of(hold_mutex, wait_mutex);
	round_of(hold_timed_mutex, wait_timed_mutex);
	make_mutex(PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
	round_of(hold_recursive, wait_recursive);
	make_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
	round_of(hold_priority_mutex, wait_priority_mutex);
	make_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_PRIVATE);
	round_of(hold_robust_mutex, wait_robust_mutex);
	make_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED);
	round_of(hold_shared_mutex, wait_shared_mutex);
	make_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_PRIVATE);
}

static void rwlocks(void)
{
	pthread_rwlockattr_t kind;

	round_of(hold_to_write, wait_to_read);
	round_of(hold_to_write_timed, wait_to_read_timed);
	round_of(hold_to_read, wait_to_write);
	round_of(hold_to_write_first, wait_to_write_after_writer);
	pthread_rwlockattr_init(&kind);
	check(pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP));
	check(pthread_rwlock_init(&rwlock, &kind));
	round_of(hold_unfair, wait_to_read_unfair);
}

static void others(void)
{
	pthread_condattr_t kind;

	round_of(hold_condition, wait_condition);
	round_of(hold_condition, wait_condition_again); /* in the other group */
	round_of(hold_condition, wait_condition_timed);
	pthread_condattr_init(&kind);
	check(pthread_condattr_setpshared(&kind, PTHREAD_PROCESS_SHARED));
	check(pthread_cond_init(&condition, &kind));
	round_of(hold_condition, wait_condition_shared);
	sem_init(&semaphore, 0, 0);
	round_of(hold_semaphore, wait_semaphore);
	round_of(hold_semaphore, wait_semaphore_timed);
	sem_init(&semaphore, 1, 0);
	round_of(hold_semaphore, wait_semaphore_shared);
	join_of(hold_join, wait_join);
	join_of(hold_join_timed, wait_join_timed);
	check(pthread_barrier_init(&barrier, NULL, 2));
	round_of(hold_barrier, wait_barrier);
	round_of(hold_barrier, wait_barrier_again);
	atomic_store(&own[0], 2);
	round_of(hold_own_futex, wait_own_futex);
}

int main(void)
{
	mutexes();
	rwlocks();
	others();
	return 0;
}
