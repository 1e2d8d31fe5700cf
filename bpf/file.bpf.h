/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which file is behind a descriptor of the current task, and, once for each, what its path is (KERNEL_FILES).
 *
 * A file is (device, inode, generation) as the kernel's super block and inode say: the number of an inode is used again, for another file. Sockets are not
 * told apart but by what they speak, pipes not at all: each connection of a server would be a file of its own, and no table would hold them. All pointers are
 * followed by reads that may fail.
 */
#ifndef CPROF_FILE_BPF_H
#define CPROF_FILE_BPF_H

#include "context.bpf.h"
#include "file_types.bpf.h"

#define FILE_NAMES_MAX  16
#define FILE_STEPS_MAX  32     /* names and mount points */
#define FILE_PATH_END   4096u  /* where a path ends in the scratch; longer ones lose their beginning */
#define FILE_PATH_START 64u

/* Files whose path was sent, with their name's hash: a renamed file is sent again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct cprof_file_id);
	__type(value, __u64);
} files_said SEC(".maps");

/* A path is built from its end, a record around it; behind the end all is 0. A path of the program lies at the beginning. */
struct file_scratch {
	__u8 bytes[2 * FILE_PATH_END + 64];
};
#define FILE_GIVEN_START 64u
#define FILE_GIVEN_MAX   256u

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct file_scratch);
} file_scratch SEC(".maps");

/* What sockets, pipes and the like are called: "inode" is a number of this list. */
enum file_class { FILE_SOCKET, FILE_UNIX, FILE_TCP, FILE_UDP, FILE_NETLINK, FILE_PACKET, FILE_VSOCK, FILE_PIPE, FILE_ANON, FILE_CLASSES };
struct file_class_name {
	char text[16];
	__u32 bytes;
};
#define NAME(text) { text, sizeof text - 1 }
static const struct file_class_name file_class_names[FILE_CLASSES] = {
	NAME("socket"), NAME("socket:unix"), NAME("socket:tcp"), NAME("socket:udp"), NAME("socket:netlink"), NAME("socket:packet"), NAME("socket:vsock"),
	NAME("pipe"), NAME("anon_inode"),
};
#undef NAME

static __always_inline struct file *file_of(struct task_struct *task, int fd)
{
	struct fdtable *table = task->files->fdt;
	struct file *file = NULL;

	if (fd < 0 || (unsigned int)fd >= table->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof file, (void *)table->fd + (__u64)(unsigned int)fd * sizeof file);
	return file;
}

static __always_inline __u32 socket_class(struct file *file)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	unsigned short family = BPF_CORE_READ(socket, sk, __sk_common.skc_family);
	short type = BPF_CORE_READ(socket, type);

	switch (family) {
	case 1: /* AF_UNIX */
		return FILE_UNIX;
	case 2: /* AF_INET */
	case 10: /* AF_INET6 */
		return type == 1 ? FILE_TCP : type == 2 ? FILE_UDP : FILE_SOCKET;
	case 16: /* AF_NETLINK */
		return FILE_NETLINK;
	case 17: /* AF_PACKET */
		return FILE_PACKET;
	case 40: /* AF_VSOCK */
		return FILE_VSOCK;
	default:
		return FILE_SOCKET;
	}
}

static __always_inline __u64 file_name_hash(struct file *file)
{
	return BPF_CORE_READ(file, f_path.dentry, d_name.hash_len);
}

struct file_walk {
	struct file_scratch *scratch;
	struct dentry *dentry;
	struct vfsmount *mount;
	__u32 at;                    /* where the path begins so far */
	__u32 names;
	bool whole;                  /* it begins at the root */
};

/* One step towards the root: a name, or from the root of a file system to the place where it is mounted. 1: the end. */
static long file_step(__u32 step, struct file_walk *walk)
{
	struct dentry *dentry = walk->dentry, *parent = BPF_CORE_READ(dentry, d_parent);
	struct vfsmount *vfsmount = walk->mount;
	__u32 bytes = (BPF_CORE_READ(dentry, d_name.hash_len) >> 32) & 255, at = walk->at;

	if (dentry == BPF_CORE_READ(vfsmount, mnt_root)) {
		struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		if (above == mount) {
			walk->whole = true;
			return 1;
		}
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = (void *)above + bpf_core_field_offset(struct mount, mnt);
		return 0;
	}
	if (dentry == parent) { /* not below the mount any more */
		walk->whole = true;
		return 1;
	}
	if (walk->names == FILE_NAMES_MAX || at < FILE_PATH_START + bytes + 1)
		return 1;
	at = (at - bytes - 1) & (FILE_PATH_END - 1);
	walk->scratch->bytes[at] = '/';
	bpf_probe_read_kernel(&walk->scratch->bytes[at + 1], bytes, BPF_CORE_READ(dentry, d_name.name));
	walk->at = at;
	walk->names++;
	walk->dentry = parent;
	return 0;
}

/* Path bytes [at, end) of the scratch become a record; 7 zeros follow them. */
static __always_inline bool file_send(struct file_scratch *scratch, const struct cprof_file_id *id, __u32 at, __u32 end)
{
	struct cprof_kernel_file file = { *id, end - at, 0 };
	__u32 bytes = (sizeof file + end - at + 7) & ~7u;

	at = (at - sizeof file - sizeof(struct ring_head)) & (FILE_PATH_END - 1);
	bpf_probe_read_kernel(&scratch->bytes[at + sizeof(struct ring_head)], sizeof file, &file);
	return ring_output((struct ring_head *)&scratch->bytes[at], RING_FILE, bytes & (FILE_PATH_END - 1));
}

static __always_inline void file_send_path(struct file *file, const struct cprof_file_id *id)
{
	struct file_walk walk = { .at = FILE_PATH_END };
	__u32 zero = 0;

	walk.scratch = bpf_map_lookup_elem(&file_scratch, &zero);
	if (!walk.scratch)
		return;
	walk.dentry = BPF_CORE_READ(file, f_path.dentry);
	walk.mount = BPF_CORE_READ(file, f_path.mnt);
	bpf_loop(FILE_STEPS_MAX, file_step, &walk, 0);
	if (walk.whole && walk.at == FILE_PATH_END)
		walk.scratch->bytes[--walk.at & (FILE_PATH_END - 1)] = '/';
	for (int i = 0; !walk.whole && i < 3; i++)
		walk.scratch->bytes[--walk.at & (FILE_PATH_END - 1)] = '.';
	if (!file_send(walk.scratch, id, walk.at, FILE_PATH_END))
		bpf_map_delete_elem(&files_said, id); /* the next call tries again */
}

static __always_inline void file_send_class(__u32 class, const struct cprof_file_id *id)
{
	struct {
		struct ring_head head;
		struct cprof_kernel_file file;
		struct file_class_name name;
	} record;
	__u32 bytes;

	bpf_probe_read_kernel(&record.name, sizeof record.name, &file_class_names[class < FILE_CLASSES ? class : 0]);
	bytes = record.name.bytes & 15;
	record.file.id = *id;
	record.file.path_bytes = bytes;
	record.file.reserved = 0;
	if (!ring_output(&record.head, RING_FILE, sizeof record.file + ((bytes + 7) & 24)))
		bpf_map_delete_elem(&files_said, id);
}

/* What file it is; id is 0 when that cannot be read. Its mode, too. */
static __always_inline __u32 file_identify(struct file *file, struct cprof_file_id *id)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct super_block *super = BPF_CORE_READ(inode, i_sb);
	unsigned long magic = BPF_CORE_READ(super, s_magic);
	__u32 mode = BPF_CORE_READ(inode, i_mode), class = FILE_CLASSES;
	__u64 hash, *said;

	id->inode = BPF_CORE_READ(inode, i_ino);
	id->device = BPF_CORE_READ(super, s_dev);
	id->generation = BPF_CORE_READ(inode, i_generation);
	if (!super)
		return 0;
	if (magic == SOCKET_FS_MAGIC)
		class = socket_class(file);
	else if (magic == PIPE_FS_MAGIC)
		class = FILE_PIPE;
	else if (magic == ANON_FS_MAGIC)
		class = FILE_ANON;
	if (class != FILE_CLASSES) {
		id->inode = class + 1;
		id->generation = 0;
		hash = 1;
	} else {
		hash = file_name_hash(file);
	}
	said = bpf_map_lookup_elem(&files_said, id);
	if (said && *said == hash)
		return mode;
	if (bpf_map_update_elem(&files_said, id, &hash, BPF_ANY))
		counter_add(COUNTER_FILES_FULL, 1);
	if (class != FILE_CLASSES)
		file_send_class(class, id);
	else
		file_send_path(file, id);
	return mode;
}

/*
 * A file that only the path that the program gave names: device 0, and a hash of the path as inode. Of a path that is longer than what is read
 * its beginning counts.
 */
static __always_inline void file_of_path(const void *path, struct cprof_file_id *id)
{
	struct file_scratch *scratch;
	__u64 hash = 0x9E3779B97F4A7C15ull, zeros = 0, *said;
	__u32 zero = 0, bytes;
	long got;

	scratch = bpf_map_lookup_elem(&file_scratch, &zero);
	if (!scratch)
		return;
	got = bpf_probe_read_user_str(&scratch->bytes[FILE_GIVEN_START], FILE_GIVEN_MAX, path);
	if (got <= 1)
		return;
	bytes = (got - 1) & (FILE_GIVEN_MAX - 1);
	bpf_probe_read_kernel(&scratch->bytes[FILE_GIVEN_START + bytes], sizeof zeros, &zeros);
	for (__u32 at = 0; at < FILE_GIVEN_MAX; at += 8) {
		if (at >= bytes)
			break;
		hash ^= *(__u64 *)&scratch->bytes[FILE_GIVEN_START + at];
		hash *= 0x9E3779B97F4A7C15ull;
		hash ^= hash >> 32;
	}
	id->inode = hash;
	said = bpf_map_lookup_elem(&files_said, id);
	if (said)
		return;
	if (bpf_map_update_elem(&files_said, id, &hash, BPF_ANY))
		counter_add(COUNTER_FILES_FULL, 1);
	if (!file_send(scratch, id, FILE_GIVEN_START, FILE_GIVEN_START + bytes))
		bpf_map_delete_elem(&files_said, id);
}

#endif
