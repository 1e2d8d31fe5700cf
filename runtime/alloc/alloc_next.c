/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc_next.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "alloc_life.h"
#include "rt_sys.h"

#ifdef ALLOC_STATIC
/* --wrap: the linker gives the real ones these names. Those that nobody calls are not linked in for our sake. */
#define REAL(name) __real_##name
extern void *__real_malloc(size_t);
extern void *__real_calloc(size_t, size_t);
extern void *__real_realloc(void *, size_t);
extern void __real_free(void *);
extern void *__real_memalign(size_t, size_t);
extern void *__real_aligned_alloc(size_t, size_t);
extern int __real_posix_memalign(void **, size_t, size_t);
extern void *__real_valloc(size_t);
extern void *__real_pvalloc(size_t);
#endif

/* --- the arena: blocks with their size before them, never given back ------------------------------------------------------------ */

char alloc_next_arena[ALLOC_ARENA_BYTES] __attribute__((aligned(4096)));
static size_t arena_used;

static void *arena_take(size_t alignment, size_t bytes)
{
	size_t used = __atomic_load_n(&arena_used, __ATOMIC_RELAXED), at, end;

	if (alignment < 16)
		alignment = 16;
	do {
		at = (used + 16 + alignment - 1) & ~(alignment - 1);
		end = at + bytes;
		if (alignment > ALLOC_ARENA_BYTES || bytes > ALLOC_ARENA_BYTES || end > ALLOC_ARENA_BYTES) {
			errno = ENOMEM;
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&arena_used, &used, end, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	*(size_t *)(alloc_next_arena + at - 16) = bytes;
	return alloc_next_arena + at;
}

size_t alloc_next_arena_bytes(const void *pointer)
{
	return *(const size_t *)((const char *)pointer - 16);
}

/* --- until the real ones are known --------------------------------------------------------------------------------------------- */

static uint32_t resolve_state; /* 0 not yet, 1 somebody is at it, 2 done */

static bool is_resolved(void)
{
	alloc_next_resolve();
	return __atomic_load_n(&resolve_state, __ATOMIC_ACQUIRE) == 2;
}

static void *first_malloc(size_t bytes)
{
	return is_resolved() ? alloc_next.malloc(bytes) : arena_take(0, bytes);
}

static void *first_calloc(size_t count, size_t bytes)
{
	if (is_resolved())
		return alloc_next.calloc(count, bytes);
	return bytes && count > ALLOC_ARENA_BYTES / bytes ? NULL : arena_take(0, count * bytes); /* it has never been used before */
}

static void *first_realloc(void *old, size_t bytes)
{
	if (is_resolved())
		return alloc_next.realloc(old, bytes);
	void *block = arena_take(0, bytes);

	if (block && old) {
		size_t kept = alloc_next_is_ours(old) ? alloc_next_arena_bytes(old) : bytes;

		memcpy(block, old, kept < bytes ? kept : bytes);
	}
	return block;
}

static void first_free(void *block)
{
	if (is_resolved())
		alloc_next.free(block);
}

static void *first_aligned(size_t alignment, size_t bytes)
{
	return is_resolved() ? alloc_next.memalign(alignment, bytes) : arena_take(alignment, bytes);
}

static void *first_aligned_alloc(size_t alignment, size_t bytes)
{
	return is_resolved() ? alloc_next.aligned_alloc(alignment, bytes) : arena_take(alignment, bytes);
}

static int first_posix_memalign(void **ret, size_t alignment, size_t bytes)
{
	if (is_resolved())
		return alloc_next.posix_memalign(ret, alignment, bytes);
	void *block = arena_take(alignment, bytes);

	if (!block)
		return ENOMEM;
	*ret = block;
	return 0;
}

static void *first_valloc(size_t bytes)
{
	return is_resolved() ? alloc_next.valloc(bytes) : arena_take(4096, bytes);
}

static void *first_pvalloc(size_t bytes)
{
	return is_resolved() ? alloc_next.pvalloc(bytes) : arena_take(4096, (bytes + 4095) & ~(size_t)4095);
}

struct alloc_next alloc_next = { first_malloc,        first_calloc,         first_realloc, first_free,   first_aligned,
				 first_aligned_alloc, first_posix_memalign, first_valloc,  first_pvalloc };

#ifdef ALLOC_STATIC
static void find(struct alloc_next *real)
{
	*real = (struct alloc_next){ REAL(malloc),        REAL(calloc),         REAL(realloc), REAL(free),   REAL(memalign),
				      REAL(aligned_alloc), REAL(posix_memalign), REAL(valloc),  REAL(pvalloc) };
}

static uint32_t find_alignment(const struct alloc_next *real)
{
	(void)real;
	return 16;
}

static bool find_libcprof(void)
{
	return true;
}
#else
static void *named(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static void find(struct alloc_next *real)
{
	*(void **)&real->malloc = named("malloc");
	*(void **)&real->calloc = named("calloc");
	*(void **)&real->realloc = named("realloc");
	*(void **)&real->free = named("free");
	*(void **)&real->memalign = named("memalign");
	*(void **)&real->aligned_alloc = named("aligned_alloc");
	*(void **)&real->posix_memalign = named("posix_memalign");
	*(void **)&real->valloc = named("valloc");
	*(void **)&real->pvalloc = named("pvalloc");
}

/* glibc's blocks lie at multiples of 16; of others only the least is assumed. */
static uint32_t find_alignment(const struct alloc_next *real)
{
	return (void *)real->malloc == dlsym(RTLD_NEXT, "__libc_malloc") ? 16 : 8;
}

/* Only our hooks have that version. */
static bool find_libcprof(void)
{
	return dlvsym(RTLD_DEFAULT, "__cyg_profile_func_enter", "CPROF_1") != NULL;
}
#endif

void alloc_next_resolve(void)
{
	uint32_t no = 0;

	if (!__atomic_compare_exchange_n(&resolve_state, &no, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	int saved = errno;
	struct alloc_next real;

	find(&real);
	alloc_life_begin(find_alignment(&real), find_libcprof());
	alloc_next = real;
	__atomic_store_n(&resolve_state, 2, __ATOMIC_RELEASE);
	errno = saved;
}
