/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CPU samples: a timer per CPU; who runs there when it fires, in which context, at which address and below which frames. */
#include "context.bpf.h"
#include "stacks.bpf.h"

__u64 samples_taken;

SEC("perf_event")
int cpu_sampled(struct bpf_perf_event_data *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct cprof_kernel_sample *sample;
	struct cprof_who who = {};
	struct task_record *record;
	struct ring_head *head;
	__u64 user_stack = 0, kernel_stack = 0;
	bool kernel = !(ctx->regs.cs & 3);

	record = task_find(task);
	if (!record)
		return 0;
	record->samples++;
	if (settings.max_samples && __sync_fetch_and_add(&samples_taken, 1) >= settings.max_samples) {
		counter_add(COUNTER_SAMPLES_OVER_LIMIT, 1);
		return 0;
	}
	who_fill(task, record, &who);
	if (kernel)
		kernel_stack = stack_current(ctx, SCRATCH_SAMPLE, true);
	if (task->mm)
		user_stack = stack_current(ctx, SCRATCH_SAMPLE, false);
	head = ring_reserve(RING_SAMPLE, sizeof *sample);
	if (!head)
		return 0;
	sample = (void *)(head + 1);
	sample->time_ns = bpf_ktime_get_ns();
	sample->who = who;
	sample->ip = ctx->regs.ip;
	sample->user_stack = user_stack;
	sample->kernel_stack = kernel_stack;
	sample->period_ns = ctx->sample_period;
	sample->cpu = bpf_get_smp_processor_id();
	sample->flags = kernel ? CPROF_SAMPLE_KERNEL : 0;
	ring_submit(head);
	return 0;
}
