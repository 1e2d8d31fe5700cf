/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a program in which the n-th system call of a kind, made from within one library, fails, or is its last moment.
 *
 * The runtime makes its system calls itself, so no LD_PRELOAD sees them. A seccomp filter hands the calls of that kind to this process (the kernel
 * keeps the caller waiting), which looks where the instruction lies, counts, and answers for the kernel or lets it.
 */
#ifndef CPROF_FAULT_INJECT_H
#define CPROF_FAULT_INJECT_H

#include <stdbool.h>

enum {
	FAULT_KILL = -1,  /* instead of an errno: the process gets SIGKILL, and the call is not made */
	FAULT_SHORT = -2, /* a write takes half of the bytes */
};

struct fault {
	int nr;             /* SYS_* */
	unsigned nth;       /* from 1; 0: none fails, all are counted */
	bool from_there_on; /* not only the n-th but all after it, too */
	int error;          /* errno, or FAULT_* */
};

struct fault_result {
	int status;         /* as waitpid() says it; -1: was killed as hanging */
	unsigned calls;     /* of that kind from that library */
};

/*
 * argv[0] is the program's path; its standard output and error go to files of the current folder. library: a part of its path in
 * /proc/PID/maps. false when the kernel has no seccomp notification (before 5.6) or forbids it.
 */
bool fault_inject_run(char *const argv[], const char *library, const struct fault *fault, const char *stdout_path, const char *stderr_path,
		      unsigned timeout_s, struct fault_result *ret);

#endif
