/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An independent counter of calls, to check libcprof against: other hooks, linked to the same instrumented objects.
 *
 * It counts calls per function and per (caller, callee) pair in two hash tables and writes them as text at exit. It shares no code
 * and no idea with the runtime beyond what the compiler's hooks mean: no contexts, no clock, no transaction. It must not be
 * instrumented itself. Linked in, or as a shared library that is preloaded: its hooks then come before libcprof's.
 *
 * Output, to the file named by CALL_COUNTER_OUTPUT, addresses as nm prints those of a position-independent executable:
 * "function ADDRESS CALLS" and "pair CALLER CALLEE CALLS" (CALLER 0: nobody). Outside the executable a function is @NAME if it is
 * exported (clang instruments the inline tolower() of <ctype.h> under the C library's address), else FILE+ADDRESS.
 *
 * A stack entry is gone when its frame is below that of a function that is entered (the stack grows down), or above it on our
 * stack when a function returns: longjmp and exceptions leave such entries.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define UNINSTRUMENTED __attribute__((no_instrument_function))

enum { TABLE_SLOTS = 1 << 16, STACK_ENTRIES = 1 << 20 };

struct count {
	uintptr_t caller, callee;
	uint64_t calls;
};

struct open_call {
	uintptr_t function, frame, hook_return, call_site;
};

static struct count functions[TABLE_SLOTS], pairs[TABLE_SLOTS];
static __thread struct open_call *stack;
static __thread size_t depth;
static char tables_busy;
static int written;

UNINSTRUMENTED void __cyg_profile_func_enter(void *function, void *call_site);
UNINSTRUMENTED void __cyg_profile_func_exit(void *function, void *call_site);

UNINSTRUMENTED static void write_counts(void);

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

UNINSTRUMENTED static void stack_create(void)
{
	void *pages = mmap(NULL, STACK_ENTRIES * sizeof *stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (pages == MAP_FAILED)
		fail("no memory");
	stack = pages;
}

/*
 * Where a function's return address lies. An entered function has set up its frame, so it is one above what its %rbp points to;
 * the hook's own caller is that function, at -O2 too, because an enter hook is never a tail call.
 */
__attribute__((noinline)) void __cyg_profile_func_enter(void *function, void *call_site)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(1);
	uintptr_t hook_return = (uintptr_t)__builtin_return_address(0);

	if (!stack)
		stack_create();
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
	while (__atomic_test_and_set(&tables_busy, __ATOMIC_ACQUIRE))
		;
	table_count(functions, 0, (uintptr_t)function);
	table_count(pairs, depth ? stack[depth - 1].function : 0, (uintptr_t)function);
	__atomic_clear(&tables_busy, __ATOMIC_RELEASE);
	if (written)
		write_counts();
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

/* The executable is the first. */
UNINSTRUMENTED static int executable_found(struct dl_phdr_info *module, size_t size, void *base)
{
	(void)size;
	*(uintptr_t *)base = module->dlpi_addr;
	return 1;
}

UNINSTRUMENTED static void write_address(FILE *file, uintptr_t address)
{
	uintptr_t executable = 0;
	Dl_info found;

	dl_iterate_phdr(executable_found, &executable);
	if (!address)
		fputs(" 0", file);
	else if (!dladdr((void *)address, &found))
		fail("a function in no file");
	else if ((uintptr_t)found.dli_fbase == executable)
		fprintf(file, " %016" PRIxPTR, address - executable);
	else if (found.dli_sname && (uintptr_t)found.dli_saddr == address)
		fprintf(file, " @%s", found.dli_sname);
	else
		fprintf(file, " %s+%016" PRIxPTR, found.dli_fname, address - (uintptr_t)found.dli_fbase);
}

/* Again with each call that comes later: libraries may be finished after this one. */
UNINSTRUMENTED __attribute__((destructor)) static void write_counts(void)
{
	const char *path = getenv("CALL_COUNTER_OUTPUT");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		fail("cannot write to CALL_COUNTER_OUTPUT");
	written = 1;
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
