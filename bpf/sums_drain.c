/* SPDX-License-Identifier: BSD-2-Clause */
/* See sums_drain.h. */
#include "sums_drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 512 };

struct cprof_error *sums_drain_open(int even, int odd, uint32_t max_entries, volatile uint32_t *active, struct sums_drain *ret)
{
	struct sums_drain drain = { .maps = { even, odd }, .max_entries = max_entries, .active = active };

	drain.keys = malloc(BATCH * sizeof(struct cprof_kernel_sum_key));
	drain.values = malloc(BATCH * sizeof(struct cprof_kernel_sum_value));
	if (!drain.keys || !drain.values) {
		sums_drain_close(&drain);
		return &cprof_enomem;
	}
	*ret = drain;
	return NULL;
}

void sums_drain_close(struct sums_drain *drain)
{
	free(drain->keys);
	free(drain->values);
	drain->keys = drain->values = NULL;
}

/* A global memory barrier waits for a grace period of RCU, which no BPF program of ours outlives. Kernels that refuse it (nohz_full) get time. */
void sums_drain_wait_for_programs(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
}

static void put(struct sums_drain *drain, struct kernel_writer *writer, uint32_t count)
{
	const struct cprof_kernel_sum_key *keys = drain->keys;
	const struct cprof_kernel_sum_value *values = drain->values;

	for (uint32_t i = 0; i < count; i++) {
		struct cprof_kernel_sum sum = { keys[i], values[i] };

		drain->received += sum.value.count;
		if (drain->observer)
			drain->observer->sum(drain->observer->context, &sum);
		kernel_writer_add(writer, CPROF_CHUNK_KERNEL_SUMS, &sum, sizeof sum);
	}
}

void sums_drain_take(struct sums_drain *drain, struct kernel_writer *writer)
{
	int map = drain->maps[*drain->active & 1];
	struct cprof_kernel_sum_key key;

	*drain->active ^= 1;
	sums_drain_wait_for_programs();
	/* One at a time is exact on every kernel; a batch stops early when one bucket holds more than it. */
	while (!bpf_map_get_next_key(map, NULL, &key)) {
		__u32 count = BATCH, token;
		int result = bpf_map_lookup_and_delete_batch(map, NULL, &token, drain->keys, drain->values, &count, NULL);

		if (result && result != -ENOENT) {
			count = 1;
			*(struct cprof_kernel_sum_key *)drain->keys = key;
			if (bpf_map_lookup_elem(map, &key, drain->values))
				count = 0;
			bpf_map_delete_elem(map, &key);
		}
		put(drain, writer, count);
	}
}
