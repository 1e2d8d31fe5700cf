/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_slots.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "calls/calls_interface.h"
#include "rt_clock.h"
#include "rt_sys.h"
#include "slots.h"

enum { PAGE = 4096, SLOTS_MOST = 1 << 20 };

/* For who attaches to the running process. The offset is there before the process has made its first call. */
extern struct cprof_runtime_header cprof_runtime_header;
__attribute__((visibility("default"), used)) struct cprof_runtime_header cprof_runtime_header;

/* Of libcprof-calls.so, if that has been preloaded: it cannot see the header of a libcprof that came with a plug-in. */
extern __typeof__(cprof_calls_runtime) cprof_calls_runtime __attribute__((weak, visibility("default")));

static struct {
	struct cprof_slot *slots; /* [0] is the header; NULL: not recorded */
	uint32_t count;
	uint64_t attached_ns;
	_Atomic uint32_t threads, threads_without;
	_Atomic uint32_t kernel_tgid;
} map;

static struct cprof_slots_header *header(void)
{
	return (struct cprof_slots_header *)map.slots;
}

static int64_t tls_offset(void)
{
	return (int64_t)((char *)&rt_tls.own - (char *)__builtin_thread_pointer());
}

static bool is_bpf_map(uint64_t fd)
{
	static const char expected[] = "anon_inode:bpf-map";
	char path[64], target[sizeof expected];
	size_t length = rt_text_append(path, 0, sizeof path, "/proc/self/fd/");

	rt_text_append_number(path, length, sizeof path, fd);
	return rt_sys(SYS_readlinkat, AT_FDCWD, path, target, sizeof target) == sizeof expected - 1 &&
	       !__builtin_memcmp(target, expected, sizeof expected - 1);
}

static bool failed(long address)
{
	return address < 0 && address > -PAGE;
}

bool rt_slots_open(uint8_t *session)
{
	const char *text = getauxval(AT_SECURE) ? NULL : getenv("CPROF_SLOTS_FD"), *end;
	__typeof__(cprof_calls_runtime) *volatile tell = cprof_calls_runtime; /* a weak symbol's address may be NULL */

	cprof_runtime_header = (struct cprof_runtime_header){ .magic = CPROF_RUNTIME_MAGIC, .version = CPROF_SLOTS_VERSION, .tls_offset = tls_offset() };
	if (tell)
		tell(&cprof_runtime_header);
	if (!text || !*text)
		return false;
	uint64_t fd = rt_text_number(text, &end);
	if (*end || fd > INT32_MAX || !is_bpf_map(fd))
		return false;
	long first = rt_sys(SYS_mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (failed(first))
		return false;
	struct cprof_slots_header seen = *(struct cprof_slots_header *)first;
	rt_sys(SYS_munmap, first, PAGE);
	if (seen.magic != CPROF_SLOTS_MAGIC || seen.version != CPROF_SLOTS_VERSION || seen.slots < 2 || seen.slots > SLOTS_MOST)
		return false;
	/* A map that is smaller than its header says cannot be mapped so far: mmap refuses. */
	long slots = rt_sys(SYS_mmap, 0, (uint64_t)seen.slots * CPROF_SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (failed(slots))
		return false;
	rt_sys(SYS_madvise, slots, (uint64_t)seen.slots * CPROF_SLOT_BYTES, MADV_DONTDUMP);
	map.slots = (struct cprof_slot *)slots;
	map.count = seen.slots;
	map.attached_ns = rt_clock_pair().monotonic_ns;
	__builtin_memcpy(session, seen.session, sizeof seen.session);
	return true;
}

static uint32_t find_free(void)
{
	uint32_t from = __atomic_fetch_add(&header()->hint, 1, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < map.count - 1; i++) {
		uint32_t index = 1 + (from + i) % (map.count - 1), none = 0;

		if (!__atomic_load_n(&map.slots[index].magic, __ATOMIC_RELAXED) &&
		    __atomic_compare_exchange_n(&map.slots[index].magic, &none, CPROF_SLOTS_MAGIC, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return index;
	}
	__atomic_fetch_add(&header()->exhausted, 1, __ATOMIC_RELAXED);
	return 0;
}

void rt_slots_take(struct rt_tls *tls, uint32_t tid, uint32_t generation)
{
	struct cprof_slot *slot = &tls->own;
	uint32_t index = map.slots ? find_free() : 0;

	*slot = (struct cprof_slot){ .magic = CPROF_SLOTS_MAGIC, .tid = tid, .generation = generation };
	if (index) {
		slot = &map.slots[index];
		slot->context = 0;
		slot->tid = tid;
		slot->generation = generation;
	}
	if (map.slots) {
		rt_sys(SYS_prctl, CPROF_PRCTL_REGISTER, index, tls_offset(), tid, generation);
		atomic_fetch_add(slot->kernel_tgid ? &map.threads : &map.threads_without, 1);
		if (slot->kernel_tgid)
			atomic_store(&map.kernel_tgid, slot->kernel_tgid);
	}
	tls->slot = slot;
}

void rt_slots_release(struct rt_tls *tls)
{
	struct cprof_slot *slot = tls->slot;

	tls->own.context = 0;
	tls->slot = &tls->own;
	if (slot == &tls->own)
		return;
	slot->context = 0;
	slot->kernel_tgid = slot->kernel_tid = slot->tid = 0;
	__atomic_store_n(&slot->magic, 0, __ATOMIC_RELEASE);
}

void rt_slots_forget(struct rt_tls *tls)
{
	tls->slot = &tls->own;
	atomic_store(&map.threads, 0);
	atomic_store(&map.threads_without, 0);
	atomic_store(&map.kernel_tgid, 0);
	if (map.slots)
		map.attached_ns = rt_clock_pair().monotonic_ns;
}

void rt_slots_announce(const struct cprof_meta *meta)
{
	cprof_runtime_header.generation = meta->generation;
	__builtin_memcpy(cprof_runtime_header.session, meta->session, sizeof meta->session);
}

bool rt_slots_report(struct cprof_sched *sched)
{
	if (!map.slots)
		return false;
	*sched = (struct cprof_sched){ .attached_ns = map.attached_ns, .heartbeat_ns = header()->heartbeat_ns, .stopped_ns = header()->stopped_ns,
				       .threads = atomic_load(&map.threads), .threads_without_slot = atomic_load(&map.threads_without),
				       .kernel_tgid = atomic_load(&map.kernel_tgid) };
	return true;
}
