/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_who.h"

#include "calls_memory.h"
#include "calls_process.h"
#include "rt_sys.h"

extern struct cprof_runtime_header cprof_runtime_header __attribute__((weak, visibility("default")));

static __thread struct {
	uint32_t pid, tid;
} own __attribute__((tls_model("initial-exec")));

uint32_t calls_who_tid(void)
{
	return (uint32_t)rt_sys(SYS_gettid);
}

/*
 * A forked child's first thread has its parent's slot until it makes its first recorded call. In the image's first process a slot is always its
 * thread's, seen by a vfork child as well.
 */
static bool is_own(uint32_t pid, const struct cprof_slot *slot)
{
	if (likely(pid == calls_process_first))
		return true;
	if (own.pid != pid || own.tid != slot->tid) {
		own.pid = pid;
		own.tid = calls_who_tid();
	}
	return own.tid == slot->tid;
}

void calls_who_fill(uint32_t pid, struct cprof_who *who)
{
	const struct cprof_runtime_header *volatile header = &cprof_runtime_header; /* a weak symbol's address may be NULL */
	const struct cprof_runtime_header *runtime = header;

	*who = (struct cprof_who){ .tgid = pid, .generation = CALLS_GENERATION_NONE, .quality = CPROF_QUALITY_NO_RUNTIME };
	if (!runtime || (runtime->magic && runtime->magic != CPROF_RUNTIME_MAGIC) || (runtime->magic && runtime->version != CPROF_SLOTS_VERSION))
		return;
	who->quality = CPROF_QUALITY_UNREGISTERED;
	if (!runtime->tls_offset)
		return;
	const volatile struct cprof_slot *slot = (const void *)((const char *)__builtin_thread_pointer() + runtime->tls_offset);
	if (slot->magic != CPROF_SLOTS_MAGIC || !is_own(pid, (const struct cprof_slot *)slot))
		return;
	who->context = slot->context;
	who->generation = (uint16_t)slot->generation;
	who->quality = CPROF_QUALITY_TLS;
}
