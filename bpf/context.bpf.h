/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whose event is it? The tasks and processes that are followed, and the context that each is in, with how sure that is.
 *
 * task_find() says whether a task is followed and gives its record; who_fill() the context: from the thread's slot if it has one, else
 * from its thread-local line, else what its parent was in when it was forked. What is in slots and in memory of the process is
 * never trusted further than as a context id.
 */
#ifndef CPROF_CONTEXT_BPF_H
#define CPROF_CONTEXT_BPF_H

#include "ring.bpf.h"

const volatile struct record_settings settings;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096); /* cprof-record sets it */
	__type(key, __u32);
	__type(value, struct cprof_slot);
} slots SEC(".maps");

/* The system call that a thread is in, if it is one of those recorded (syscall.bpf.c). */
struct syscall_state {
	__u64 start_ns;              /* 0: in none */
	struct cprof_file_id object; /* of a futex its address is the inode */
	__s32 fd;
	__u16 number;
	__u8 kind;                   /* enum syscall_kind */
	__u8 direct;                 /* the file bypasses the page cache */
	__u32 mode;                  /* of the file */
	__u32 command, lock_class;   /* futex */
	__u64 ip;                    /* of the futex call */
	struct cprof_who who, holder;
};

struct task_record {
	__u32 slot;                  /* 0: none */
	__u32 ns_tid;
	__u32 context;               /* the last one known; inherited before it registered */
	__u16 generation;
	__u8 quality;                /* CPROF_QUALITY_INHERITED: context is the parent's */
	__u8 state;                  /* while off the CPU: enum cprof_kernel_off_cpu.state */
	__u64 start_ns;
	__u64 on_since_ns;           /* 0: not on a CPU */
	__u64 ran_since_ns;          /* when it came to the CPU that it left last; 0: not known */
	__u64 exec_ns;               /* the scheduler's own count of its time, at the last switch that was seen */
	__u64 preemptions;           /* and of how often it was put off, when it came */
	__u64 off_since_ns;          /* 0: on a CPU, or not known */
	__u64 wake_ns;               /* when it was woken last; before ran_since_ns: not since */
	__u64 on_cpu_ns, runq_ns, suspended_ns;
	__u64 blocked_ns[CPROF_BLOCKED_COUNT];
	__u64 switches, faults, samples;
	struct cprof_who off_who;    /* in what it left the CPU */
	struct cprof_who waker;
	__u64 user_stack;            /* of the interval off the CPU; processes without runtime */
	__u32 syscall;
	__u8 blocked_class;
	__u8 major_pending;          /* the last fault has not been counted as minor or major yet */
	__u8 ended;                  /* it has said its totals for good: what comes now is its death */
	__u8 woken_by;               /* enum cprof_woken_by */
	__u64 maj_flt;               /* as it was at the last fault */
	struct cprof_who fault_who;
	__u64 fault_stack;
	struct syscall_state call;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_record);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192); /* cprof-record sets it */
	__type(key, __u32);
	__type(value, struct process_record);
} processes SEC(".maps");

/* Threads by the id that they have for themselves, for it is that which locks name. */
struct thread_key {
	__u32 tgid, ns_tid;
};
struct thread_name {
	__u32 tid, slot;
	__u64 clear_at;              /* where the kernel clears the id at the thread's end; 0: nowhere */
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct thread_key);
	__type(value, struct thread_name);
} thread_names SEC(".maps");

static __always_inline struct process_record *process_find(__u32 tgid)
{
	return bpf_map_lookup_elem(&processes, &tgid);
}

/* The whole of what is known, again. */
static __always_inline void process_say(const struct process_record *process)
{
	struct ring_head *head = ring_reserve(RING_PROCESS, sizeof process->said);

	if (!head)
		return;
	*(struct cprof_kernel_process *)(head + 1) = process->said;
	ring_submit(head);
}

/* Images of processes that are not followed, woke a thread that is, and have been named. */
struct stranger {
	__u32 tgid, generation;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct stranger);
	__type(value, __u8);
} strangers SEC(".maps");

/* Returns the generation that its image goes by. */
static __always_inline __u16 stranger_say(struct task_struct *task)
{
	struct stranger stranger = { task->tgid, RECORD_NO_GENERATION | (task->group_leader->self_exec_id & 0x3FFF) };
	__u8 said = 1;
	struct ring_head *head;

	if (bpf_map_lookup_elem(&strangers, &stranger))
		return stranger.generation;
	bpf_map_update_elem(&strangers, &stranger, &said, BPF_ANY);
	head = ring_reserve(RING_PROCESS, sizeof(struct cprof_kernel_process));
	if (!head)
		return stranger.generation;
	struct cprof_kernel_process *process = (void *)(head + 1);

	__builtin_memset(process, 0, sizeof *process);
	process->tgid = stranger.tgid;
	process->generation = stranger.generation;
	process->flags = CPROF_KERNEL_PROCESS_STRANGER;
	bpf_probe_read_kernel_str(process->name, sizeof process->name, task->group_leader->comm);
	ring_submit(head);
	return stranger.generation;
}

/* The first sight of a process that is to be followed because all are. */
static __always_inline struct process_record *process_adopt(struct task_struct *task)
{
	struct process_record made = {}, *process;
	__u32 tgid = task->tgid;

	made.said.tgid = tgid;
	made.said.parent_tgid = task->real_parent->tgid;
	made.said.generation = RECORD_NO_GENERATION;
	made.said.start_ns = bpf_ktime_get_ns();
	made.active = 1;
	bpf_probe_read_kernel_str(made.said.name, sizeof made.said.name, task->group_leader->comm);
	if (bpf_map_update_elem(&processes, &tgid, &made, BPF_NOEXIST) && !process_find(tgid)) {
		counter_add(COUNTER_PROCESSES_FULL, 1);
		return NULL;
	}
	process = process_find(tgid);
	if (process)
		process_say(process);
	return process;
}

static __always_inline __u32 task_ns_tid(struct task_struct *task)
{
	struct pid *pid = task->thread_pid;
	struct upid upid;
	unsigned int level;

	if (!pid)
		return 0;
	level = pid->level;
	if (level > 32 || bpf_probe_read_kernel(&upid, sizeof upid, (void *)pid->numbers + level * bpf_core_type_size(struct upid)))
		return 0;
	return upid.nr;
}

/* Only the source "locks" looks at names. */
static __always_inline void thread_name_keep(struct task_struct *task, struct task_record *record)
{
	struct thread_key key = { task->tgid, 0 };
	struct thread_name name = { task->pid, record->slot, (__u64)task->clear_child_tid };

	if (!settings.locks)
		return;
	if (!record->ns_tid)
		record->ns_tid = task_ns_tid(task);
	key.ns_tid = record->ns_tid;
	if (bpf_map_update_elem(&thread_names, &key, &name, BPF_ANY))
		counter_add(COUNTER_THREAD_NAMES_FULL, 1);
}

static __always_inline void thread_name_forget(struct task_struct *task, const struct task_record *record)
{
	struct thread_key key = { task->tgid, record->ns_tid };

	if (settings.locks)
		bpf_map_delete_elem(&thread_names, &key);
}

/* From here on a task that cannot be met is a loss. Before, it is met later: where a record is made, nobody who interrupts that can make another. */
volatile __u32 tasks_met;

static __always_inline struct task_record *task_adopt(struct task_struct *task, const struct process_record *process)
{
	struct task_record *record = bpf_task_storage_get(&tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!record) {
		if (tasks_met)
			counter_add(COUNTER_TASKS_FULL, 1);
		return NULL;
	}
	if (!record->start_ns) {
		record->start_ns = bpf_ktime_get_ns();
		if (task == bpf_get_current_task_btf())
			record->on_since_ns = record->start_ns;
		record->exec_ns = task->se.sum_exec_runtime;
		record->preemptions = task->nivcsw;
		record->generation = process->said.generation;
		record->maj_flt = task->maj_flt;
		thread_name_keep(task, record);
	}
	return record;
}

/* NULL: not followed. `task` must be a pointer that the verifier trusts (an argument of the tracepoint, the current task). */
static __always_inline struct task_record *task_find(struct task_struct *task)
{
	struct task_record *record;
	struct process_record *process;

	record = bpf_task_storage_get(&tasks, task, 0, 0);
	if (record)
		return record->ended ? NULL : record;
	if (!task->pid)
		return NULL;
	process = process_find(task->tgid);
	if (!process && settings.follow_all)
		process = process_adopt(task);
	if (!process || !process->active)
		return NULL;
	return task_adopt(task, process);
}

/* The thread's slot, if what stands there is still its own. */
static __always_inline struct cprof_slot *slot_of(const struct task_struct *task, const struct task_record *record)
{
	__u32 index = record->slot;
	struct cprof_slot *slot;

	if (!index)
		return NULL;
	slot = bpf_map_lookup_elem(&slots, &index);
	return slot && slot->kernel_tid == (__u32)task->pid ? slot : NULL;
}

/* The current task's line in its own memory. */
static __always_inline __u8 who_from_memory(struct task_struct *task, const struct task_record *record, __s64 tls_offset, __u32 *context)
{
	struct {
		__u32 magic, tid, context, generation;
	} line;

	if (!task->thread.fsbase) { /* no thread of the C library's */
		*context = 0;
		return CPROF_QUALITY_UNREGISTERED;
	}
	if (bpf_probe_read_user(&line, sizeof line, (void *)(task->thread.fsbase + tls_offset))) {
		*context = record->context;
		return record->context ? CPROF_QUALITY_STALE : CPROF_QUALITY_UNREGISTERED;
	}
	if (line.magic != CPROF_SLOTS_MAGIC) {
		*context = 0;
		return CPROF_QUALITY_UNREGISTERED;
	}
	*context = line.context;
	return line.tid == record->ns_tid ? CPROF_QUALITY_TLS : CPROF_QUALITY_INHERITED;
}

static __always_inline void who_tally(__u8 quality)
{
	counter_add(COUNTER_CONTEXT_NONE + (quality & 7), 1);
}

/* Of the current task. */
static __always_inline void who_read(struct task_struct *task, struct task_record *record, struct cprof_who *who)
{
	struct cprof_slot *slot = slot_of(task, record);
	struct process_record *process;

	who->tgid = task->tgid;
	who->tid = task->pid;
	who->generation = record->generation;
	who->reserved = 0;
	if (slot) {
		who->context = *(volatile __u32 *)&slot->context;
		who->quality = CPROF_QUALITY_SLOT;
	} else if (record->quality == CPROF_QUALITY_INHERITED) {
		who->context = record->context;
		who->quality = CPROF_QUALITY_INHERITED;
	} else {
		process = process_find(task->tgid);
		who->context = 0;
		who->quality = CPROF_QUALITY_NO_RUNTIME;
		if (process)
			who->generation = record->generation = process->said.generation;
		if (process && process->said.flags & CPROF_KERNEL_PROCESS_RUNTIME) {
			who->quality = CPROF_QUALITY_UNREGISTERED;
			if (process->tls_offset) {
				if (!record->ns_tid)
					record->ns_tid = task_ns_tid(task);
				who->quality = who_from_memory(task, record, process->tls_offset, &who->context);
				if (who->quality == CPROF_QUALITY_TLS)
					record->context = who->context;
			}
		}
	}
}

/* The same for what becomes an event: how sure its context is, is counted. */
static __always_inline void who_fill(struct task_struct *task, struct task_record *record, struct cprof_who *who)
{
	who_read(task, record, who);
	who_tally(who->quality);
}

#endif
