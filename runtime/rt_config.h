/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the environment asks of the runtime. Read once, when the first call is recorded. Ignored in setuid and setgid programs.
 */
#ifndef CPROF_RT_CONFIG_H
#define CPROF_RT_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define RT_PATH_MAX 4096u

struct rt_config {
	bool off;                   /* CPROF=off, or the program is setuid */
	bool drop_when_full;        /* CPROF_FULL=drop: count what finds no buffer instead of draining in the calling thread */
	bool drain_inline;          /* CPROF_DRAIN=inline: no thread of our own */
	bool tight;                 /* the address space is limited: small tables */
	uint32_t context_capacity;  /* CPROF_CONTEXTS, less where the address space is limited */
	uint64_t buffer_bytes;      /* CPROF_BUFFER: event blocks of all threads together, soft */
	const char *log;            /* CPROF_LOG, or NULL */
	char output[RT_PATH_MAX];   /* CPROF_OUTPUT expanded and absolute */
};

extern struct rt_config rt_config;

/* false, after a line that says which, when a variable cannot be understood; the program then runs unrecorded. */
bool rt_config_read(void);

#endif
