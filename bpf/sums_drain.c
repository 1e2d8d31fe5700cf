/* SPDX-License-Identifier: BSD-2-Clause */
/* See sums_drain.h. */
#include "sums_drain.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "programs_maps.h"

enum { BATCH = 512 };

struct cprof_error *sums_drain_open(const struct record_programs *programs, uint32_t max_entries, struct sums_drain *ret)
{
	struct sums_drain drain = { .maps = { record_programs_map(programs, "sums_even"), record_programs_map(programs, "sums_odd") },
				    .max_entries = max_entries,
				    .active = programs_sums_active(programs),
				    .keys = programs_sums_keys(programs) };
	struct cprof_error *error;

	drain.batch_keys = malloc(BATCH * sizeof(struct cprof_kernel_sum_key));
	drain.batch_values = malloc(BATCH * sizeof(struct cprof_kernel_sum_value));
	error = drain.batch_keys && drain.batch_values ? NULL : &cprof_enomem;
	if (!error)
		error = switch_sums_open(record_programs_map(programs, "switch_sums"), (uint32_t)libbpf_num_possible_cpus(), &drain.switches);
	if (error) {
		sums_drain_close(&drain);
		return error;
	}
	*ret = drain;
	return NULL;
}

void sums_drain_close(struct sums_drain *drain)
{
	free(drain->batch_keys);
	free(drain->batch_values);
	drain->batch_keys = drain->batch_values = NULL;
	switch_sums_close(&drain->switches);
	sums_merge_deinit(&drain->merge);
}

/* A global memory barrier waits for a grace period of RCU, which no BPF program of ours outlives. Kernels that refuse it (nohz_full) get time. */
void sums_drain_wait_for_programs(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
}

static void put(struct sums_drain *drain, struct kernel_writer *writer, const struct cprof_kernel_sum *sum)
{
	drain->received += sum->value.count;
	if (drain->observer)
		drain->observer->sum(drain->observer->context, sum);
	kernel_writer_add(writer, CPROF_CHUNK_KERNEL_SUMS, sum, sizeof *sum);
}

/* Of the kinds of which other CPUs may have something under the same key. */
static void merge(struct sums_drain *drain, struct kernel_writer *writer, const struct cprof_kernel_sum *sum)
{
	if (!sums_merge_add(&drain->merge, sum))
		put(drain, writer, sum);
}

static void put_batch(struct sums_drain *drain, struct kernel_writer *writer, uint32_t count)
{
	const struct cprof_kernel_sum_key *keys = drain->batch_keys;
	const struct cprof_kernel_sum_value *values = drain->batch_values;

	for (uint32_t i = 0; i < count; i++) {
		struct cprof_kernel_sum sum = { keys[i], values[i] };

		if (sum.key.kind == CPROF_SUM_OFF_CPU || sum.key.kind == CPROF_SUM_RUN_QUEUE)
			merge(drain, writer, &sum);
		else
			put(drain, writer, &sum);
	}
}

/* One at a time is exact on every kernel; a batch stops early when one bucket holds more than it. */
static void take_shared(struct sums_drain *drain, struct kernel_writer *writer, int map)
{
	struct cprof_kernel_sum_key key;

	while (!bpf_map_get_next_key(map, NULL, &key)) {
		__u32 count = BATCH, token;
		int result = bpf_map_lookup_and_delete_batch(map, NULL, &token, drain->batch_keys, drain->batch_values, &count, NULL);

		if (result && result != -ENOENT) {
			count = 1;
			*(struct cprof_kernel_sum_key *)drain->batch_keys = key;
			if (bpf_map_lookup_elem(map, &key, drain->batch_values))
				count = 0;
			bpf_map_delete_elem(map, &key);
		}
		put_batch(drain, writer, count);
	}
}

static void take_switches(struct sums_drain *drain, struct kernel_writer *writer, uint32_t copy)
{
	for (uint32_t cpu = 0; cpu < drain->switches.cpus; cpu++) {
		struct switch_sums *places = switch_sums_of(&drain->switches, cpu, copy);

		for (uint32_t i = 0; i < drain->switches.per_cpu; i++) {
			struct cprof_kernel_sum sums[2];
			size_t count = switch_sums_tell(&places[i], sums);

			for (size_t of = 0; of < count; of++)
				merge(drain, writer, &sums[of]);
			if (places[i].used)
				memset(&places[i], 0, sizeof places[i]);
		}
	}
}

void sums_drain_take(struct sums_drain *drain, struct kernel_writer *writer)
{
	uint32_t copy = *drain->active & 1;

	*drain->active ^= 1;
	sums_drain_wait_for_programs();
	take_shared(drain, writer, drain->maps[copy]);
	take_switches(drain, writer, copy);
	for (size_t i = 0; i < drain->merge.count; i++)
		put(drain, writer, &drain->merge.sums[i]);
	sums_merge_clear(&drain->merge);
	drain->keys[copy] = 0;
}

bool sums_drain_is_filling(const struct sums_drain *drain)
{
	return drain->keys[*drain->active & 1] >= drain->max_entries / 2;
}
