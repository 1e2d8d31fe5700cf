/* SPDX-License-Identifier: BSD-2-Clause */
/* Is code for this target code that libcprof, built for one architecture of Linux with glibc, can be linked to? */
#ifndef CPROF_CC_TARGET_H
#define CPROF_CC_TARGET_H

#include <stdbool.h>

/* triple: "x86_64-pc-linux-gnu" as after --target=; arch: "x86_64" or "aarch64". */
bool cc_target_triple_fits(const char *triple, const char *arch);

/* compiler: a program's name or path; one without a target in its name ("gcc", "clang-14") fits. */
bool cc_target_compiler_fits(const char *compiler, const char *arch);

#endif
