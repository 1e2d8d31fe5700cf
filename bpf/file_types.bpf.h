/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel types behind a file descriptor and a block request, as in kernel_types.bpf.h: only the fields that are read. */
#ifndef CPROF_FILE_TYPES_BPF_H
#define CPROF_FILE_TYPES_BPF_H

#include "kernel_types.bpf.h"

#define S_IFMT_MASK  0170000
#define S_IFREG_BITS 0100000
#define S_IFBLK_BITS 0060000

#define SOCKET_FS_MAGIC 0x534F434Bul
#define PIPE_FS_MAGIC   0x50495045ul
#define ANON_FS_MAGIC   0x09041934ul

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	__u32 i_generation;
};

struct qstr {
	__u64 hash_len;              /* low half: a hash of name and folder; high half: length of the name */
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	void *private_data;
	struct inode *f_inode;
	unsigned int f_flags;
	struct path f_path;
};
#define FILE_FLAG_DIRECT 040000

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct sock_common {
	unsigned short skc_family;
};

struct sock {
	struct sock_common __sk_common;
};

struct socket {
	short type;
	struct sock *sk;
};

struct address_space {
	struct inode *host;
};

struct page {
	struct address_space *mapping;
	unsigned long compound_head; /* bit 0: a page behind the first of a larger one, which the rest points to */
};

struct bio_vec {
	struct page *bv_page;
};

struct bio {
	struct bio_vec *bi_io_vec;
};

struct gendisk {
	int major, first_minor;
};

struct block_device {
	__u32 bd_dev;
};

struct request_queue {
	struct gendisk *disk;
};

struct request {
	struct request_queue *q;
	unsigned int cmd_flags;
	unsigned int __data_len;
	unsigned long long __sector; /* 512 bytes each */
	struct bio *bio;
	struct block_device *part;
};

#pragma clang attribute pop

enum req_flag_bits { __REQ_PREFLUSH = 18 }; /* the running kernel's number is taken, by CO-RE */

#endif
