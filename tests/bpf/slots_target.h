/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program needs to play cprof's runtime for cprof-record: so that tests of the kernel half say themselves which context each thing
 * happens in, and depend on no other half. It does what docs/trace-format.md section 8 asks of a runtime, and nothing else.
 */
#ifndef CPROF_SLOTS_TARGET_H
#define CPROF_SLOTS_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "slots.h"

__attribute__((visibility("default"))) struct cprof_runtime_header cprof_runtime_header;

static struct cprof_slot *target_slots; /* NULL: none, TLS alone */
#ifndef TARGET_LINE_ALIGNED
#define TARGET_LINE_ALIGNED 64 /* its page, for a target that takes that away */
#endif
static __thread struct cprof_slot target_line __attribute__((aligned(TARGET_LINE_ALIGNED)));
static __thread struct cprof_slot *target_slot;

static int64_t target_tls_offset(void)
{
	return (int64_t)((char *)&target_line - (char *)__builtin_thread_pointer());
}

/* As the first thing of the process. */
static void target_open(uint32_t generation)
{
	const char *text = getenv("CPROF_SLOTS_FD");
	struct cprof_slots_header *header;

	cprof_runtime_header = (struct cprof_runtime_header){ .magic = CPROF_RUNTIME_MAGIC, .version = CPROF_SLOTS_VERSION, .generation = generation,
							      .tls_offset = target_tls_offset(), .session = "a target of test" };
	if (!text)
		return;
	header = mmap(NULL, 4096, PROT_READ, MAP_SHARED, atoi(text), 0);
	if (header == MAP_FAILED || header->magic != CPROF_SLOTS_MAGIC)
		exit(90);
	target_slots = mmap(NULL, (size_t)header->slots * CPROF_SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(text), 0);
	if (target_slots == MAP_FAILED)
		exit(91);
}

/* Of the calling thread; in a fork's child again. */
static void target_register(uint32_t generation)
{
	uint32_t tid = (uint32_t)syscall(SYS_gettid), index = 0;
	struct cprof_slots_header *header = (void *)target_slots;

	target_line = (struct cprof_slot){ .magic = CPROF_SLOTS_MAGIC, .tid = tid, .generation = generation };
	target_slot = &target_line;
	for (uint32_t i = 1; target_slots && !index && i < header->slots; i++) {
		uint32_t none = 0;

		if (__atomic_compare_exchange_n(&target_slots[i].magic, &none, CPROF_SLOTS_MAGIC, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			index = i;
	}
	if (index) {
		target_slot = &target_slots[index];
		target_slot->context = 0;
		target_slot->tid = tid;
		target_slot->generation = generation;
	} else if (target_slots) {
		__atomic_fetch_add(&header->exhausted, 1, __ATOMIC_RELAXED);
	}
	if (target_slots)
		syscall(SYS_prctl, CPROF_PRCTL_REGISTER, index, target_tls_offset(), tid, generation);
}

static inline void target_context(uint32_t context)
{
	*(volatile uint32_t *)&target_slot->context = context;
	__asm__ volatile("" ::: "memory");
}

/* Ends as a well-behaved thread does; a thread that just dies leaves its slot to BPF. */
static inline void target_release(void)
{
	struct cprof_slot *slot = target_slot;

	target_slot = &target_line;
	target_line.context = 0;
	if (slot == &target_line)
		return;
	slot->context = slot->kernel_tgid = slot->kernel_tid = slot->tid = 0;
	__atomic_store_n(&slot->magic, 0, __ATOMIC_RELEASE);
}

static inline uint64_t target_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void target_nap(uint64_t ns)
{
	struct timespec nap = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	nanosleep(&nap, NULL);
}

#endif
