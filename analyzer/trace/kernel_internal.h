/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder know of a kernel file beyond kernel_file.h. */
#ifndef CPROF_KERNEL_INTERNAL_H
#define CPROF_KERNEL_INTERNAL_H

#include "kernel_file.h"
#include "problems.h"

struct problems *kernel_file_problems(struct kernel_file *file);

#endif
