/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attribution_target FOLDER: every kind of event, each in a context of its own and a known number of times, from threads that work side by side, from a
 * thousand threads that live for microseconds, from a fork's child, a spawned program and a new image. attribution_test.sh has what is expected.
 *
 * What is expected is said here once, in NUMBERS, and printed as JSON for it. Faults have contexts of their own: whatever else is done may meet a page that is new.
 */
#include "slots_target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>

#define NUMBERS(X) \
	X(workers, 4) X(naps, 20) X(mallocs, 200) X(malloc_bytes, 1001) X(calls, 50) X(pages, 200) X(requests, 5) X(request_bytes, 65536) X(locks, 5) \
	X(shorts, 1000) X(images, 2) \
	X(in_malloc, 1001) X(in_call, 1002) X(in_nap, 1003) X(in_fault, 1005) X(in_write, 1006) X(in_read, 1008) X(in_lock, 1012) X(in_hold, 1013) \
	X(in_spin_a, 1010) X(in_spin_b, 1011) X(in_fork, 1020) X(in_child, 1021) X(in_child_fault, 1022) X(in_spawn, 1023) X(in_image, 1030) \
	X(in_image_fault, 1031) X(in_short_fault, 2000) X(in_short, 4000)
enum {
#define X(name, number) name = number,
	NUMBERS(X)
#undef X
	PAGE = 4096, SHORT_AT_ONCE = 8, NAP_NS = 3000000, HOLD_NS = 1000000
};

extern char **environ;
static volatile uint64_t sink;
static int call_file, direct_file;
static __thread void *volatile block; /* volatile: or the compiler leaves out malloc with its free */

static void check(int failed)
{
	if (failed) {
		fprintf(stderr, "attribution_target: %s\n", strerror(errno));
		_exit(90);
	}
}

static void touch_pages(uint32_t context, unsigned number)
{
	volatile char *memory = mmap(NULL, number * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(memory == MAP_FAILED);
	madvise((void *)(uintptr_t)memory, number * PAGE, MADV_NOHUGEPAGE);
	target_context(context);
	for (unsigned i = 0; i < number; i++)
		memory[i * PAGE] = 1;
	target_context(0);
	munmap((void *)(uintptr_t)memory, number * PAGE);
}

static void allocate(uint32_t context, unsigned number)
{
	target_context(context);
	for (unsigned i = 0; i < number; i++) {
		block = malloc(malloc_bytes);
		free(block);
	}
	target_context(0);
}

static void call(uint32_t context, unsigned number)
{
	target_context(context);
	for (unsigned i = 0; i < number; i++)
		check(write(call_file, "x", 1) != 1);
	target_context(0);
}

static void nap(uint32_t context, unsigned number)
{
	target_context(context);
	for (unsigned i = 0; i < number; i++)
		target_nap(NAP_NS);
	target_context(0);
}

/* Each on a page of its own: samples are known by their addresses. */
#define SPIN(name) \
	static __attribute__((noinline, aligned(4096))) void name(void) \
	{ \
		for (unsigned i = 0; i < 20000000; i++) \
			sink += i; \
	}
SPIN(spin_a)
SPIN(spin_b)
static __attribute__((noinline, aligned(4096))) void spin(void)
{
	target_context(in_spin_a);
	spin_a();
	target_context(in_spin_b);
	spin_b();
	target_context(0);
}

static void direct(unsigned worker)
{
	static _Thread_local char *buffer;
	off_t start = (off_t)worker * requests * request_bytes;

	check(posix_memalign((void **)&buffer, PAGE, request_bytes));
	memset(buffer, 'x', request_bytes);
	target_context(in_write);
	for (int i = 0; i < requests; i++)
		check(pwrite(direct_file, buffer, request_bytes, start + i * request_bytes) != request_bytes);
	target_context(in_read);
	for (int i = 0; i < requests; i++)
		check(pread(direct_file, buffer, request_bytes, start + i * request_bytes) != request_bytes);
	target_context(0);
	free(buffer);
}

/* A worker waits for a mutex that its partner has, and gives up when the worker is seen to sleep: so each wait is one futex call. */
struct pair {
	pthread_mutex_t mutex;
	atomic_int held, waiter; /* times that it was taken; the worker's id, while it wants it */
	unsigned number;
};

static void await_futex(int tid)
{
	char path[64], text[64];

	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
	for (;;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

		close(fd);
		text[got > 0 ? got : 0] = '\0';
		if (atoi(text) == SYS_futex)
			return;
		target_nap(HOLD_NS);
	}
}

static void *partner(void *pointer)
{
	struct pair *pair = pointer;

	target_register(0);
	for (int i = 0; i < locks; i++) {
		check(pthread_mutex_lock(&pair->mutex));
		target_context(in_hold);
		atomic_store(&pair->held, i + 1);
		while (!atomic_load(&pair->waiter))
			target_nap(HOLD_NS);
		await_futex(atomic_load(&pair->waiter));
		target_nap(HOLD_NS);
		check(pthread_mutex_unlock(&pair->mutex));
		target_context(0);
		while (atomic_load(&pair->waiter))
			target_nap(HOLD_NS);
	}
	target_release();
	return NULL;
}

static void lock(struct pair *pair)
{
	for (int i = 0; i < locks; i++) {
		while (atomic_load(&pair->held) <= i)
			target_nap(HOLD_NS);
		atomic_store(&pair->waiter, (int)syscall(SYS_gettid));
		target_context(in_lock);
		check(pthread_mutex_lock(&pair->mutex));
		target_context(0);
		check(pthread_mutex_unlock(&pair->mutex));
		atomic_store(&pair->waiter, 0);
	}
}

static void *worker(void *pointer)
{
	struct pair *pair = pointer;

	target_register(0);
	nap(in_nap, naps);
	allocate(in_malloc, mallocs);
	call(in_call, calls);
	touch_pages(in_fault, pages);
	direct(pair->number);
	lock(pair);
	spin();
	target_release();
	return NULL;
}

static void *short_thread(void *number)
{
	uint32_t own = (uint32_t)(uintptr_t)number;

	target_register(0);
	allocate(in_short + own, 1);
	call(in_short + own, 1);
	touch_pages(in_short_fault + own, 1);
	target_release();
	return NULL;
}

static void threads_run(void)
{
	static struct pair pairs[workers];
	pthread_t ids[2 * workers], ones[SHORT_AT_ONCE];

	for (unsigned i = 0; i < workers; i++) {
		pairs[i].number = i;
		check(pthread_mutex_init(&pairs[i].mutex, NULL));
		check(pthread_create(&ids[2 * i], NULL, worker, &pairs[i]));
		check(pthread_create(&ids[2 * i + 1], NULL, partner, &pairs[i]));
	}
	for (int i = 0; i < shorts; i += SHORT_AT_ONCE) {
		for (int j = 0; j < SHORT_AT_ONCE; j++)
			check(pthread_create(&ones[j], NULL, short_thread, (void *)(uintptr_t)(i + j)));
		for (int j = 0; j < SHORT_AT_ONCE; j++)
			pthread_join(ones[j], NULL);
	}
	for (int i = 0; i < 2 * workers; i++)
		pthread_join(ids[i], NULL);
}

static void child_wait(pid_t child)
{
	int status;

	check(child < 0 || waitpid(child, &status, 0) != child || status);
}

/* A child is in its parent's context until it registers. */
static void fork_run(void)
{
	pid_t child;

	target_context(in_fork);
	child = fork();
	if (!child) {
		target_nap(NAP_NS);
		target_register(0);
		nap(in_child, naps);
		call(in_child, calls);
		touch_pages(in_child_fault, pages);
		target_release();
		_exit(0);
	}
	target_context(0);
	child_wait(child);
}

static void spawn_run(void)
{
	pid_t child;

	target_context(in_spawn);
	check(posix_spawn(&child, "/bin/true", NULL, NULL, (char *[]){ "true", NULL }, environ));
	target_context(0);
	child_wait(child);
}

int main(int argc, char **argv)
{
	unsigned image = argc > 2 ? (unsigned)atoi(argv[2]) : 0;

	check(argc < 2 || chdir(argv[1]));
	target_open(image);
	target_register(image);
	call_file = open("called", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	check(call_file < 0);
	if (image == images) {
		nap(in_image, naps);
		allocate(in_image, mallocs);
		call(in_image, calls);
		touch_pages(in_image_fault, pages);
		return 0;
	}
	if (image == 0) {
		direct_file = open("direct", O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
		check(direct_file < 0 || posix_fallocate(direct_file, 0, (off_t)workers * requests * request_bytes));
		printf("{\"spin_a_address\":%" PRIu64 ",\"spin_b_address\":%" PRIu64, (uint64_t)(uintptr_t)spin_a, (uint64_t)(uintptr_t)spin_b);
#define X(name, number) printf(",\"" #name "\":%d", number);
		NUMBERS(X)
#undef X
		printf("}\n");
		fflush(stdout);
		threads_run();
		fork_run();
		spawn_run();
	}
	char next[16];

	snprintf(next, sizeof next, "%u", image + 1);
	execv("/proc/self/exe", (char *[]){ argv[0], (char *)".", next, NULL });
	return 95;
}
