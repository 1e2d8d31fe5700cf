/* SPDX-License-Identifier: BSD-2-Clause */
/* The context table: threads that intern the same keys at once, handlers that intern inside an intern, folding, a full table, forgotten modules. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "rt_contexts.h"
#include "rt_live.h"
#include "rt_modules.h"

#ifdef CPROF_TEST_TSAN
enum { THREADS = 4, KEYS = 5000, CALLS = 20000 };
#else
enum { THREADS = 8, KEYS = 50000, CALLS = 200000 };
#endif

static char path[64];

static void table_open(uint32_t capacity)
{
	strcpy(path, "/tmp/cprof-contexts-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rt_live_create(path, capacity), 0);
	assert_true(rt_contexts_create());
}

static void table_close(void)
{
	rt_contexts_destroy();
	rt_modules_reset();
	rt_live_remove();
	rt_live_forget();
	unlink(path);
}

static const struct cprof_context *record_of(uint32_t id)
{
	return rt_table_at(&rt_live.contexts, id);
}

static struct rt_context intern(uint32_t parent, uint64_t function, uint64_t site)
{
	return rt_contexts_intern(&(struct rt_call){ function, site, site + 1, parent, false });
}

/* --- the same keys from everywhere ---------------------------------------------------------------------------------------- */

/* Key k is a call from key k / 3 - 1 (key 0..2: from outside) to a function of its own, so nothing folds. */
static uint32_t intern_key(uint32_t k)
{
	uint32_t chain[32], nr = 0, parent = 0;

	for (uint32_t at = k + 1; at; at /= 3)
		chain[nr++] = at;
	while (nr--)
		parent = intern(parent, 0x1000 + chain[nr] * 16ull, 0x900000 + chain[nr] % 7).id;
	return parent;
}

static uint32_t ids[THREADS + 1][KEYS];
static pthread_barrier_t barrier;

static void *intern_all(void *thread)
{
	uint32_t t = (uint32_t)(uintptr_t)thread;

	pthread_barrier_wait(&barrier);
	/* All in the same order, so that all want to add the same key at the same time. */
	for (uint32_t k = 0; k < KEYS; k++)
		ids[t][k] = intern_key(k);
	return NULL;
}

/* Every id but the dead is one key's, and every key has one. */
static void check_ids(const uint32_t *of_keys, uint32_t *dead)
{
	uint32_t count = rt_contexts_count();
	uint8_t *seen = calloc(count, 1);

	*dead = 0;
	for (uint32_t k = 0; k < KEYS; k++) {
		uint32_t id = of_keys[k];

		assert_in_range(id, 1, count - 1);
		assert_false(seen[id]++);
		assert_int_equal(record_of(id)->flags, 0);
		assert_int_equal(record_of(id)->target, id);
		assert_int_equal(record_of(id)->function, 0x1000 + (k + 1) * 16ull);
		assert_int_equal(record_of(id)->function_module, 0);
		assert_int_equal(record_of(id)->call_site, 0x900000 + (k + 1) % 7);
		assert_int_equal(record_of(id)->hook_return, 0x900000 + (k + 1) % 7 + 1);
		assert_int_equal(record_of(id)->parent, (k + 1) / 3 ? of_keys[(k + 1) / 3 - 1] : 0);
	}
	for (uint32_t id = 1; id < count; id++) {
		assert_int_equal(!seen[id], !!(record_of(id)->flags & CPROF_CONTEXT_DEAD));
		*dead += !seen[id];
	}
	assert_int_equal(count - 1, KEYS + *dead);
	assert_int_equal(rt_live.header->contexts, count);
	free(seen);
}

static void test_threads(void **state)
{
	pthread_t threads[THREADS];
	uint32_t dead, all_dead = 0;

	(void)state;
	for (int round = 0; round < 5; round++) {
		table_open(1 << 20);
		pthread_barrier_init(&barrier, NULL, THREADS);
		for (uintptr_t t = 0; t < THREADS; t++)
			assert_int_equal(pthread_create(&threads[t], NULL, intern_all, (void *)t), 0);
		for (int t = 0; t < THREADS; t++)
			pthread_join(threads[t], NULL);
		for (int t = 1; t < THREADS; t++)
			assert_memory_equal(ids[t], ids[0], sizeof ids[0]);
		check_ids(ids[0], &dead);
		all_dead += dead;
		table_close();
	}
	print_message("%u ids lost a race\n", all_dead);
}

static volatile uint32_t now_interning, handler_runs;

static void handler(int signal)
{
	uint32_t k = now_interning;

	(void)signal;
	handler_runs++;
	for (uint32_t ahead = 0; ahead < 3 && k + ahead < KEYS; ahead++)
		ids[THREADS][k + ahead] = intern_key(k + ahead);
}

static void test_handler(void **state)
{
	struct itimerval timer = { { 0, 20 }, { 0, 20 } };
	uint32_t dead, all_dead = 0;

	(void)state;
	handler_runs = 0;
	for (int round = 0; round < 3; round++) {
		table_open(1 << 20);
		memset(ids[THREADS], 0, sizeof ids[THREADS]);
		signal(SIGALRM, handler);
		setitimer(ITIMER_REAL, &timer, NULL);
		for (uint32_t k = 0; k < KEYS; k++) {
			now_interning = k;
			ids[0][k] = intern_key(k);
		}
		setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
		signal(SIGALRM, SIG_IGN);
		check_ids(ids[0], &dead);
		all_dead += dead;
		for (uint32_t k = 0; k < KEYS; k++)
			assert_true(!ids[THREADS][k] || ids[THREADS][k] == ids[0][k]);
		table_close();
	}
	print_message("%u signals, %u ids lost to a handler\n", handler_runs, all_dead);
	assert_in_range(handler_runs, 3, UINT32_MAX);
}

/* --- folding ------------------------------------------------------------------------------------------------------------------ */

static void test_folding(void **state)
{
	(void)state;
	table_open(4096);
	uint32_t a = intern(0, 0xA00, 1).id;
	uint32_t b = intern(a, 0xB00, 2).id;
	struct rt_context edge = intern(b, 0xA00, 3);

	assert_int_not_equal(edge.id, a);
	assert_int_equal(edge.target, a);
	assert_int_equal(record_of(edge.id)->target, a);
	assert_int_equal(record_of(edge.id)->parent, b);
	assert_int_equal(record_of(edge.id)->function, 0xA00);
	assert_int_equal(record_of(edge.id)->call_site, 3);
	assert_int_equal(rt_contexts_target(edge.id), a);
	assert_int_equal(rt_contexts_parent(edge.id), b);
	/* The next call is made in the target: B again, under A. */
	assert_int_equal(intern(edge.target, 0xB00, 2).id, b);
	assert_int_equal(intern(b, 0xA00, 3).id, edge.id);
	/* Another call site is another edge to the same place. */
	struct rt_context other = intern(b, 0xA00, 4);
	assert_int_not_equal(other.id, edge.id);
	assert_int_equal(other.target, a);
	/* Direct recursion. */
	struct rt_context self = intern(a, 0xA00, 5);
	assert_int_equal(self.target, a);
	assert_int_equal(record_of(self.id)->parent, a);
	/* However long and crooked the way: no parent is an edge, and all are smaller. */
	uint32_t current = a;
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		struct rt_context context = intern(current, 0x100 * (uint64_t)(10 + random() % 12), (uint64_t)random() % 3);
		current = random() % 8 ? context.target : a;
	}
	for (uint32_t id = 1; id < rt_contexts_count(); id++) {
		uint32_t parent = record_of(id)->parent, target = record_of(id)->target;

		assert_in_range(parent, 0, id - 1);
		assert_in_range(target, 1, id);
		assert_true(!parent || record_of(parent)->target == parent);
		assert_int_equal(record_of(target)->target, target);
		if (target != id) { /* an ancestor with the same function */
			uint32_t at = parent;
			while (at && at != target)
				at = record_of(at)->parent;
			assert_int_equal(at, target);
			assert_int_equal(record_of(id)->function, record_of(target)->function);
		}
	}
	table_close();
}

/* --- a full table --------------------------------------------------------------------------------------------------------------- */

static void test_full(void **state)
{
	enum { FUNCTIONS = 40 };
	uint64_t made[FUNCTIONS] = { 0 }, recorded[FUNCTIONS] = { 0 }, folded = 0;
	uint32_t current = 0;

	(void)state;
	table_open(1024);
	srandom(2);
	for (int i = 0; i < CALLS; i++) {
		uint32_t f = (uint32_t)random() % FUNCTIONS;
		struct rt_context context = intern(current, 0x10000 + f, (uint64_t)random() % 50);

		made[f]++;
		recorded[record_of(context.id)->function - 0x10000]++;
		folded += !!(record_of(context.id)->flags & CPROF_CONTEXT_OVERFLOW);
		current = random() % 8 ? context.target : 0;
	}
	assert_memory_equal(made, recorded, sizeof made);
	assert_int_equal(rt_live.header->table_losses, folded);
	assert_in_range(folded, CALLS / 2, CALLS);
	uint32_t overflow = 0;
	for (uint32_t id = 1; id < rt_contexts_count(); id++) {
		if (!(record_of(id)->flags & CPROF_CONTEXT_OVERFLOW))
			continue;
		overflow++;
		assert_int_equal(record_of(id)->parent, 0);
		assert_int_equal(record_of(id)->target, id);
		assert_int_equal(record_of(id)->call_site, 0);
		for (uint32_t other = 1; other < id; other++)
			assert_true(!(record_of(other)->flags & CPROF_CONTEXT_OVERFLOW) || record_of(other)->function != record_of(id)->function);
	}
	assert_int_equal(overflow, FUNCTIONS);
	assert_in_range(rt_contexts_count(), 900, 1024);
	/* More functions than the rest of the table holds: said as losses, nothing breaks. */
	uint64_t before = rt_live.header->table_losses;
	for (uint64_t f = 0; f < 5000; f++) {
		uint32_t id = intern(0, 0x800000 + f, 1).id;

		assert_in_range(id, 1, rt_contexts_count() - 1);
	}
	assert_int_equal(rt_live.header->table_losses, before + 5000);
	assert_in_range(rt_contexts_count(), 1000, 1024);
	table_close();
}

/* --- modules -------------------------------------------------------------------------------------------------------------------- */

static void test_forget(void **state)
{
	(void)state;
	table_open(4096);
	uint32_t stays = intern(0, 0x1000, 0x1010).id;
	uint32_t by_function = intern(0, 0x5000, 0x1010).id;
	uint32_t by_site = intern(0, 0x2000, 0x5010).id;
	uint32_t below = intern(by_function, 0x3000, 0x1020).id;

	rt_contexts_forget(0x5000, 0x6000);
	assert_int_equal(intern(0, 0x1000, 0x1010).id, stays);
	uint32_t again = intern(0, 0x5000, 0x1010).id; /* something else has been loaded there */
	assert_int_not_equal(again, by_function);
	assert_int_equal(intern(0, 0x5000, 0x1010).id, again);
	assert_int_not_equal(intern(0, 0x2000, 0x5010).id, by_site);
	/* What the old ids meant stays on record. */
	assert_int_equal(record_of(by_function)->function, 0x5000);
	assert_int_equal(record_of(by_site)->call_site, 0x5010);
	assert_int_equal(record_of(below)->parent, by_function);
	assert_int_equal(record_of(by_function)->flags, 0);
	/* A forgotten function does not fold. */
	struct rt_context anew = intern(below, 0x5000, 0x1030);
	assert_int_equal(anew.target, anew.id);
	table_close();
}

static int module_of_main(struct dl_phdr_info *info, size_t bytes, void *bias)
{
	(void)bytes;
	*(uint64_t *)bias = info->dlpi_addr;
	return 1;
}

static void test_definitions(void **state)
{
	uint64_t bias;
	Dl_info libc;
	void *jit = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	table_open(4096);
	dl_iterate_phdr(module_of_main, &bias);
	assert_true(dladdr((void *)(uintptr_t)getppid, &libc));
	struct rt_call call = { (uintptr_t)test_definitions, (uintptr_t)libc.dli_fbase + 0x1234, (uintptr_t)jit + 5, 0, true };
	uint32_t id = rt_contexts_intern(&call).id;
	const struct cprof_context *record = record_of(id);
	const struct cprof_module *modules = rt_table_at(&rt_live.modules, 0);

	assert_int_equal(rt_live.header->modules, 2);
	assert_int_equal(record->flags, CPROF_CONTEXT_NO_FRAME);
	assert_true(rt_contexts_no_frame(id));

	assert_in_range(record->function_module, 1, 2);
	const struct cprof_module *mine = &modules[record->function_module - 1];
	char exe[512] = "";
	assert_true(readlink("/proc/self/exe", exe, sizeof exe - 1) > 0);
	assert_int_equal(record->function, (uintptr_t)test_definitions - bias);
	assert_int_equal(mine->id, record->function_module);
	assert_int_equal(mine->bias, bias);
	assert_int_equal(mine->flags, CPROF_MODULE_MAIN);
	assert_string_equal(mine->path, exe);
	assert_int_equal(mine->path_bytes, strlen(exe));
	assert_in_range((uintptr_t)test_definitions, mine->start, mine->end - 1);

	assert_in_range(record->site_module, 1, 2);
	const struct cprof_module *its = &modules[record->site_module - 1];
	assert_int_equal(record->call_site, 0x1234);
	assert_int_equal(its->bias, (uintptr_t)libc.dli_fbase);
	assert_string_equal(its->path, libc.dli_fname);
	assert_int_equal(its->flags, 0);
	assert_int_equal(its->build_id_bytes, 20);

	assert_int_equal(record->hook_module, 0);
	assert_int_equal(record->hook_return, (uintptr_t)jit + 5);
	munmap(jit, 4096);
	table_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_handler),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_forget),
		cmocka_unit_test(test_definitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
