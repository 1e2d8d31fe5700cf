/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_who.h"

#include <stddef.h>

#include "calls_interface.h"
#include "calls_memory.h"
#include "calls_process.h"
#include "rt_sys.h"

extern struct cprof_runtime_header cprof_runtime_header __attribute__((weak, visibility("default")));
static const struct cprof_runtime_header *told;

static __thread struct {
	uint32_t pid, tid;
} own __attribute__((tls_model("initial-exec")));

uint32_t calls_who_tid(void)
{
	return (uint32_t)rt_sys(SYS_gettid);
}

static inline const struct cprof_runtime_header *runtime(void)
{
	const struct cprof_runtime_header *volatile header = &cprof_runtime_header; /* a weak symbol's address may be NULL */
	const struct cprof_runtime_header *seen = header;

	return seen ? seen : __atomic_load_n(&told, __ATOMIC_ACQUIRE);
}

__attribute__((visibility("default"))) void cprof_calls_runtime(const struct cprof_runtime_header *header)
{
	__atomic_store_n(&told, header, __ATOMIC_RELEASE);
}

const struct cprof_slot *calls_who_slot(const void *thread_pointer)
{
	const struct cprof_runtime_header *header = runtime();

	/* It fills the header in when it starts; until then all is 0. */
	if (!header || header->magic != CPROF_RUNTIME_MAGIC || header->version != CPROF_SLOTS_VERSION || !header->tls_offset)
		return NULL;
	return (const void *)((const char *)thread_pointer + header->tls_offset);
}

/*
 * A forked child's first thread has its parent's slot until it makes its first recorded call. In the image's first process a slot is always
 * its thread's, seen by a vfork child as well.
 */
static bool is_own(uint32_t pid, uint32_t tid)
{
	if (likely(pid == calls_process_first))
		return true;
	if (own.pid != pid || own.tid != tid) {
		own.pid = pid;
		own.tid = calls_who_tid();
	}
	return own.tid == tid;
}

/* Of what no trace tells: images of one process are told apart. */
static uint16_t generation_of_process(void)
{
	uint32_t place = calls_process_place();

	return (uint16_t)(place ? CPROF_GENERATION_CALLS + place - 1 : CALLS_GENERATION_NONE);
}

struct cprof_who calls_who_without_context(uint32_t pid)
{
	return (struct cprof_who){ .tgid = pid, .generation = generation_of_process(),
				   .quality = runtime() ? CPROF_QUALITY_UNREGISTERED : CPROF_QUALITY_NO_RUNTIME };
}

void calls_who_fill(uint32_t pid, struct cprof_who *who)
{
	const struct cprof_slot *slot = calls_who_slot(__builtin_thread_pointer());

	*who = calls_who_without_context(pid);
	if (!slot || slot->magic != CPROF_SLOTS_MAGIC || !is_own(pid, slot->tid))
		return;
	who->context = __atomic_load_n(&slot->context, __ATOMIC_RELAXED);
	who->generation = (uint16_t)slot->generation;
	who->quality = CPROF_QUALITY_TLS;
}
