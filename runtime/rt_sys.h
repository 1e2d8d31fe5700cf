/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls that touch nothing but the kernel: no errno, no cancellation point, no libc lock.
 *
 * The runtime runs inside hooks, in signal handlers and on a thread that libc does not know, so libc's wrappers are out. All return -errno on failure.
 */
#ifndef CPROF_RT_SYS_H
#define CPROF_RT_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
static inline long rt_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
static inline long rt_syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
	return x0;
}
#else
#error "cprof's runtime knows x86-64 and aarch64"
#endif

#define RT_SYS_ARGS(a, b, c, d, e, f, ...) (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f)
#define rt_sys(nr, ...) rt_syscall6(nr, RT_SYS_ARGS(__VA_ARGS__ __VA_OPT__(, ) 0, 0, 0, 0, 0, 0, 0))

#define RT_ALL_SIGNALS (~0ull)

/* Blocks every signal for this thread and returns the mask to restore. Hooks of signal handlers cannot come in between. */
static inline uint64_t rt_signals_block(void)
{
	uint64_t all = RT_ALL_SIGNALS, old = 0;

	rt_sys(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &all, &old, sizeof all);
	return old;
}

static inline void rt_signals_restore(uint64_t old)
{
	rt_sys(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &old, NULL, sizeof old);
}

static inline void rt_yield(void)
{
	rt_sys(SYS_sched_yield);
}

/* Anonymous zeroed memory that is not charged until touched; NULL on failure. */
void *rt_memory_reserve(uint64_t bytes);
void rt_memory_release(void *memory, uint64_t bytes);

/* Text without stdio. */
size_t rt_text_length(const char *text);
/* Appends text to out (capacity bytes, always terminated); returns the new length. */
size_t rt_text_append(char *out, size_t length, size_t capacity, const char *text);
size_t rt_text_append_number(char *out, size_t length, size_t capacity, uint64_t number);
uint64_t rt_text_number(const char *text, const char **end); /* decimal digits */

/* Reads a small file whole into out (terminated). Returns bytes or -errno. */
long rt_file_read(const char *path, char *out, size_t capacity);

#endif
