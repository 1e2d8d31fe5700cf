/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a function a uprobe is cheap: at its first instruction that the kernel emulates instead of single-stepping it (push, nop, a jump, a call), which
 * costs a twentieth.
 *
 * Only as far as nothing has happened yet that the probe relies on: arguments are in their registers and the return address is where the stack
 * pointer shows. The decoder knows the few instructions that compilers put before that, and gives up at any other.
 */
#ifndef CPROF_UPROBE_POINT_H
#define CPROF_UPROBE_POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Offset of that instruction from code[0]; 0 with *emulated false when there is none: the first instruction will do, slowly. arguments: how many the probe reads, 3
 * at most.
 */
size_t uprobe_point_find(const uint8_t *code, size_t bytes, unsigned arguments, bool *emulated);

#endif
