/* SPDX-License-Identifier: BSD-2-Clause */
/* See slots_header.h. */
#include "slots_header.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

struct cprof_error *slots_header_open(int map, uint32_t slots, const uint8_t *session, uint64_t now_ns, struct slots_header *ret)
{
	size_t bytes = (size_t)slots * CPROF_SLOT_BYTES;
	struct cprof_slots_header *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	if (at == MAP_FAILED)
		return cprof_error_os(errno, NULL, "map the slots");
	at->version = CPROF_SLOTS_VERSION;
	at->slots = slots;
	at->hint = 1;
	memcpy(at->session, session, sizeof at->session);
	at->started_ns = at->heartbeat_ns = now_ns;
	__atomic_store_n(&at->magic, CPROF_SLOTS_MAGIC, __ATOMIC_RELEASE);
	*ret = (struct slots_header){ at, bytes };
	return NULL;
}

void slots_header_beat(struct slots_header *header, uint64_t now_ns)
{
	if (header->at)
		__atomic_store_n(&header->at->heartbeat_ns, now_ns, __ATOMIC_RELEASE);
}

void slots_header_stop(struct slots_header *header, uint64_t now_ns)
{
	if (!header->at)
		return;
	slots_header_beat(header, now_ns);
	__atomic_store_n(&header->at->stopped_ns, now_ns, __ATOMIC_RELEASE);
}

void slots_header_close(struct slots_header *header)
{
	if (header->at)
		munmap(header->at, header->bytes);
	header->at = NULL;
}
