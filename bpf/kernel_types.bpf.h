/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that cprof's BPF programs read, each with only the fields they read.
 *
 * Field offsets are those of the running kernel: preserve_access_index has libbpf put them in at load time (CO-RE). So no vmlinux.h is
 * needed, and a field that a kernel does not have is seen before a program is loaded, not after. Add fields here, never a whole type.
 */
#ifndef CPROF_KERNEL_TYPES_BPF_H
#define CPROF_KERNEL_TYPES_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
typedef __s32 int32_t;
typedef __s64 int64_t;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

/* State of a task, as sched_switch says it. */
#define TASK_STATE_INTERRUPTIBLE   0x01
#define TASK_STATE_UNINTERRUPTIBLE 0x02
#define TASK_STATE_STOPPED         0x04
#define TASK_STATE_TRACED          0x08
#define TASK_STATE_MASK            0x7f
#define TASK_STATE_DEAD            0x80

/* What a perf_event program gets is an ABI of fixed layout, read in words of 8 bytes: nothing to relocate. */
struct sampled_regs {
	__u64 before_ip[16];
	__u64 ip, cs, flags, sp, ss;
};
struct bpf_perf_event_data {
	struct sampled_regs regs;
	__u64 sample_period;
	__u64 addr;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
};
#define SIGNAL_GROUP_EXIT 4u

struct thread_struct {
	unsigned long fsbase;
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct mm_struct {
	unsigned long start_code;
};

struct files_struct;

struct task_struct {
	unsigned int __state;
	void *stack;
	int on_cpu;
	unsigned int flags;
	struct sched_entity se;
	struct mm_struct *mm;
	int exit_code;
	int pagefault_disabled;
	unsigned in_iowait : 1;
	int pid, tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	__u64 self_exec_id;          /* another after each exec */
	struct pid *thread_pid;
	unsigned long maj_flt, nivcsw;
	char comm[16];
	struct signal_struct *signal;
	struct thread_struct thread;
	struct files_struct *files;
	void *clear_child_tid;
};
#define PF_KTHREAD 0x00200000u

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id, seq_num;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
