/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An independent counter of calls, to check libcprof against: other hooks, linked to the same instrumented objects.
 *
 * It counts calls per function and per (caller, callee) pair in two hash tables and writes them as text at exit. It shares no code
 * and no idea with the runtime beyond what the compiler's hooks mean: no contexts, no clock, no transaction. One thread only.
 * It must not be instrumented itself.
 *
 * Output, to the file named by CALL_COUNTER_OUTPUT, addresses as nm prints those of a position-independent executable:
 * "function ADDRESS CALLS" and "pair CALLER CALLEE CALLS" (CALLER 0: nobody). A function outside the executable (clang instruments
 * the inline tolower() of <ctype.h> under the C library's address) is @NAME.
 *
 * A stack entry is gone when its frame is below that of a function that is entered (the stack grows down), or above it on our
 * stack when a function returns: longjmp and exceptions leave such entries.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define UNINSTRUMENTED __attribute__((no_instrument_function))

extern const char __executable_start[]; /* by the linker: what the file's address 0 became */
extern const char _end[];

enum { TABLE_SLOTS = 1 << 16, STACK_ENTRIES = 1 << 20 };

struct count {
	uintptr_t caller, callee;
	uint64_t calls;
};

struct open_call {
	uintptr_t function, frame, hook_return, call_site;
};

static struct count functions[TABLE_SLOTS], pairs[TABLE_SLOTS];
static struct open_call stack[STACK_ENTRIES];
static size_t depth;

UNINSTRUMENTED void __cyg_profile_func_enter(void *function, void *call_site);
UNINSTRUMENTED void __cyg_profile_func_exit(void *function, void *call_site);

UNINSTRUMENTED static void fail(const char *why)
{
	fprintf(stderr, "call counter: %s\n", why);
	abort();
}

UNINSTRUMENTED static void table_count(struct count *table, uintptr_t caller, uintptr_t callee)
{
	size_t slot = (caller * 31 + callee) * 0x9E3779B97F4A7C15u >> 48;

	for (size_t tried = 0; tried < TABLE_SLOTS; tried++, slot = (slot + 1) % TABLE_SLOTS) {
		struct count *count = &table[slot];

		if (!count->calls) {
			count->caller = caller;
			count->callee = callee;
		}
		if (count->caller == caller && count->callee == callee) {
			count->calls++;
			return;
		}
	}
	fail("too many functions");
}

/*
 * Where a function's return address lies. An entered function has set up its frame, so it is one above what its %rbp points to;
 * the hook's own caller is that function, at -O2 too, because an enter hook is never a tail call.
 */
__attribute__((noinline)) void __cyg_profile_func_enter(void *function, void *call_site)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(1);
	uintptr_t hook_return = (uintptr_t)__builtin_return_address(0);

	while (depth && stack[depth - 1].frame < frame)
		depth--;
	/*
	 * An inlined callee has its caller's frame and return address. Another return address: another frame at the same place, so the
	 * old one is gone. The same hook call again: the first call was left by a throw.
	 */
	for (size_t i = depth; i > 0 && stack[i - 1].frame == frame; i--) {
		if (stack[i - 1].call_site != (uintptr_t)call_site || stack[i - 1].hook_return == hook_return)
			depth = i - 1;
	}
	table_count(functions, 0, (uintptr_t)function);
	table_count(pairs, depth ? stack[depth - 1].function : 0, (uintptr_t)function);
	if (depth == STACK_ENTRIES)
		fail("too deep");
	stack[depth++] = (struct open_call){ (uintptr_t)function, frame, hook_return, (uintptr_t)call_site };
}

/*
 * An exit hook may be a tail call: %rbp is then the caller's already, and the slot of the return address is the hook's own. Both
 * places are tried; the innermost entry that fits is the call that ends.
 */
__attribute__((noinline)) void __cyg_profile_func_exit(void *function, void *call_site)
{
	uintptr_t called = (uintptr_t)__builtin_frame_address(1), jumped = (uintptr_t)__builtin_frame_address(0);

	(void)call_site;
	for (size_t i = depth; i > 0; i--) {
		if (stack[i - 1].function == (uintptr_t)function && (stack[i - 1].frame == called || stack[i - 1].frame == jumped)) {
			depth = i - 1;
			return;
		}
	}
	fail("a function returned that was never entered");
}

UNINSTRUMENTED static void write_address(FILE *file, uintptr_t address)
{
	uintptr_t start = (uintptr_t)__executable_start;
	Dl_info outside;

	if (!address || (address >= start && address < (uintptr_t)_end))
		fprintf(file, " %016" PRIxPTR, address ? address - start : 0);
	else if (dladdr((void *)address, &outside) && outside.dli_sname)
		fprintf(file, " @%s", outside.dli_sname);
	else
		fail("a function without a name");
}

UNINSTRUMENTED __attribute__((destructor)) static void write_counts(void)
{
	const char *path = getenv("CALL_COUNTER_OUTPUT");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		fail("cannot write to CALL_COUNTER_OUTPUT");
	for (size_t i = 0; i < TABLE_SLOTS; i++) {
		if (functions[i].calls) {
			fputs("function", file);
			write_address(file, functions[i].callee);
			fprintf(file, " %" PRIu64 "\n", functions[i].calls);
		}
	}
	for (size_t i = 0; i < TABLE_SLOTS; i++) {
		if (pairs[i].calls) {
			fputs("pair", file);
			write_address(file, pairs[i].caller);
			write_address(file, pairs[i].callee);
			fprintf(file, " %" PRIu64 "\n", pairs[i].calls);
		}
	}
	if (fclose(file))
		fail("cannot write to CALL_COUNTER_OUTPUT");
}
