#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# kill.sh BUILD COMPILER LINK [ROUNDS]: kills kill.c at ROUNDS (20) random moments; what was recorded of each function, and so of
# each thread, is what the program had counted or one more. Every fourth time the trace is read from what `recover` made of it.
set -u
build=$1 compiler=$2 link=$3 rounds=${4:-20}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/cprof-env.sh"

work=$build/tests/work/programs/kill-$compiler-$link
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
cprof_cc "$compiler" "$link" -g -O2 "$here/kill.c" -o prog -pthread || exit 1

failures=0
fail() {
	echo "FAILED: round $round: $*"
	failures=$((failures + 1))
}

# Waits until every thread has counted something: before that there is nothing to lose.
wait_for_start() {
	for _ in $(seq 500); do
		[ "$(od -An -v -tu8 -w8 counters 2>/dev/null | grep -cvx ' *0')" = 8 ] && return
		sleep 0.01
	done
	fail "the program does not start"
}

round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	rm -f trace* counters recovered*
	./prog counters 2>stderr &
	pid=$!
	wait_for_start
	sleep "0.$(printf '%03d' $(($(od -An -N2 -tu2 /dev/urandom) % 200)))"
	kill -9 $pid
	wait $pid 2>/dev/null
	[ -s stderr ] && fail "stderr: $(cat stderr)"
	trace=trace.lz4
	if [ $((round % 4)) = 0 ]; then
		"$cprof_analyze" recover trace.lz4 -o recovered.lz4 >recover.out 2>&1 || fail "recover: $(cat recover.out)"
		lz4 -t -q recovered.lz4 || fail "lz4 -t of the recovered trace"
		trace=recovered.lz4
	fi
	"$cprof_analyze" flat --format=json $trace >flat.json || fail "flat"
	od -An -v -tu8 -w8 counters >counted
	n=0
	for name in step_0 step_1 step_2 step_3 leaf_0 leaf_1 leaf_2 leaf_3; do
		n=$((n + 1))
		counted=$(($(sed -n ${n}p counted)))
		recorded=$(jq -L "$here" "include \"check\"; calls(\"$name\")" flat.json)
		[ "$recorded" = "$counted" ] || [ "$recorded" = $((counted + 1)) ] || fail "$name counted $counted, recorded $recorded"
	done
	echo "round $round: $((counted)) calls of leaf_3, $trace"
done
[ $failures = 0 ]
