/* SPDX-License-Identifier: BSD-2-Clause */
/* See switch_sums.h. */
#include "switch_sums.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

uint32_t switch_sums_per_cpu(uint32_t cpus)
{
	return cpus <= 32 ? 256 : 64;
}

static size_t bytes_of(const struct switch_sums_view *view)
{
	return (size_t)view->cpus * 2 * view->per_cpu * sizeof *view->at;
}

struct cprof_error *switch_sums_open(int map, uint32_t cpus, struct switch_sums_view *ret)
{
	struct switch_sums_view view = { .cpus = cpus, .per_cpu = switch_sums_per_cpu(cpus) };
	void *at = mmap(NULL, bytes_of(&view), PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);

	if (at == MAP_FAILED)
		return cprof_error_os(errno, NULL, "map the sums of switches");
	view.at = at;
	*ret = view;
	return NULL;
}

void switch_sums_close(struct switch_sums_view *view)
{
	if (view->at)
		munmap(view->at, bytes_of(view));
	view->at = NULL;
}

struct switch_sums *switch_sums_of(const struct switch_sums_view *view, uint32_t cpu, uint32_t copy)
{
	return view->at + ((size_t)cpu * 2 + copy) * view->per_cpu;
}

static bool tell(const struct switch_sums *sums, const struct switch_time *time, uint32_t kind, uint32_t sub, struct cprof_kernel_sum *ret)
{
	struct cprof_kernel_sum sum = { .key = { .who = sums->who, .kind = kind, .sub = sub, .stack = sums->stack },
					.value = { .ns = time->ns, .max_ns = time->max_ns } };

	sum.key.who.tid = 0;
	memcpy(sum.value.histogram, time->histogram, sizeof time->histogram);
	for (size_t i = 0; i < CPROF_SUM_BUCKETS; i++)
		sum.value.count += time->histogram[i];
	*ret = sum;
	return sum.value.count != 0;
}

size_t switch_sums_tell(const struct switch_sums *sums, struct cprof_kernel_sum *ret)
{
	size_t count = 0;

	if (!sums->used)
		return 0;
	count += tell(sums, &sums->blocked, CPROF_SUM_OFF_CPU, sums->blocked_class, ret);
	count += tell(sums, &sums->runq, CPROF_SUM_RUN_QUEUE, 0, ret + count);
	return count;
}
