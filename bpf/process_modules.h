/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process had mapped: MODULES chunks with build ids, from /proc/PID/maps and the files themselves. */
#ifndef CPROF_PROCESS_MODULES_H
#define CPROF_PROCESS_MODULES_H

#include "kernel_writer.h"

/* Reads it now and writes a chunk for (tgid, generation). false: the process has gone, or may not be looked at. */
bool process_modules_write(uint32_t tgid, uint32_t generation, struct kernel_writer *writer);

#endif
