/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_holders.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "calls_who.h"
#include "rt_sys.h"

enum { HOLDERS = 4096 }; /* by the low bits of the id: of two with the same the later is known */

struct holder {
	uint64_t pointer; /* thread pointer: libcprof may come, with a slot for it, after it was noted */
	uint32_t tid, reserved;
};

static struct holder *holders; /* empty in a forked child */
__thread uint32_t calls_holders_noted __attribute__((tls_model("initial-exec")));

bool calls_holders_begin(void)
{
	holders = calls_process_memory(HOLDERS * sizeof *holders);
	return holders != NULL;
}

static struct holder *place_of(uint32_t tid)
{
	return &holders[tid % HOLDERS];
}

void calls_holders_note(void)
{
	uint32_t pid = calls_process_pid(), tid = calls_who_tid();
	struct holder *place = place_of(tid);

	if (!pid)
		return;
	place->tid = 0; /* another thread may be reading: it will find a slot that is not this thread's */
	__atomic_store_n(&place->pointer, (uint64_t)(uintptr_t)__builtin_thread_pointer(), __ATOMIC_RELEASE);
	__atomic_store_n(&place->tid, tid, __ATOMIC_RELEASE);
	calls_holders_noted = pid;
}

/* false: that memory is not a thread's slot (any more). */
enum slot_state { SLOT_READ, SLOT_NONE, SLOT_FORBIDDEN /* to look at */ };

static enum slot_state slot_read(uint32_t pid, const void *address, struct cprof_slot *slot)
{
	enum { READ = 16 }; /* magic to generation */
	struct iovec here = { slot, READ }, there = { (void *)(uintptr_t)address, READ };
	long read = address ? rt_sys(SYS_process_vm_readv, pid, &here, 1, &there, 1, 0) : -EFAULT;

	if (read == READ)
		return slot->magic == CPROF_SLOTS_MAGIC ? SLOT_READ : SLOT_NONE;
	return read == -EFAULT ? SLOT_NONE : SLOT_FORBIDDEN;
}

static void fill(uint32_t pid, const struct cprof_slot *slot, struct cprof_who *holder)
{
	*holder = (struct cprof_who){ .tgid = pid, .tid = slot->tid, .context = slot->context, .generation = (uint16_t)slot->generation,
				      .quality = CPROF_QUALITY_TLS };
}

void calls_holders_of_tid(uint32_t pid, uint32_t tid, struct cprof_who *holder)
{
	const struct holder *place = place_of(tid);
	struct cprof_slot slot;
	enum slot_state state;

	*holder = (struct cprof_who){ 0 };
	if (!tid || __atomic_load_n(&place->tid, __ATOMIC_ACQUIRE) != tid || tid == calls_who_tid())
		return;
	state = slot_read(pid, calls_who_slot((const void *)(uintptr_t)__atomic_load_n(&place->pointer, __ATOMIC_RELAXED)), &slot);
	if (state == SLOT_READ && slot.tid == tid) {
		fill(pid, &slot, holder);
	} else if (state != SLOT_FORBIDDEN && !rt_sys(SYS_tgkill, pid, tid, 0)) { /* it is there, but has recorded nothing */
		*holder = calls_who_without_context(pid);
		holder->tid = tid;
	}
}

void calls_holders_of_thread(uint32_t pid, pthread_t thread, struct cprof_who *holder)
{
	/* The same for all threads: where libc has its own record of one, from the thread pointer. */
	const char *pointer = (const char *)thread + ((const char *)__builtin_thread_pointer() - (const char *)pthread_self());
	struct cprof_slot slot;

	*holder = (struct cprof_who){ 0 };
	if (slot_read(pid, calls_who_slot(pointer), &slot) == SLOT_READ)
		fill(pid, &slot, holder);
}
