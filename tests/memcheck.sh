#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# memcheck.sh BUILD: cprof-analyze under valgrind, on traces that are sound, killed, cut and flipped, on recordings, and on a program's own with its symbols:
# it reads and writes nothing but what it has and wrote, and leaks nothing; what it prints and its status are what they are without valgrind.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/support/cprof-env.sh"
unset COLUMNS NO_COLOR
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
"$build/tests/cli/make_traces" || exit 1
cprof_cc gcc shared -g -O2 "$here/programs/contexts.c" -o prog -pthread -lm && ./prog >/dev/null && mv trace.lz4 program.lz4 || exit 1

failures=0
while read -r arguments; do
	# shellcheck disable=SC2086
	"$cprof_analyze" $arguments >expected 2>&1
	expected_status=$?
	rm -f recovered.lz4
	# shellcheck disable=SC2086
	valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite,possible \
		--log-file=valgrind.log "$cprof_analyze" $arguments >found 2>&1
	status=$?
	rm -f recovered.lz4
	if [ $status = 2 ] || [ $status != $expected_status ] || [ -s valgrind.log ] || ! cmp -s expected found; then
		echo "FAILED: $arguments: status $status, alone $expected_status"
		cat valgrind.log
		diff expected found | head -20
		failures=$((failures + 1))
	fi
done <<END
tree program.lz4
flat --format=json program.lz4
callers program.lz4
export --to=chrome program.lz4
tree --recursion=unroll recursion.lz4
check plain.lz4
check lost.lz4
tree killed.lz4
check killed.lz4
recover -o recovered.lz4 killed.lz4
check cut.lz4
tree cut.lz4
check flipped.lz4
flat future.lz4
tree fork.lz4 fork.11.lz4
flat hostile.lz4
off-cpu --perf-map=kernel.map recorded.lz4
cpu --perf-map=kernel.map alone.bpf.lz4
check cut_kernel.lz4
END
[ $failures = 0 ]
