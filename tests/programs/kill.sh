#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# kill.sh BUILD COMPILER LINK [ROUNDS]: kills kill.c at ROUNDS (25, so 100 in the four variants) random moments; what was recorded of each
# function, and so of each thread, is what the program had counted or one more. Every fourth time the trace is read from what `recover`
# made of it, after `recover` itself was killed at five random moments: what it leaves is whole or nothing, and it may be repeated.
set -u
build=$1 compiler=$2 link=$3 rounds=${4:-25}
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

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# Makes recovered.lz4 of trace.lz4.
recover() {
	cp trace.lz4 before.lz4 && cp trace.lz4.live before.lz4.live
	started=$(now_ms)
	"$cprof_analyze" recover trace.lz4 -o whole.lz4 >recover.out 2>&1 || fail "recover: $(cat recover.out)"
	took=$(($(now_ms) - started + 1))
	for _ in 1 2 3 4 5; do
		"$cprof_analyze" recover trace.lz4 -o recovered.lz4 >recover.out 2>&1 &
		recover_pid=$!
		moment=$(($(od -An -N2 -tu2 /dev/urandom) % took))
		sleep "$(printf '%d.%03d' $((moment / 1000)) $((moment % 1000)))"
		kill -9 $recover_pid 2>/dev/null
		wait $recover_pid 2>/dev/null
		[ $? = 137 ] && nr_recover_kills=$((nr_recover_kills + 1))
		[ ! -e recovered.lz4 ] || cmp recovered.lz4 whole.lz4 || fail "a killed recover left a part"
		rm -f recovered.lz4*
	done
	"$cprof_analyze" recover trace.lz4 -o recovered.lz4 >recover.out 2>&1 || fail "recover, repeated: $(cat recover.out)"
	cmp recovered.lz4 whole.lz4 || fail "recover, repeated, made another trace"
	cmp trace.lz4 before.lz4 && cmp trace.lz4.live before.lz4.live || fail "recover changed what it read"
	rm -f before* whole*
}

nr_recover_kills=0
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
		recover
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
echo "$nr_recover_kills times recover was killed before its end"
[ $rounds -lt 20 ] || [ $nr_recover_kills -gt 0 ] || fail "recover always ended first"
[ $failures = 0 ]
