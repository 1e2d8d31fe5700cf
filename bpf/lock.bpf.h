/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Waits for a futex: who waited, for what kind of lock, and who held it.
 *
 * The kernel is not told what a futex is part of. Each kind of the C library's locks leaves a shape of its own: the command, the value that is waited
 * on, and what lies around the word. A kind is said only when all of its shape is there and nothing contradicts it; else it is unknown.
 * A holder is only said when its id, as the lock has it, is that of a living thread of the same process.
 */
#ifndef CPROF_LOCK_BPF_H
#define CPROF_LOCK_BPF_H

#include "context.bpf.h"
#include "stacks.bpf.h"
#include "sums.bpf.h"

enum { WAIT = 0, LOCK_PI = 6, WAIT_BITSET = 9, WAIT_REQUEUE_PI = 11, LOCK_PI2 = 13 };
#define FUTEX_COMMAND  127u
#define FUTEX_PRIVATE  128u
#define FUTEX_WAITERS  0x80000000u /* with the holder's id: robust and priority-inheriting mutexes */
#define FUTEX_ID       0x3fffffffu
#define NR_FUTEX_WAITV 449
#define NR_FUTEX_WAIT  455

#define RESULT_EAGAIN    (-11)
#define RESULT_EINTR     (-4)
#define RESULT_ETIMEDOUT (-110)
#define RESULT_RESTARTS(result) ((result) <= -512 && (result) >= -516)

/* Places in a program that have waited for a mutex with a known holder: the C library has a system call for mutexes alone. */
struct lock_site {
	__u64 ip;
	__u32 tgid, reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct lock_site);
	__type(value, __u32);
} lock_sites SEC(".maps");

struct futex_wait {
	__u64 address;
	__u32 command;
	__u32 value;
	bool private;
};

/* Is it a wait at all? */
static __always_inline bool futex_wait_of(struct pt_regs *regs, long number, struct futex_wait *wait)
{
	wait->address = regs->di;
	wait->value = (__u32)regs->dx;
	if (number == NR_FUTEX_WAIT) {
		wait->value = (__u32)regs->si;
		wait->command = WAIT_BITSET;
		wait->private = (regs->r10 & FUTEX_PRIVATE) != 0;
		return true;
	}
	if (number == NR_FUTEX_WAITV) { /* the first of them stands for all */
		struct {
			__u64 value, address;
			__u32 flags, reserved;
		} first = {};

		bpf_probe_read_user(&first, sizeof first, (void *)wait->address);
		wait->address = first.address;
		wait->value = (__u32)first.value;
		wait->command = WAIT_BITSET;
		wait->private = (first.flags & FUTEX_PRIVATE) != 0;
		return true;
	}
	wait->command = regs->si & FUTEX_COMMAND;
	wait->private = (regs->si & FUTEX_PRIVATE) != 0;
	return wait->command == WAIT || wait->command == WAIT_BITSET || wait->command == LOCK_PI || wait->command == LOCK_PI2 ||
	       wait->command == WAIT_REQUEUE_PI;
}

/* The thread of the process that calls itself id, another than the one that asks; NULL: there is none. */
static __always_inline struct thread_name *thread_of(const struct task_struct *task, __u32 id)
{
	struct thread_key key = { task->tgid, id };
	struct thread_name *name = id ? bpf_map_lookup_elem(&thread_names, &key) : NULL;

	return name && name->tid != (__u32)task->pid ? name : NULL;
}

static __always_inline void holder_fill(const struct cprof_who *waiter, const struct thread_name *name, struct cprof_who *holder)
{
	__u32 index = name->slot;
	struct cprof_slot *slot = index ? bpf_map_lookup_elem(&slots, &index) : NULL;

	holder->tgid = waiter->tgid;
	holder->tid = name->tid;
	holder->generation = waiter->generation;
	holder->quality = waiter->quality == CPROF_QUALITY_NO_RUNTIME ? CPROF_QUALITY_NO_RUNTIME : CPROF_QUALITY_UNREGISTERED;
	if (!slot || slot->kernel_tid != name->tid)
		return;
	holder->context = *(volatile __u32 *)&slot->context;
	holder->quality = CPROF_QUALITY_SLOT;
}

/* The words around the futex: 12 before it, 8 from it on. What cannot be read is all ones, which fits no shape. */
#define BEFORE 12
struct futex_words {
	__u32 at[BEFORE + 8];
};

static __always_inline void futex_words_read(__u64 address, struct futex_words *words)
{
	if (bpf_probe_read_user(&words->at[BEFORE], 8 * 4, (void *)address))
		__builtin_memset(&words->at[BEFORE], 0xff, 8 * 4);
	if (bpf_probe_read_user(&words->at[0], BEFORE * 4, (void *)(address - BEFORE * 4)))
		__builtin_memset(&words->at[0], 0xff, BEFORE * 4);
}

/*
 * pthread_rwlock_t: readers (bit 0: a writer's turn, 1: a writer has or wants it, 2: readers wait, from 3 on: their number), writers, wrphase_futex,
 * writers_futex, two unused, current writer, shared. Waited on: wrphase_futex, writers_futex, readers.
 */
static __always_inline bool is_rwlock(const struct futex_wait *wait, const __u32 *lock, __u32 which)
{
	__u32 readers = lock[0];

	if (lock[4] || lock[5] || lock[7] != !wait->private || lock[2] > 3 || lock[3] > 3)
		return false;
	if (which == 2)
		return (wait->value == 3 && readers & 1) || (wait->value == 2 && readers & 2);
	if (which == 3)
		return wait->value == 3 && readers & 2;
	return wait->value & 4 && wait->value >> 3 && wait->value & 2;
}

/*
 * pthread_cond_t up to glibc 2.40: sequence of waiters (8 bytes), start of the older group, refs[2], size[2], size once, wrefs (bits 0-2: flags, from 3
 * on: waiters), signals[2]. Waited on: signals[group], at 40 and 44.
 */
static __always_inline bool is_condition(const struct futex_wait *wait, const __u32 *condition, __u32 group)
{
	__u64 sequence = condition[0] | (__u64)condition[1] << 32, older = condition[2] | (__u64)condition[3] << 32;
	__u32 refs = condition[4 + group] >> 1, wrefs = condition[9];

	return refs && wrefs >> 3 >= refs && (wrefs & 1) == !wait->private && sequence >> 1 && older >> 1 <= sequence >> 1 &&
	       (sequence - older) >> 1 < 0x80000000u;
}

/* sem_t: value, waiters, 0 or 128 (private, shared). */
static __always_inline bool is_semaphore(const struct futex_wait *wait, const __u32 *semaphore)
{
	return !wait->value && semaphore[1] && semaphore[1] < 0x1000000 && semaphore[2] == (wait->private ? 0 : FUTEX_PRIVATE);
}

static __always_inline __u32 class_of_plain(const struct futex_wait *wait, const __u32 *word, __u32 *holder)
{
	if (wait->value & FUTEX_WAITERS) {
		*holder = wait->value & FUTEX_ID;
		return CPROF_LOCK_MUTEX;
	}
	if (wait->value != 2)
		return CPROF_LOCK_UNKNOWN;
	*holder = word[2];
	return CPROF_LOCK_MUTEX;
}

/* pthread_join waits for the word that the kernel clears when the thread has gone: its id. */
static __always_inline bool is_join(const struct futex_wait *wait, const struct thread_name *name)
{
	return name && name->clear_at == wait->address;
}

static __always_inline __u32 class_of_bitset(const struct futex_wait *wait, const struct futex_words *words, __u32 *holder)
{
	const __u32 *word = &words->at[BEFORE];
	bool odd = (wait->address & 7) == 4; /* the locks are 8-aligned */

	if (wait->address & 3)
		return CPROF_LOCK_UNKNOWN;
	if (!wait->value) {
		if (odd ? is_condition(wait, word - 11, 1) : is_condition(wait, word - 10, 0))
			return CPROF_LOCK_CONDITION;
		return !odd && is_semaphore(wait, word) ? CPROF_LOCK_SEMAPHORE : CPROF_LOCK_UNKNOWN;
	}
	if (odd ? is_rwlock(wait, word - 3, 3) : is_rwlock(wait, word - 2, 2)) {
		*holder = wait->value == 3 ? (odd ? word[3] : word[4]) : 0;
		return CPROF_LOCK_RWLOCK;
	}
	if (!odd && is_rwlock(wait, word, 0)) {
		*holder = word[6];
		return CPROF_LOCK_RWLOCK;
	}
	return CPROF_LOCK_UNKNOWN;
}

static __always_inline void lock_classify(struct task_struct *task, const struct futex_wait *wait, __u64 ip, struct syscall_state *call)
{
	struct lock_site site = { ip, task->tgid, 0 };
	struct futex_words words;
	struct thread_name *name = NULL;
	__u32 holder = 0, one = 1, class = CPROF_LOCK_UNKNOWN;
	const __u32 *word = &words.at[BEFORE];

	futex_words_read(wait->address, &words);
	if (wait->command == WAIT_REQUEUE_PI) {
		class = CPROF_LOCK_CONDITION;
	} else if (wait->command == LOCK_PI || wait->command == LOCK_PI2) {
		class = CPROF_LOCK_MUTEX;
		holder = word[0] & FUTEX_ID;
		name = thread_of(task, holder);
	} else if (wait->command == WAIT) {
		class = class_of_plain(wait, word, &holder);
		name = class ? thread_of(task, holder) : NULL;
		if (class && name)
			bpf_map_update_elem(&lock_sites, &site, &one, BPF_ANY);
		else if (class && !bpf_map_lookup_elem(&lock_sites, &site))
			class = CPROF_LOCK_UNKNOWN; /* somebody's own futex may be used in the same way */
	} else {
		name = thread_of(task, wait->value);
		if (is_join(wait, name)) {
			class = CPROF_LOCK_JOIN;
		} else if (wait->value == 2 && (name = thread_of(task, word[2])) != NULL) {
			class = CPROF_LOCK_MUTEX; /* with a time limit */
		} else {
			class = class_of_bitset(wait, &words, &holder);
			name = thread_of(task, holder);
		}
	}
	call->lock_class = class;
	if (name)
		holder_fill(&call->who, name, &call->holder);
}

/* false: it is a futex call of another kind. */
static __always_inline bool lock_entered(struct task_struct *task, struct task_record *record, struct pt_regs *regs, struct syscall_state *call)
{
	struct futex_wait wait;

	if (!futex_wait_of(regs, call->number, &wait))
		return false;
	who_fill(task, record, &call->who);
	__builtin_memset(&call->holder, 0, sizeof call->holder);
	call->object = (struct cprof_file_id){ .inode = wait.address };
	call->command = wait.command;
	call->ip = regs->ip;
	lock_classify(task, &wait, regs->ip, call);
	return true;
}

static __always_inline void lock_sum(const struct syscall_state *call, __u64 ns, __u64 stack)
{
	struct cprof_kernel_sum_key key;

	if (call->lock_class == CPROF_LOCK_UNKNOWN)
		counter_add(COUNTER_LOCKS_UNKNOWN, 1);
	sum_key_init(&key, &call->who, CPROF_SUM_LOCK, call->lock_class);
	key.object = call->object.inode;
	key.other = call->holder.context;
	key.stack = stack;
	sum_add(&key, ns, 0);
}

static __always_inline void lock_say(const struct syscall_state *call, __u64 start_ns, __u64 ns, long result, bool open)
{
	struct ring_head *head = ring_reserve(RING_LOCK, sizeof(struct cprof_kernel_lock));
	struct cprof_kernel_lock *lock = (void *)(head + 1);

	if (!head)
		return;
	lock->time_ns = start_ns;
	lock->duration_ns = ns;
	lock->who = call->who;
	lock->holder = call->holder;
	lock->address = call->object.inode;
	lock->ip = call->ip;
	lock->op = call->command;
	lock->result = (int)result;
	lock->lock_class = call->lock_class;
	lock->open = open;
	ring_submit(head);
}

static __always_inline void lock_left(void *ctx, struct syscall_state *call, __u64 start_ns, __u64 ns, long result)
{
	__u64 stack = 0;

	if (result < 0 && result != RESULT_ETIMEDOUT && result != RESULT_EINTR && !RESULT_RESTARTS(result)) {
		if (result == RESULT_EAGAIN)
			counter_add(COUNTER_LOCKS_NOT_WAITED, 1);
		return;
	}
	if (call->who.quality >= CPROF_QUALITY_UNREGISTERED)
		stack = stack_current(ctx, SCRATCH_SYSCALL, false);
	lock_sum(call, ns, stack);
	if (ns >= settings.lock_threshold_ns)
		lock_say(call, start_ns, ns, result, false);
}

#endif
