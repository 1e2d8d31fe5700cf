#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# alloc_test.sh BUILD CASE [COMPILER]: the allocation interposer as it is shipped, in programs with known allocations.
#
# CASE is one of alloc_program.c's, or one of those at the end of this file. What a
# program prints as "expect ..." is compared with what its trace says, field by field. Exit status 77: skipped, with the reason.
set -u
build=$1 case=$2 compiler=${3:-gcc}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/support/cprof-env.sh"
work=$build/tests/work/alloc/$case-$compiler
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
preload=$build/runtime/libcprof-alloc.so
lister=$build/runtime/alloc/alloc_list
jemalloc=/usr/lib/$(uname -m)-linux-gnu/libjemalloc.so.2

build_c() { # OUTPUT LINK [FLAG...]
	output=$1 link=$2
	shift 2
	cprof_cc "$compiler" "$link" -g -O2 -w -fno-builtin "$@" "$here/alloc_program.c" -o "$output" -pthread || die "does not build"
}

# What the trace says of allocations, by name of the function: sums over contexts. `outside` is context 0.
sums() { # TRACE
	"$lister" "$1" >allocs.json || die "alloc_list $1"
	"$cprof_analyze" dump --format=json "$1" >dump.json || die "dump $1"
	jq -n --slurpfile allocs allocs.json --slurpfile dump dump.json '
		($dump | map(select(.record == "context") | { key: (.id | tostring), value: (.name | sub("\\(.*"; "")) }) | from_entries) as $names
		| $allocs | map(select(.record == "alloc") | . + { name: ($names[.context | tostring] // "outside") })
		| (group_by(.name) | map({ key: .[0].name, value: . }) | from_entries) + { total: . }
		| map_values(reduce .[] as $a ({ calls: 0, bytes: 0, freed_calls: 0, freed_bytes: 0, peak_bytes: 0, bytes_at_peak: 0, temporary_calls: 0,
			failed_calls: 0, flags: 0 }; reduce ("calls", "bytes", "freed_calls", "freed_bytes", "peak_bytes", "bytes_at_peak", "temporary_calls",
			"failed_calls") as $k (.; .[$k] += $a[$k]) | .flags = $a.flags))'
}

compare() { # TRACE KEY: the lines of ./stdout that begin with KEY
	sums "$1" >sums.json
	grep "^$2 " stdout >expected || die "the program expects nothing"
	while read -r key function fields; do
		for field in $fields; do
			actual=$(jq ".[\"$function\"].${field%=*} // 0" sums.json)
			[ "$actual" = "${field#*=}" ] || fail "$1: $function: ${field%=*} is $actual, not ${field#*=}"
		done
	done <expected
	jq -es 'map(select(.record == "lost")) == []' allocs.json >/dev/null || fail "$1: something was lost"
	jq -es 'map(select(.record == "alloc") | .context) | . == (sort | unique)' allocs.json >/dev/null || fail "$1: contexts not in order, or twice"
	"$cprof_analyze" check "$1" >check.out 2>&1 || { cat check.out; fail "check $1"; }
}

run() { # [VARIABLE=VALUE...] PROGRAM ARGUMENT...: without a fault, and without a word from us
	env "$@" >stdout 2>stderr
	status=$?
	[ "$status" = "${want_status:-0}" ] || fail "exit status $status"
	grep -v '^Killed$' stderr >said
	[ ! -s said ] || { cat said; fail "something was said"; }
	grep '^wrong' stdout && fail "the program does not behave as it should"
}

ordinary() {
	build_c program shared
	run LD_PRELOAD="$preload" ./program "$case"
	compare trace.lz4 expect
}

total() { # FIELD
	jq ".total.$1" sums.json
}

case $case in
leak | realloc | aligned | pvalloc | cross | churn | threads) ordinary ;;
peak)
	ordinary
	# One thread: the peak of the process is exact, so what its contexts had then adds up to it. 16,000 of ours, and what libc has.
	[ "$(total flags)" = 0 ] || fail "peaks of a single thread are said to be rough"
	[ "$(total bytes_at_peak)" = $((16000 + $(jq '.outside.bytes_at_peak // 0' sums.json))) ] || fail "peak: $(total bytes_at_peak)"
	;;
fork | fork-raw | fork-killed)
	ordinary
	for trace in trace.*.lz4 trace.lz4.*; do
		case $trace in *.live | *'*'*) continue ;; esac
		child=$trace
	done
	compare "$child" expect-child
	;;
kill)
	build_c program shared
	want_status=137
	run LD_PRELOAD="$preload" ./program kill
	[ -e trace.lz4.live ] || fail "no live file"
	compare trace.lz4 expect
	;;
static | linked) # cprof-cc --cprof-alloc: nothing to preload
	links='static static-pie'
	[ $case = static ] || links=shared
	for link in $links; do
		build_c program $link --cprof-alloc
		for each in leak peak realloc aligned churn; do
			rm -f trace*
			run ./program "$each"
			compare trace.lz4 expect
		done
	done
	;;
cxx | jemalloc-cxx)
	set -- LD_PRELOAD="$preload"
	[ "$case" = cxx ] || set -- LD_PRELOAD="$preload:$jemalloc"
	[ "$case" = cxx ] || [ -e "$jemalloc" ] || skip "no $jemalloc (package libjemalloc2)"
	cprof_cxx "$compiler" shared -g -O2 -w -std=c++17 -fsized-deallocation -fno-builtin "$here/alloc_cxx_program.cc" -o program || die "does not build"
	run "$@" ./program
	compare trace.lz4 expect
	;;
jemalloc)
	[ -e "$jemalloc" ] || skip "no $jemalloc (package libjemalloc2)"
	build_c program shared
	for each in leak aligned cross churn; do
		rm -f trace*
		run LD_PRELOAD="$preload:$jemalloc" ./program "$each"
		compare trace.lz4 expect
	done
	;;
symbols) # what a guest's names can collide with
	for list in shared static; do
		case $list in
		shared) nm -D --defined-only "$preload" | awk '$2 != "A" { print $3 }' ;;
		static) nm -g --defined-only "$build/runtime/libcprof-alloc.a" | awk 'NF == 3 { print $3 }' ;;
		esac | sort >actual
		[ -s actual ] || fail "nm says nothing"
		sort "$here/exported_symbols_$list.txt" | diff - actual || fail "the $list library exports other symbols than listed (<: listed, >: there)"
	done
	;;
limited) # little address space is the host's: we count what we cannot follow
	build_c program shared
	(ulimit -v 200000 && env LD_PRELOAD="$preload" ./program leak) >stdout 2>said || fail "exit status $?"
	[ ! -s said ] || { cat said; fail "something was said"; }
	"$lister" trace.lz4 >allocs.json
	calls=$(jq -s 'map(.calls // 0) | add' allocs.json) lost=$(jq -s 'map(select(.record == "lost" and .reason == 6) | .events) | add // 0' allocs.json)
	[ "$lost" -gt 0 ] && [ $((calls + lost)) = 402 ] || fail "$calls allocations followed, $lost not"
	;;
off) # the trace that would have them is not there
	build_c program shared
	run LD_PRELOAD="$preload" CPROF=off ./program churn
	[ ! -e trace.lz4 ] || fail "a trace in spite of CPROF=off"
	;;
absent) # a program that is not recorded, with libcprof nowhere
	"$compiler" -O2 -w -fno-builtin "$here/alloc_program.c" -o program -pthread || die "does not build"
	for each in leak realloc aligned churn fork; do
		run LD_PRELOAD="$preload" ./program $each
	done
	;;
python) # a large stranger, with threads, plug-ins and children
	python=$(command -v python3) || skip "no python3"
	cat >script.py <<'END'
import ctypes, json, subprocess, sys, threading
data = json.dumps([{"n": i, "s": "x" * (i % 50)} for i in range(20000)])
threads = [threading.Thread(target=lambda: [json.loads(data) for _ in range(2)]) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(len(data), subprocess.run([sys.executable, "-c", "print(sum(map(len, map(str, range(1000)))))"], capture_output=True).stdout)
END
	"$python" script.py >plain || die "python3 itself fails"
	run LD_PRELOAD="$preload" "$python" script.py
	cmp stdout plain || fail "python3 says something else"
	# The same with a recorded program's libcprof beside it: then the interposer counts.
	run LD_PRELOAD="$preload:$build/runtime/libcprof.so" "$python" script.py
	cmp stdout plain || fail "python3 says something else"
	;;
valgrind) # what is left, and all there ever was, to the byte and over the whole process
	command -v valgrind >/dev/null || skip "no valgrind (package valgrind)"
	"$compiler" -g -O2 -w -fno-builtin "$here/alloc_program.c" -o plain -pthread || die "does not build"
	build_c program shared
	for each in leak realloc aligned; do
		rm -f trace*
		run LD_PRELOAD="$preload" ./program "$each"
		compare trace.lz4 expect
		valgrind --run-libc-freeres=no ./plain "$each" >/dev/null 2>theirs || { cat theirs; die "valgrind fails"; }
		left="$(($(total bytes) - $(total freed_bytes))) bytes in $(($(total calls) - $(total freed_calls))) blocks"
		theirs=$(tr -d , <theirs | sed -n 's/.*in use at exit: //p')
		[ "$left" = "$theirs" ] || fail "$each: $left are left; valgrind: $theirs"
		all="$(total calls) allocs $(total freed_calls) frees $(total bytes) bytes"
		theirs=$(tr -d , <theirs | sed -n 's/.*total heap usage: \(.* bytes\) .*/\1/p')
		[ $each = leak ] || continue # the others try what fails, and valgrind counts that as allocated
		[ "$all" = "$theirs" ] || fail "$each: $all; valgrind: $theirs"
		echo "valgrind agrees: $all, $left left"
	done
	;;
heaptrack) # function by function; it brings a C++ library with allocations of its own into the process
	command -v heaptrack >/dev/null || skip "no heaptrack (package heaptrack)"
	"$compiler" -g -O2 -w -fno-builtin "$here/alloc_program.c" -o plain -pthread || die "does not build"
	build_c program shared
	for each in leak aligned cross churn; do
		rm -f trace* heaptrack.out*
		run LD_PRELOAD="$preload" ./program "$each"
		compare trace.lz4 expect
		heaptrack -o "$PWD/heaptrack.out" ./plain "$each" >heaptrack.log 2>&1 || { cat heaptrack.log; die "heaptrack fails"; }
		for cost in allocations leaked; do
			heaptrack_print -f heaptrack.out* --disable-builtin-suppressions -F $cost --flamegraph-cost-type $cost -a 0 -p 0 -T 0 >print.log 2>&1 ||
				{ cat print.log; die "heaptrack_print fails"; }
		done
		for function in $(sed -n 's/^expect \([a-z_]*\) .*/\1/p' stdout); do
			ours=$(jq -r --arg f "$function" '.[$f] | "\(.calls // 0) calls, \((.bytes // 0) - (.freed_bytes // 0)) bytes left"' sums.json)
			sum() { awk -v f=";$function (" 'index(";" $0, f) { s += $NF } END { print s + 0 }' "$1"; }
			theirs="$(sum allocations) calls, $(sum leaked) bytes left"
			[ "$ours" = "$theirs" ] || [ "$function$theirs" = "by_memalign0 calls, 0 bytes left" ] || # heaptrack 1.4 does not know memalign
				fail "$each: $function: $ours; heaptrack: $theirs"
			echo "$function: $ours; heaptrack: $theirs"
		done
	done
	;;
*) die "no such case" ;;
esac
[ $failures = 0 ] && echo passed
exit $((failures > 0))
