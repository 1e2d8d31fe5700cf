/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc_program CASE: allocates in functions of known names, and prints what ALLOC must say of each (alloc_test.sh compares):
 *
 *     expect FUNCTION key=value...     sums over the contexts of that function; "total": over all contexts, those outside of calls included
 *
 * With ALLOC_WAIT set it first waits for a byte on its standard input.
 * Output goes through write alone: stdio would allocate. Every block is stored where the compiler cannot follow it, or it would leave malloc out.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUNCTION __attribute__((noinline))
#define PLAIN    __attribute__((no_instrument_function))

static void *volatile sink;

PLAIN static void expect(const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (write(1, line, (size_t)length) != length)
		abort();
}

PLAIN static void check(int holds, const char *what)
{
	if (!holds) {
		expect("wrong: %s\n", what);
		_exit(1);
	}
}

static void *volatile kept[4096];

/* --- leaks: blocks of sizes that tell them apart --------------------------------------------------------------------------------- */

FUNCTION void leak_many(int count)
{
	for (int i = 0; i < count; i++)
		sink = malloc(1000 + (size_t)i);
}

FUNCTION void leak_some(int count)
{
	for (int i = 0; i < count; i++)
		kept[i] = malloc(17);
	for (int i = 0; i < count; i += 3)
		free(kept[i]);
}

FUNCTION void leak_zeroed(void)
{
	sink = calloc(7, 11);
}

FUNCTION void leak_string(void)
{
	sink = strdup("twelve bytes");
}

static void case_leak(void)
{
	leak_many(100);
	leak_some(300);
	leak_zeroed();
	leak_string();
	expect("expect leak_many calls=100 bytes=104950 freed_calls=0 freed_bytes=0 temporary_calls=0 peak_bytes=104950\n");
	expect("expect leak_some calls=300 bytes=5100 freed_calls=100 freed_bytes=1700 temporary_calls=0 peak_bytes=5100\n");
	expect("expect leak_zeroed calls=1 bytes=77 freed_calls=0 freed_bytes=0\n");
	expect("expect leak_string calls=1 bytes=13 freed_calls=0 freed_bytes=0\n");
}

/* --- one size for each context; peaks --------------------------------------------------------------------------------------------- */

FUNCTION void shared(size_t bytes, int count)
{
	for (int i = 0; i < count; i++) {
		sink = malloc(bytes);
		free(sink);
	}
}

FUNCTION void by_small(void)
{
	shared(24, 1000);
}
FUNCTION void by_large(void)
{
	shared(5000, 10);
}

FUNCTION void hill(void)
{
	for (int i = 0; i < 100; i++)
		kept[i] = malloc(100);
	for (int i = 0; i < 100; i++)
		free(kept[i]);
}

FUNCTION void *plateau(void)
{
	return malloc(6000);
}

static void case_peak(void)
{
	by_small();
	by_large();
	hill();
	void *rest = plateau(); /* the process had most alive in hill() */
	hill();                 /* and then with this as well */
	free(rest);
	expect("expect shared calls=1010 bytes=74000 freed_calls=1010 freed_bytes=74000 temporary_calls=1010 bytes_at_peak=0\n");
	expect("expect hill calls=200 bytes=20000 freed_calls=200 freed_bytes=20000 temporary_calls=2 bytes_at_peak=10000\n");
	expect("expect plateau calls=1 bytes=6000 freed_calls=1 peak_bytes=6000 bytes_at_peak=6000 temporary_calls=0\n");
}

/* --- realloc ------------------------------------------------------------------------------------------------------------------------ */

FUNCTION void *start_block(void)
{
	return malloc(100);
}
FUNCTION void *grow_block(void *block)
{
	return realloc(block, 100000);
}
FUNCTION void *grow_too_much(void *block)
{
	errno = 0;
	void *new = realloc(block, (size_t)-1 / 2);

	check(!new &&errno == ENOMEM, "realloc of half the address space fails");
	return block;
}
FUNCTION void *overflow_array(void *block)
{
	errno = 0;
	void *new = reallocarray(block, (size_t)-1 / 2, 3);

	check(!new &&errno == ENOMEM, "reallocarray that overflows fails");
	return block;
}
FUNCTION void *grow_array(void *block)
{
	return reallocarray(block, 1000, 300);
}
FUNCTION void *from_nothing(void)
{
	return realloc(NULL, 55);
}
FUNCTION void to_nothing(void *block)
{
	sink = realloc(block, 0);
}
FUNCTION void too_much(void)
{
	errno = 0;
	sink = malloc((size_t)-1 / 2);
	check(!sink && errno == ENOMEM, "malloc of half the address space fails");
	sink = calloc((size_t)-1 / 2, 3);
	check(!sink && errno == ENOMEM, "calloc that overflows fails");
}

static void case_realloc(void)
{
	char *block = start_block();

	strcpy(block, "kept");
	block = grow_too_much(block);
	block = overflow_array(block);
	block = grow_block(block);
	block = grow_too_much(block);
	block = grow_array(block);
	check(!strcmp(block, "kept"), "realloc keeps what is in the block");
	free(block);
	block = from_nothing();
	errno = 7;
	to_nothing(block);
	free(NULL);
	check(errno == 7, "errno is left alone by what succeeds");
	too_much();
	expect("expect start_block calls=1 bytes=100 freed_calls=1 freed_bytes=100 failed_calls=0\n");
	expect("expect grow_too_much calls=0 freed_calls=0 failed_calls=2\n");
	expect("expect overflow_array calls=0 freed_calls=0 failed_calls=1\n");
	expect("expect grow_block calls=1 bytes=100000 freed_calls=1 freed_bytes=100000\n");
	expect("expect grow_array calls=1 bytes=300000 freed_calls=1 freed_bytes=300000\n");
	expect("expect from_nothing calls=1 bytes=55 freed_calls=1 freed_bytes=55\n");
	expect("expect too_much calls=0 failed_calls=2\n");
}

/* --- the family ----------------------------------------------------------------------------------------------------------------------- */

FUNCTION void by_posix_memalign(void)
{
	void *block;

	check(posix_memalign(&block, 256, 1001) == 0 && !((size_t)block & 255), "posix_memalign");
	sink = block;
	check(posix_memalign(&block, 3, 1) == EINVAL, "posix_memalign of a wrong alignment");
	check(posix_memalign(&block, 64, (size_t)-1 / 2) == ENOMEM, "posix_memalign of too much");
}
FUNCTION void by_aligned_alloc(void)
{
	sink = aligned_alloc(64, 1024);
}
FUNCTION void by_memalign(void)
{
	sink = memalign(4096, 1002);
}
FUNCTION void by_valloc(void)
{
	sink = valloc(1003);
}
FUNCTION void by_pvalloc(void)
{
	sink = pvalloc(1004);
}
FUNCTION void by_calloc(void)
{
	sink = calloc(5, 201);
}
FUNCTION void by_zero(void)
{
	sink = malloc(0);
	check(sink && malloc_usable_size(sink) < 4096, "malloc_usable_size");
}

static void case_aligned(void)
{
	static void (*const makers[])(void) = { by_posix_memalign, by_aligned_alloc, by_memalign, by_valloc, by_calloc, by_zero };

	for (unsigned i = 0; i < sizeof makers / sizeof *makers; i++) {
		makers[i]();
		free(sink);
		makers[i]();
	}
	expect("expect by_posix_memalign calls=2 bytes=2002 freed_calls=1 freed_bytes=1001 failed_calls=2\n");
	expect("expect by_aligned_alloc calls=2 bytes=2048 freed_calls=1 freed_bytes=1024\n");
	expect("expect by_memalign calls=2 bytes=2004 freed_calls=1 freed_bytes=1002\n");
	expect("expect by_valloc calls=2 bytes=2006 freed_calls=1 freed_bytes=1003\n");
	expect("expect by_calloc calls=2 bytes=2010 freed_calls=1 freed_bytes=1005\n");
	expect("expect by_zero calls=2 bytes=0 freed_calls=1 freed_bytes=0\n");
}

/* jemalloc has none, and cannot free libc's. */
static void case_pvalloc(void)
{
	by_pvalloc();
	free(sink);
	by_pvalloc();
	expect("expect by_pvalloc calls=2 bytes=2008 freed_calls=1 freed_bytes=1004\n");
}

/* --- threads --------------------------------------------------------------------------------------------------------------------------- */

enum { HANDED = 1000, CHURNERS = 8, CHURN = 50000 };

FUNCTION void make_for_others(void)
{
	for (int i = 0; i < HANDED; i++)
		kept[i] = malloc(40 + (size_t)(i & 1));
}

FUNCTION void *free_of_others(void *unused)
{
	for (int i = 0; i < HANDED; i++)
		free(kept[i]);
	return unused;
}

FUNCTION void *make_and_end(void *unused)
{
	make_for_others();
	return unused;
}

static void case_cross(void)
{
	pthread_t thread;

	make_for_others();
	check(!pthread_create(&thread, NULL, free_of_others, NULL), "pthread_create");
	pthread_join(thread, NULL);
	check(!pthread_create(&thread, NULL, make_and_end, NULL), "pthread_create");
	pthread_join(thread, NULL);
	free_of_others(NULL);
	expect("expect make_for_others calls=2000 bytes=81000 freed_calls=2000 freed_bytes=81000 temporary_calls=0\n");
	expect("expect free_of_others calls=0 freed_calls=0\n");
}

FUNCTION void churn_once(void *volatile *own, unsigned i)
{
	void *old = own[i & 63];

	own[i & 63] = malloc(16 + i % 100);
	free(old);
}

/* Blocks go round between threads: each takes what lies in a common place, whoever made it, and leaves one of its own. */
FUNCTION void hand_over(unsigned i)
{
	free(__atomic_exchange_n((void **)&kept[i % 128], malloc(64), __ATOMIC_ACQ_REL));
}

FUNCTION void *churner(void *unused)
{
	void *volatile own[64] = { 0 };

	for (unsigned i = 0; i < CHURN; i++) {
		churn_once(own, i);
		hand_over(i);
	}
	for (unsigned i = 0; i < 64; i++)
		free(own[i]);
	return unused;
}

static void case_churn(void)
{
	pthread_t threads[CHURNERS];
	size_t bytes = 0;

	for (unsigned i = 0; i < CHURN; i++)
		bytes += 16 + i % 100;
	for (int i = 0; i < CHURNERS; i++)
		check(!pthread_create(&threads[i], NULL, churner, NULL), "pthread_create");
	for (int i = 0; i < CHURNERS; i++)
		pthread_join(threads[i], NULL);
	expect("expect churn_once calls=%d bytes=%zu freed_calls=%d freed_bytes=%zu\n", CHURNERS * CHURN, CHURNERS * bytes,
	       CHURNERS * CHURN, CHURNERS * bytes);
	expect("expect hand_over calls=%d bytes=%d freed_calls=%d freed_bytes=%d\n", CHURNERS * CHURN, CHURNERS * CHURN * 64,
	       CHURNERS * CHURN - 128, (CHURNERS * CHURN - 128) * 64);
}

FUNCTION void *short_life(void *unused)
{
	sink = malloc(33);
	return unused;
}

/* More threads than there are ever alive: each goes on where another has ended. */
static void case_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < 2000; i++) {
		check(!pthread_create(&thread, NULL, short_life, NULL), "pthread_create");
		pthread_join(thread, NULL);
	}
	expect("expect short_life calls=2000 bytes=66000 freed_calls=0\n");
}

/* --- fork -------------------------------------------------------------------------------------------------------------------------------- */

FUNCTION void of_parent(void)
{
	kept[0] = malloc(123);
	kept[1] = malloc(124);
}

FUNCTION void in_child_call(void)
{
	sink = malloc(77);
}

FUNCTION void forks(void)
{
	sink = malloc(11);
	pid_t child = fork();

	if (child == 0) {
		kept[2] = malloc(500); /* before the child's first recorded event: in this call all the same */
		free(kept[0]);         /* the parent's */
		in_child_call();
		kept[1] = realloc(kept[1], 5000);
		free(sink);
		free(kept[2]);
		_exit(0); /* leaves the live file: the child's sums are there */
	}
	check(child > 0, "fork");
	waitpid(child, NULL, 0);
	free(kept[1]);
}

extern pid_t _Fork(void) __attribute__((weak)); /* glibc 2.34 */
static pid_t (*forker)(void) = fork;

FUNCTION void forks_and_exits(void)
{
	pid_t child = forker();

	if (child == 0) {
		kept[2] = malloc(500);
		free(kept[0]);
		in_child_call();
		kept[1] = realloc(kept[1], 5000);
		free(sink);
		expect("expect-child in_child_call calls=1 bytes=77 freed_calls=1 freed_bytes=77\n");
		expect("expect-child forks_and_exits calls=2 bytes=5500 freed_calls=0\n");
		expect("expect-child of_parent calls=0\n");
		exit(0);
	}
	check(child > 0, "fork");
	waitpid(child, NULL, 0);
	free(kept[1]);
}

static void case_fork(void)
{
	of_parent();
	forks_and_exits();
	expect("expect of_parent calls=2 bytes=247 freed_calls=1 freed_bytes=124\n");
	expect("expect in_child_call calls=0\n");
	expect("expect forks_and_exits calls=0\n");
}

static void case_fork_raw(void)
{
	forker = _Fork ? _Fork : fork;
	case_fork();
}

static void case_fork_killed(void)
{
	of_parent();
	forks();
	expect("expect-child in_child_call calls=1 bytes=77 freed_calls=1 freed_bytes=77\n");
	expect("expect-child forks calls=2 bytes=5500 freed_calls=1 freed_bytes=500\n");
	expect("expect-child of_parent calls=0\n");
	expect("expect of_parent calls=2 bytes=247 freed_calls=1 freed_bytes=124\n");
	expect("expect forks calls=1 bytes=11 freed_calls=0\n");
}

/* --- a kill: what the live file has --------------------------------------------------------------------------------------------------------- */

static void case_kill(void)
{
	leak_many(100);
	leak_some(300);
	expect("expect leak_many calls=100 bytes=104950 freed_calls=0 flags=2\n");
	expect("expect leak_some calls=300 bytes=5100 freed_calls=100 freed_bytes=1700 flags=2\n");
	kill(getpid(), 9);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = { { "leak", case_leak },
		      { "peak", case_peak },
		      { "realloc", case_realloc },
		      { "aligned", case_aligned },
		      { "pvalloc", case_pvalloc },
		      { "cross", case_cross },
		      { "churn", case_churn },
		      { "threads", case_threads },
		      { "fork", case_fork },
		      { "fork-raw", case_fork_raw },
		      { "fork-killed", case_fork_killed },
		      { "kill", case_kill } };

	char byte;

	if (getenv("ALLOC_WAIT"))
		check(read(0, &byte, 1) == 1, "somebody says go");
	for (unsigned i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++) {
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	}
	return 2;
}
