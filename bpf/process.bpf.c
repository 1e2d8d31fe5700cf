/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The life of processes and threads: exec, fork, exit, and "here I am" of threads that the runtime records.
 *
 * The set of followed processes grows by fork and shrinks by exit. A registered thread's slot is freed at its end, whatever it died of.
 */
#include "context.bpf.h"
#include "syscall.bpf.h"
#include "thread_totals.bpf.h"

/* Before its totals are said: a CPU sample that comes meanwhile would be in none. */
static __always_inline void task_ends(struct task_record *record)
{
	*(volatile __u8 *)&record->ended = 1;
}

/* Not followed yet. */
static const struct task_record task_to_be = { .ended = 1 };

/*
 * A new image: what the old one had registered is void. The task has its record before the process is followed, or else a CPU sample that comes while the
 * record is being made would want to make it, too, and could not.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task)
{
	__u64 now = bpf_ktime_get_ns();
	struct process_record *process = process_find(task->tgid);
	struct task_record *record;

	if (!process && settings.follow_all)
		process = process_adopt(task);
	if (!process)
		return 0;
	record = bpf_task_storage_get(&tasks, task, 0, 0);
	if (record) {
		task_ends(record);
		thread_say(task, record, now);
		slot_release(task, record);
		thread_name_forget(task, record);
	}
	record = bpf_task_storage_get(&tasks, task, (void *)&task_to_be, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (process->active && process->image + 1 < CPROF_IMAGES_MAX) /* the image before */ {
		process->said.end_ns = now;
		process_say(process);
		process->image++;
	}
	process->active = 1;
	process->tls_offset = 0;
	process->said.flags &= ~(CPROF_KERNEL_PROCESS_RUNTIME | CPROF_KERNEL_PROCESS_EXITED);
	process->said.generation = RECORD_NO_GENERATION + process->image;
	process->said.start_ns = now;
	process->said.end_ns = 0;
	process->said.pid = task_ns_tid(task);
	bpf_probe_read_kernel_str(process->said.name, sizeof process->said.name, task->comm);
	process_say(process);
	if (!record) {
		counter_add(COUNTER_TASKS_FULL, 1);
		return 0;
	}
	__builtin_memset(record, 0, sizeof *record);
	record->start_ns = record->on_since_ns = now;
	record->exec_ns = task->se.sum_exec_runtime;
	record->preemptions = task->nivcsw;
	record->generation = process->said.generation;
	record->maj_flt = task->maj_flt;
	thread_name_keep(task, record);
	return 0;
}

/* `parent` is the current task; `child` may be a thread of it or a process of its own. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u64 now = bpf_ktime_get_ns();
	struct task_record *from = task_find(parent), *record;
	struct process_record *process, made;
	struct cprof_who who = {};
	__u32 tgid = child->tgid;

	if (!from)
		return 0;
	process = process_find(parent->tgid);
	if (!process)
		return 0;
	if (tgid != (__u32)parent->tgid) {
		made = *process;
		made.said.tgid = tgid;
		made.said.pid = 0;
		made.said.parent_tgid = parent->tgid;
		made.said.start_ns = now;
		made.said.end_ns = 0;
		made.said.flags &= CPROF_KERNEL_PROCESS_RUNTIME;
		if (bpf_map_update_elem(&processes, &tgid, &made, BPF_ANY)) {
			counter_add(COUNTER_PROCESSES_FULL, 1);
			return 0;
		}
		process_say(&made);
	}
	record = bpf_task_storage_get(&tasks, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!record) {
		counter_add(COUNTER_TASKS_FULL, 1);
		return 0;
	}
	record->start_ns = record->off_since_ns = record->wake_ns = now;
	record->generation = from->generation;
	thread_name_keep(child, record);
	record->off_who.tgid = tgid;
	record->off_who.tid = child->pid;
	record->off_who.generation = from->generation;
	record->off_who.quality = process->said.flags & CPROF_KERNEL_PROCESS_RUNTIME ? CPROF_QUALITY_UNREGISTERED : CPROF_QUALITY_NO_RUNTIME;
	if (tgid != (__u32)parent->tgid && process->said.flags & CPROF_KERNEL_PROCESS_RUNTIME) {
		who_fill(parent, from, &who);
		record->context = who.context;
		record->quality = CPROF_QUALITY_INHERITED;
		record->off_who.context = who.context;
		record->off_who.quality = CPROF_QUALITY_INHERITED;
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	__u64 now = bpf_ktime_get_ns();
	struct task_record *record = bpf_task_storage_get(&tasks, task, 0, 0);
	struct process_record *process = process_find(task->tgid);
	__u32 tgid = task->tgid;

	if (record && !record->ended) {
		task_ends(record);
		task_returned_unseen(task, record, now);
		fault_settle(task, record);
		thread_say(task, record, now);
		slot_release(task, record);
		thread_name_forget(task, record);
	}
	if (!process || task->signal->live.counter)
		return 0;
	process->said.end_ns = now;
	process->said.flags |= CPROF_KERNEL_PROCESS_EXITED;
	process->said.exit_status = task->signal->flags & SIGNAL_GROUP_EXIT ? task->signal->group_exit_code : task->exit_code;
	process_say(process);
	bpf_map_delete_elem(&processes, &tgid);
	return 0;
}

/* prctl(CPROF_PRCTL_REGISTER, slot, tls_offset, tid, generation); see slots.h. */
static __always_inline void thread_registers(__u32 option, __u32 index, __s64 tls_offset, __u32 tid, __u32 generation)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process_record *process;
	struct task_record *record;
	struct cprof_slot *slot;

	if (option != CPROF_PRCTL_REGISTER)
		return;
	record = task_find(task);
	process = process_find(task->tgid);
	if (!record || !process)
		return;
	generation &= RECORD_NO_GENERATION - 1;
	if (!(process->said.flags & CPROF_KERNEL_PROCESS_RUNTIME) || process->said.generation != generation) {
		process->said.flags |= CPROF_KERNEL_PROCESS_RUNTIME;
		process->said.generation = generation;
		process->said.pid = task_ns_tid(task->group_leader);
		process_say(process);
	}
	process->tls_offset = tls_offset;
	record->generation = generation;
	record->ns_tid = tid;
	record->quality = CPROF_QUALITY_NONE;
	record->context = 0;
	record->slot = 0;
	if (!index)
		return;
	slot = bpf_map_lookup_elem(&slots, &index);
	if (!slot || slot->magic != CPROF_SLOTS_MAGIC || slot->tid != record->ns_tid) {
		counter_add(COUNTER_SLOTS_REFUSED, 1);
		return;
	}
	slot->kernel_tgid = task->tgid;
	slot->changes = slot->faults = 0;
	slot->runq_ns = 0;
	__builtin_memset(slot->blocked_ns, 0, sizeof slot->blocked_ns);
	slot->kernel_tid = task->pid;
	record->slot = index;
	thread_name_keep(task, record);
}

/* Linux 6.13 and later say of which option they know nothing: no other system call pays for that. */
SEC("tp_btf/task_prctl_unknown")
int BPF_PROG(register_by_prctl, int option, unsigned long slot, unsigned long tls_offset, unsigned long tid, unsigned long generation)
{
	thread_registers((__u32)option, (__u32)slot, (__s64)tls_offset, (__u32)tid, (__u32)generation);
	return 0;
}

static __always_inline void syscall_registers(struct pt_regs *regs, long number)
{
	if (settings.prctl_number && number == settings.prctl_number)
		thread_registers((__u32)regs->di, (__u32)regs->si, (__s64)regs->dx, (__u32)regs->r10, (__u32)regs->r8);
}

/* Where they do not, and syscall_entered, which does this too, is not attached: each program costs every system call of the machine. */
SEC("tp_btf/sys_enter")
int BPF_PROG(register_by_syscall, struct pt_regs *regs, long number)
{
	syscall_registers(regs, number);
	return 0;
}

/*
 * All tasks of the system: at the start of a recording to learn of those that sleep, at its end to say what has not ended. The same program: what it
 * does to a task is to adopt it and then, when `tasks_say` is set, to say its totals.
 */
volatile __u32 tasks_say;

SEC("iter/task")
int tasks_walk(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u64 now = bpf_ktime_get_ns();
	struct task_record *record;

	if (!task)
		return 0;
	if (tasks_say) {
		record = bpf_task_storage_get(&tasks, task, 0, 0);
		if (!record || record->ended)
			return 0;
		fault_settle(task, record);
		thread_say(task, record, now);
		off_cpu_say_open(task, record, now);
		syscall_say_open(record, now);
		return 0;
	}
	record = task_find(task);
	if (record && !record->on_since_ns && !record->off_since_ns) {
		if (task->on_cpu) {
			record->start_ns = record->on_since_ns = now;
		} else {
			task_leaves(task, record, task->__state, now);
			record->off_who.tgid = task->tgid;
			record->off_who.tid = task->pid;
			record->off_who.generation = record->generation;
			record->off_who.quality = CPROF_QUALITY_UNREGISTERED;
		}
	}
	return 0;
}
