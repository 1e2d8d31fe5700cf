/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests of block devices: queued from block_io_start to block_rq_issue, in the device from there to block_rq_complete.
 *
 * A request belongs to the thread that started it. One that a thread of the kernel started for a file that a followed process wrote to is that
 * writer's, marked asynchronous. What the kernel adds to a request later (the next blocks, perhaps of another file) comes with it. A request is
 * issued by whoever comes along and completed in an interrupt: those only find it again, by its address.
 *
 * A kernel may run a process of which it traces nothing, interrupts that come meanwhile included. Then the end of a request is not said; it is
 * counted when its address is used again, at the latest when the recording ends (block.open).
 */
#include "io.bpf.h"

#define OP_MASK 0xFFu

enum { OP_READ = 0, OP_WRITE = 1, OP_FLUSH = 2, OP_DISCARD = 3, OP_SECURE_ERASE = 5, OP_WRITE_ZEROES = 9 };

struct block_record {
	struct cprof_kernel_block said;
	__u64 issue_ns;              /* 0: not yet, or never (a flush is done by another request) */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct block_record);
} blocks SEC(".maps");

static __always_inline __u32 block_op(const struct request *request)
{
	switch (request->cmd_flags & OP_MASK) {
	case OP_READ:
		return CPROF_BLOCK_READ;
	case OP_WRITE:
		if (!request->__data_len && request->cmd_flags & (1u << bpf_core_enum_value(enum req_flag_bits, __REQ_PREFLUSH)))
			return CPROF_BLOCK_FLUSH;
		return CPROF_BLOCK_WRITE;
	case OP_FLUSH:
		return CPROF_BLOCK_FLUSH;
	case OP_DISCARD:
	case OP_SECURE_ERASE:
	case OP_WRITE_ZEROES:
		return CPROF_BLOCK_DISCARD;
	default:
		return CPROF_BLOCK_OTHER;
	}
}

/*
 * What is in the request's first page: part of a file (true; in id), or of the device itself: journal, metadata (true; id is 0), or memory of a
 * process (false).
 */
static __always_inline bool block_file(const struct request *request, struct cprof_file_id *id)
{
	struct page *page = BPF_CORE_READ(request, bio, bi_io_vec, bv_page);
	unsigned long head = BPF_CORE_READ(page, compound_head);
	struct address_space *mapping;
	struct inode *inode;
	__u32 type;

	if (!page)
		return false;
	if (head & 1)
		page = (void *)(head - 1);
	mapping = BPF_CORE_READ(page, mapping);
	if (!mapping || (unsigned long)mapping & 3)
		return false;
	inode = BPF_CORE_READ(mapping, host);
	type = BPF_CORE_READ(inode, i_mode) & S_IFMT_MASK;
	if (type == S_IFREG_BITS) {
		id->inode = BPF_CORE_READ(inode, i_ino);
		id->device = BPF_CORE_READ(inode, i_sb, s_dev);
		id->generation = BPF_CORE_READ(inode, i_generation);
	}
	return type == S_IFREG_BITS || type == S_IFBLK_BITS;
}

/* In direct I/O the pages are the program's: memory, or even a file that it has mapped. A flush belongs to the file that is synced. */
static __always_inline void block_file_of_call(const struct request *request, const struct task_record *record, __u32 op, struct cprof_file_id *id)
{
	const struct syscall_state *call = record && record->call.start_ns ? &record->call : NULL;
	bool known = false;

	if (op == CPROF_BLOCK_READ || op == CPROF_BLOCK_WRITE)
		known = block_file(request, id);
	if (!call || (call->kind & SYSCALL_FILE_MASK) != SYSCALL_FILE_ARGUMENT)
		return;
	if (op == CPROF_BLOCK_FLUSH || (call->direct && (!known || id->inode)))
		*id = call->object;
}

static __always_inline __u32 block_device(const struct request *request)
{
	struct gendisk *disk;

	if (request->part)
		return request->part->bd_dev;
	disk = request->q->disk;
	return disk ? (__u32)disk->major << 20 | (__u32)disk->first_minor : 0;
}

SEC("tp_btf/block_io_start")
int BPF_PROG(block_started, struct request *request)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_record *record = task_find(task);
	struct block_record block = {};
	__u64 key = (__u64)request;
	struct cprof_who *writer;
	struct cprof_file_id id = {};

	if (bpf_map_lookup_elem(&blocks, &key)) { /* it has been used before, and nobody said that this had ended */
		bpf_map_delete_elem(&blocks, &key);
		counter_add(COUNTER_BLOCKS_END_UNSEEN, 1);
	}
	block.said.op = block_op(request);
	block_file_of_call(request, record, block.said.op, &id);
	if (task->flags & PF_KTHREAD && block.said.op == CPROF_BLOCK_WRITE) {
		writer = id.inode ? bpf_map_lookup_elem(&file_writers, &id) : NULL;
		if (writer) {
			block.said.who = *writer;
			block.said.op |= CPROF_BLOCK_ASYNC;
		}
	}
	if (!block.said.who.tgid) {
		if (!record)
			return 0;
		who_fill(task, record, &block.said.who);
	}
	block.said.time_ns = bpf_ktime_get_ns();
	block.said.inode = id.inode;
	block.said.inode_generation = id.generation;
	block.said.device = block_device(request);
	block.said.sector = request->__sector;
	if (bpf_map_update_elem(&blocks, &key, &block, BPF_ANY))
		counter_add(COUNTER_BLOCKS_FULL, 1);
	return 0;
}

/* One that is queued again was in the device from its first time. */
SEC("tp_btf/block_rq_issue")
int BPF_PROG(block_issued, struct request *request)
{
	__u64 key = (__u64)request;
	struct block_record *block = bpf_map_lookup_elem(&blocks, &key);

	if (block && !block->issue_ns)
		block->issue_ns = bpf_ktime_get_ns();
	return 0;
}

/* It is done as part of another request, which says how. */
SEC("tp_btf/block_rq_merge")
int BPF_PROG(block_merged, struct request *request)
{
	__u64 key = (__u64)request;

	if (!bpf_map_delete_elem(&blocks, &key))
		counter_add(COUNTER_BLOCKS_MERGED, 1);
	return 0;
}

static __always_inline void block_sums(const struct cprof_kernel_block *said)
{
	struct cprof_kernel_sum_key key;

	sum_key_init(&key, &said->who, CPROF_SUM_BLOCK_QUEUE, said->op);
	key.device = said->device;
	sum_add(&key, said->queue_ns, 0);
	sum_key_init(&key, &said->who, CPROF_SUM_BLOCK_DEVICE, said->op);
	key.device = said->device;
	key.object = said->inode;
	key.other = said->inode_generation;
	sum_add(&key, said->device_ns, said->bytes);
}

/* A request may complete in parts; the last one is the end. */
SEC("tp_btf/block_rq_complete")
int BPF_PROG(block_completed, struct request *request, int error, unsigned int bytes)
{
	__u64 key = (__u64)request, now = bpf_ktime_get_ns(), since;
	struct block_record *block = bpf_map_lookup_elem(&blocks, &key);
	struct cprof_kernel_block *said;
	struct ring_head *head;

	if (!block)
		return 0;
	said = &block->said;
	said->bytes += bytes;
	said->error = error & 0xFF;
	if (!said->error && bytes < request->__data_len)
		return 0;
	since = block->issue_ns ? block->issue_ns : said->time_ns;
	said->queue_ns = since - said->time_ns;
	said->device_ns = now - since;
	block_sums(said);
	head = ring_reserve(RING_BLOCK, sizeof *said);
	if (head) {
		*(struct cprof_kernel_block *)(head + 1) = *said;
		ring_submit(head);
	}
	bpf_map_delete_elem(&blocks, &key);
	return 0;
}
