/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls from the very last key destructors of threads, whose stacks and thread-local memory are unmapped right after; then a library goes, of which
 * every thread that is still there must be told.
 *
 * calls: main=1 worker=23 destructor=92 leaf=115 plugin_red=23 red_leaf=69
 * info: .threads >= 24
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>

static pthread_key_t key;

__attribute__((noinline)) static void leaf(void)
{
	__asm__ volatile("");
}

/* Runs in every round that POSIX promises: 4. */
static void destructor(void *value)
{
	leaf();
	pthread_setspecific(key, value);
}

static void *worker(void *unused)
{
	leaf();
	pthread_setspecific(key, &key);
	return unused;
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	if (pthread_key_create(&key, destructor) || pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, 64 << 20))
		return 1; /* a stack of 64 MB is more than libc keeps */
	for (int i = 0; i < 23; i++) {
		void *library;
		void (*entry)(void);

		if (pthread_create(&thread, &attributes, worker, NULL) || pthread_join(thread, NULL))
			return 2;
		library = dlopen("./plugin_red.so", RTLD_NOW);
		if (!library)
			return 3;
		*(void **)&entry = dlsym(library, "plugin_red");
		entry();
		if (dlclose(library))
			return 4;
	}
	return 0;
}
