/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operator new and delete, for hosts whose allocator brings its own (jemalloc, tcmalloc). libstdc++'s come to malloc and free, and have been counted there.
 *
 * The real ones throw through here: nothing is held meanwhile, and only what has been returned is counted. They may appear after the process has
 * begun (a C program loads a C++ plug-in), even where RTLD_NEXT does not look; so each is looked for when it is called first. Not part of the static
 * form, where only malloc's family is wrapped.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "alloc_next.h"
#include "alloc_sums.h"

static void *look(const char *name)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libc++.so.1", "libc++abi.so.1" };
	void *found = dlsym(RTLD_NEXT, name);

	for (unsigned i = 0; !found && i < sizeof libraries / sizeof *libraries; i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD);

		if (library)
			found = dlsym(library, name);
		/* Not closed: it is used from now on. */
	}
	return found;
}

/* The real function of that name, kept in *place; the last resort when there is none. */
static inline void *real(void **place, const char *name, void *resort)
{
	void *found = __atomic_load_n(place, __ATOMIC_RELAXED);

	if (__builtin_expect(!found, 0)) {
		int saved = errno;

		found = look(name);
		if (!found)
			found = resort;
		__atomic_store_n(place, found, __ATOMIC_RELAXED);
		errno = saved;
	}
	return found;
}

static void *plain_new(size_t bytes)
{
	void *block = malloc(bytes ? bytes : 1);

	if (!block)
		abort(); /* there is nobody who could throw */
	return block;
}

static void *plain_new_nothrow(size_t bytes, const void *nothrow)
{
	(void)nothrow;
	return malloc(bytes ? bytes : 1);
}

static void *plain_new_aligned(size_t bytes, size_t alignment)
{
	void *block = aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));

	if (!block)
		abort();
	return block;
}

static void *plain_new_aligned_nothrow(size_t bytes, size_t alignment, const void *nothrow)
{
	(void)nothrow;
	return aligned_alloc(alignment, (bytes + alignment - 1) & ~(alignment - 1));
}

static inline void *made(void *block, size_t bytes, uint64_t before)
{
	if (alloc_tls.allocations != before)
		return block; /* it came to malloc */
	if (block)
		alloc_sums_allocated(block, bytes);
	else
		alloc_sums_failed();
	return block;
}

#define EXPORT __attribute__((visibility("default")))

#define NEW0(name) \
	EXPORT void *name(size_t bytes); \
	void *name(size_t bytes) \
	{ \
		static void *place; \
		void *(*next)(size_t) = (void *(*)(size_t))real(&place, #name, (void *)plain_new); \
		uint64_t before = alloc_tls.allocations; \
		return made(next(bytes), bytes, before); \
	}
#define NEW1(name, type, resort) \
	EXPORT void *name(size_t bytes, type one); \
	void *name(size_t bytes, type one) \
	{ \
		static void *place; \
		void *(*next)(size_t, type) = (void *(*)(size_t, type))real(&place, #name, (void *)resort); \
		uint64_t before = alloc_tls.allocations; \
		return made(next(bytes, one), bytes, before); \
	}
#define NEW2(name) \
	EXPORT void *name(size_t bytes, size_t alignment, const void *nothrow); \
	void *name(size_t bytes, size_t alignment, const void *nothrow) \
	{ \
		static void *place; \
		void *(*next)(size_t, size_t, const void *) = \
			(void *(*)(size_t, size_t, const void *))real(&place, #name, (void *)plain_new_aligned_nothrow); \
		uint64_t before = alloc_tls.allocations; \
		return made(next(bytes, alignment, nothrow), bytes, before); \
	}

NEW0(_Znwm)
NEW0(_Znam)
NEW1(_ZnwmRKSt9nothrow_t, const void *, plain_new_nothrow)
NEW1(_ZnamRKSt9nothrow_t, const void *, plain_new_nothrow)
NEW1(_ZnwmSt11align_val_t, size_t, plain_new_aligned)
NEW1(_ZnamSt11align_val_t, size_t, plain_new_aligned)
NEW2(_ZnwmSt11align_val_tRKSt9nothrow_t)
NEW2(_ZnamSt11align_val_tRKSt9nothrow_t)

/* delete may take a size, an alignment, a nothrow, in this order; what it does not take is passed for nothing. */
#define DELETE(name) \
	EXPORT void name(void *block, uintptr_t one, uintptr_t two, uintptr_t three); \
	void name(void *block, uintptr_t one, uintptr_t two, uintptr_t three) \
	{ \
		static void *place; \
		void (*next)(void *, uintptr_t, uintptr_t, uintptr_t) = \
			(void (*)(void *, uintptr_t, uintptr_t, uintptr_t))real(&place, #name, (void *)free); \
		if (block) \
			alloc_sums_free(block); /* a free that it comes to does not know it any more */ \
		next(block, one, two, three); \
	}

DELETE(_ZdlPv)
DELETE(_ZdaPv)
DELETE(_ZdlPvm)
DELETE(_ZdaPvm)
DELETE(_ZdlPvRKSt9nothrow_t)
DELETE(_ZdaPvRKSt9nothrow_t)
DELETE(_ZdlPvSt11align_val_t)
DELETE(_ZdaPvSt11align_val_t)
DELETE(_ZdlPvmSt11align_val_t)
DELETE(_ZdaPvmSt11align_val_t)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t)
