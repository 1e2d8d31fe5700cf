/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where machine code calls a function by name: directly, through the PLT or through a pointer in the GOT. It is how `doctor` knows which functions
 * are instrumented.
 *
 * Reads x86-64 only. Bytes are matched, not disassembled: a hit is a call opcode whose 32-bit operand leads exactly to the function (or its slot),
 * which data does not do by chance.
 */
#ifndef CPROF_HOOK_CALLS_H
#define CPROF_HOOK_CALLS_H

#include "elf_file.h"

struct hook_calls {
	uint64_t *addresses; /* of call instructions, ascending */
	size_t count, capacity;
};

bool hook_calls_can_read(const struct elf_file *file);
/* name: of the function called. symbols: file itself, or its debug file where that has the symbols. */
struct cprof_error *hook_calls_init(struct hook_calls *calls, const struct elf_file *file, const struct elf_file *symbols, const char *name) CPROF_MUST_CHECK;
void hook_calls_deinit(struct hook_calls *calls);
/* The first call in [low, high), or UINT64_MAX. */
uint64_t hook_calls_first(const struct hook_calls *calls, uint64_t low, uint64_t high);

/* The address of the function name if a symbol table of file defines it; *size_bytes as recorded there. */
/* libcprof is it, or is in it. */
bool elf_has_runtime_text(const struct elf_file *file);
bool elf_symbol_defined(const struct elf_file *file, const char *name, uint64_t *address, uint64_t *size_bytes);
/* Up to bytes from address on as they are in the file; the number that there are. */
size_t elf_code_read(const struct elf_file *file, uint64_t address, void *buffer, size_t bytes);

#endif
