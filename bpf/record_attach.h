/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that runs already: what is known of it, and where its threads keep their context (cprof_runtime_header in .dynsym of its program
 * or of libcprof.so). Its memory and files are a stranger's.
 */
#ifndef CPROF_RECORD_ATTACH_H
#define CPROF_RECORD_ATTACH_H

#include "error.h"
#include "record_shared.h"

/* Fills process->said and tls_offset, and session if the process has one; a process without runtime is no error. */
struct cprof_error *record_attach_find(uint32_t pid, struct process_record *process, uint8_t *session) CPROF_MUST_CHECK;

#endif
