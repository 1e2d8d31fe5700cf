/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_drain.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "rt_clock.h"
#include "rt_config.h"
#include "rt_live.h"
#include "rt_status.h"
#include "rt_sys.h"

enum {
	WORKSPACES = 4,
	HOLE_PATIENCE = 8,        /* blocks handed over after one with an unfinished event before that is settled without its writer */
	STACK_BYTES = 64 << 10,
	TLS_BYTES = 32 << 10,     /* below the fake thread pointer; zeros: what libc's memcpy or a sanitizer may look at */
};

/* What one drainer needs; memory is reserved at first use and kept. */
struct workspace {
	_Atomic uint32_t taken;
	uint8_t *columns;
	uint64_t columns_bytes;
	struct rt_frame_buffer frame;
};

static struct workspace *_Atomic workspaces; /* WORKSPACES */
static _Atomic uint32_t workspaces_making;

static struct {
	_Atomic uint32_t state;   /* 0 none, 1 running, 2 asked to end, 3 cannot be had */
	_Atomic uint32_t work;    /* futex: counts wake-ups */
	_Atomic uint32_t sleeping;
	uint32_t tid;             /* cleared by the kernel when the thread is gone (CLONE_CHILD_CLEARTID) */
	uint8_t *memory;
} ours;

void rt_drain_reset(void)
{
	atomic_store(&ours.state, 0);
	atomic_store(&ours.work, 0);
	atomic_store(&ours.sleeping, 0);
	ours.tid = 0;
	for (int i = 0; atomic_load(&workspaces) && i < WORKSPACES; i++)
		atomic_store(&atomic_load(&workspaces)[i].taken, 0);
	atomic_store(&workspaces_making, 0);
}

static struct workspace *workspaces_get(void)
{
	struct workspace *all;

	while (!(all = atomic_load(&workspaces))) {
		uint32_t no = 0;

		if (!atomic_compare_exchange_strong(&workspaces_making, &no, 1)) {
			rt_yield();
			continue;
		}
		if (!atomic_load(&workspaces))
			atomic_store(&workspaces, rt_memory_reserve(WORKSPACES * sizeof *all));
		all = atomic_load(&workspaces);
		atomic_store(&workspaces_making, 0);
		if (!all)
			return NULL;
	}
	return all;
}

static struct workspace *workspace_take(void)
{
	struct workspace *all = workspaces_get();

	for (int i = 0; all && i < WORKSPACES; i++) {
		uint32_t no = 0;

		if (atomic_compare_exchange_strong(&all[i].taken, &no, 1))
			return &all[i];
	}
	return NULL;
}

static void workspace_give(struct workspace *workspace)
{
	atomic_store_explicit(&workspace->taken, 0, memory_order_release);
}

static bool frame_reserve(struct rt_frame_buffer *frame, size_t payload_bytes)
{
	size_t wanted = rt_frame_buffer_bytes(payload_bytes);

	if (frame->capacity >= wanted)
		return true;
	void *old = frame->bytes;
	size_t old_bytes = frame->capacity;

	frame->capacity = 0; /* in this order: a fork may come in between, and the child goes on with what it finds */
	frame->bytes = NULL;
	rt_memory_release(old, old_bytes);
	frame->bytes = rt_memory_reserve(wanted);
	frame->capacity = frame->bytes ? wanted : 0;
	return frame->bytes;
}

static bool workspace_reserve(struct workspace *workspace, uint64_t columns_bytes)
{
	if (workspace->columns_bytes < columns_bytes) {
		void *old = workspace->columns;
		uint64_t old_bytes = workspace->columns_bytes;

		workspace->columns_bytes = 0;
		workspace->columns = NULL;
		rt_memory_release(old, old_bytes);
		workspace->columns = rt_memory_reserve(columns_bytes);
		workspace->columns_bytes = workspace->columns ? columns_bytes : 0;
	}
	return workspace->columns && frame_reserve(&workspace->frame, columns_bytes);
}

struct rt_frame_buffer *rt_drain_frame(size_t payload_bytes)
{
	static struct rt_frame_buffer frame;

	return frame_reserve(&frame, payload_bytes) ? &frame : NULL;
}

/* Does the block hold an event that was begun and not written? */
static bool has_hole(const struct rt_block *block)
{
	uint64_t zeros = 0;

	for (uint32_t i = 0; i < block->items; i++)
		zeros += !__atomic_load_n(&block->events[i], __ATOMIC_RELAXED);
	return zeros;
}

/* Calls open after a block, as the next one says; -1: there is none yet. */
static int64_t depth_after(struct rt_thread *thread, uint64_t sequence)
{
	struct rt_block *next = atomic_load_explicit(&thread->pending[(sequence + 1) % RT_PENDING], memory_order_acquire);

	return next && next->header->sequence == sequence + 1 ? (int64_t)next->header->depth : -1;
}

static bool encode_and_write(struct rt_thread *thread, struct rt_block *block)
{
	struct workspace *workspace = workspace_take();
	struct rt_columns columns;
	bool ok = false;

	if (!workspace)
		return false;
	if (workspace_reserve(workspace, rt_replay_buffer_bytes(block->items, thread->replay.depth)) &&
	    rt_replay_encode(&thread->replay, block->header, block->events, block->items, depth_after(thread, block->header->sequence),
			     workspace->columns, &columns)) {
		/* What cannot be written stays in the live file: recording is off then, and readers find it there. */
		ok = rt_writer_chunk(&workspace->frame, &columns.header, columns.payload, columns.payload_bytes);
	}
	workspace_give(workspace);
	return ok;
}

bool rt_drain_thread_blocks(struct rt_thread *thread, bool final)
{
	bool freed = false;
	uint32_t no = 0;

	for (;;) {
		no = 0;
		if (!atomic_compare_exchange_strong(&thread->draining, &no, 1))
			return freed;
		bool progress = false;
		uint64_t sequence = thread->replay.next_sequence;
		struct rt_block *block = atomic_load_explicit(&thread->pending[sequence % RT_PENDING], memory_order_acquire);

		if (block && block->header->sequence == sequence) {
			bool hole = has_hole(block);

			if (!hole || final || atomic_load(&thread->sequence) - sequence > HOLE_PATIENCE) {
				__atomic_store_n(&block->header->state, CPROF_BLOCK_DRAINING, __ATOMIC_RELAXED);
				progress = encode_and_write(thread, block);
				if (progress) {
					thread->replay.next_sequence++;
					atomic_store(&thread->pending[sequence % RT_PENDING], NULL);
					thread->record->repaired_calls = thread->replay.repaired;
					thread->record->clock_steps_back = thread->replay.steps_back;
					if (hole || final) /* somebody may still write there: never used again */
						__atomic_store_n(&block->header->state, CPROF_BLOCK_RETIRED, __ATOMIC_RELEASE);
					else
						rt_blocks_give(block, block->items);
					freed |= !hole && !final;
				} else {
					__atomic_store_n(&block->header->state, CPROF_BLOCK_FULL, __ATOMIC_RELAXED);
				}
			}
		}
		atomic_store_explicit(&thread->draining, 0, memory_order_release);
		if (!progress)
			return freed;
	}
}

bool rt_drain_any(bool final)
{
	struct rt_thread *thread;
	bool freed = false;

	for (uint32_t i = 0; (thread = rt_thread_at(i)); i++)
		freed |= rt_drain_thread_blocks(thread, final);
	return freed;
}

/* Our thread. It is not libc's: it has a thread pointer to zeros, and uses nothing that needs more. */

static void clock_refresh(struct cprof_clock *last)
{
	struct cprof_clock now = rt_clock_pair();

	if (now.monotonic_ns - last->monotonic_ns < 1000000000u)
		return;
	*last = now;
	rt_live.header->last_clock = now;
}

static int ours_main(void *unused)
{
	struct cprof_clock last = { 0 };

	(void)unused;
	rt_sys(SYS_prctl, PR_SET_NAME, "cprof");
	while (atomic_load(&ours.state) == 1) {
		uint32_t seen = atomic_load(&ours.work);
		struct timespec second = { 1, 0 };

		if (rt_is_off())
			break;
		clock_refresh(&last);
		if (rt_drain_any(false))
			continue;
		atomic_store(&ours.sleeping, 1);
		rt_sys(SYS_futex, &ours.work, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, seen, &second);
		atomic_store(&ours.sleeping, 0);
	}
	return 0;
}

#if defined(__x86_64__)
/* clone() without libc: the child starts on its own stack in ours_main and never returns. */
static long ours_clone(void *stack_top, void *thread_pointer)
{
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
		     CLONE_CHILD_CLEARTID;
	long ret;
	register long r10 __asm__("r10") = (long)&ours.tid;
	register long r8 __asm__("r8") = (long)thread_pointer;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "xor %%edi, %%edi\n\t"
			 "call *%[entry]\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone), "D"(flags), "S"(stack_top), "d"(&ours.tid), "r"(r10), "r"(r8), [entry] "r"(ours_main),
			   [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory", "cc");
	return ret;
}
#else
static long ours_clone(void *stack_top, void *thread_pointer)
{
	register long x0 __asm__("x0") = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
					 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	register long x1 __asm__("x1") = (long)stack_top;
	register long x2 __asm__("x2") = (long)&ours.tid;
	register long x3 __asm__("x3") = (long)thread_pointer;
	register long x4 __asm__("x4") = (long)&ours.tid;
	register long x8 __asm__("x8") = SYS_clone;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "blr %[entry]\n\t"
			 "mov x0, xzr\n\t"
			 "mov x8, %[exit]\n\t"
			 "svc 0\n\t"
			 "brk 0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x8), [entry] "r"(ours_main), [exit] "i"(SYS_exit)
			 : "memory", "cc", "x30");
	return x0;
}
#endif

static bool ours_start(void)
{
	uint32_t none = 0;

	if (rt_config.drain_inline || !atomic_compare_exchange_strong(&ours.state, &none, 1))
		return atomic_load(&ours.state) == 1;
	if (!ours.memory)
		ours.memory = rt_memory_reserve(STACK_BYTES + 2 * TLS_BYTES);
	if (ours.memory) {
		uint64_t *pointer = (uint64_t *)(ours.memory + STACK_BYTES + TLS_BYTES);

		pointer[0] = pointer[2] = (uintptr_t)pointer; /* x86-64 ABI: %fs:0 holds itself */
		ours.tid = 1;
		if (ours_clone(ours.memory + STACK_BYTES, pointer) > 0)
			return true;
		ours.tid = 0;
		rt_sys(SYS_futex, &ours.tid, FUTEX_WAKE, INT32_MAX); /* who waits for its end has not to */
	}
	atomic_store(&ours.state, 3);
	return false;
}

void rt_drain_wake(void)
{
	atomic_fetch_add(&ours.work, 1);
	if (!ours_start()) {
		rt_drain_any(false); /* no thread may be made here: drain inline */
		return;
	}
	if (atomic_load(&ours.sleeping))
		rt_sys(SYS_futex, &ours.work, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

/* The kernel clears its number before it takes it from the process's threads, and unshare() counts those. */
static void wait_until_gone(uint32_t tid)
{
	enum { PAUSE_NS = 20000, PAUSES = 50000 };
	long pid = rt_sys(SYS_getpid);

	for (int i = 0; i < PAUSES && !rt_sys(SYS_tgkill, pid, tid, 0); i++) {
		struct timespec pause = { 0, PAUSE_NS };

		rt_sys(SYS_nanosleep, &pause, NULL);
	}
}

void rt_drain_stop(void)
{
	uint32_t tid, last;

	if (atomic_load(&ours.state) != 1)
		return;
	last = __atomic_load_n(&ours.tid, __ATOMIC_ACQUIRE);
	atomic_store(&ours.state, 2);
	atomic_fetch_add(&ours.work, 1);
	rt_sys(SYS_futex, &ours.work, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
	while ((tid = __atomic_load_n(&ours.tid, __ATOMIC_ACQUIRE)) != 0) {
		last = tid;
		rt_sys(SYS_futex, &ours.tid, FUTEX_WAIT, tid, NULL); /* the kernel's wake at exit is not a private one */
	}
	if (last > 1) /* 1: it was still being made */
		wait_until_gone(last);
	atomic_store(&ours.state, 0);
}
