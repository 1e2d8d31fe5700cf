#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# start_test.sh BUILD: a program that cprof-record launches is seen from its first instruction to its last: its system calls are as many, by name, as strace counts in
# a run of its own. /bin/true, and a static program that is over before its loader would have been.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel-env.sh"
work=$build/tests/work/bpf/start
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

printf '#include <unistd.h>\nint main(void) { return write(1, "static\\n", 7) != 7 || fsync(1) || close(1); }\n' >static.c
gcc -O1 -static static.c -o static || die "does not build"
for program in /bin/true ./static; do
	strace -f -c -U name,calls -o strace.out $program >told || die "strace $program"
	"$cprof_record" --io --window=10m -o trace.lz4 -- $program >said 2>record.err || { cat record.err; die "$program: $?"; }
	cmp told said || fail "$program: another output"
	read_records trace
	ask_strace "$program" strace.out 3
	ask "$program: nothing of another process" '[every("process") | .tgid] | unique | length == 1'
	ask_nothing_lost
done
finish
