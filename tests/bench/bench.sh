#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# bench.sh BUILD [OUTPUT]: measures what tracing costs and how fast traces are read, and writes a page of it (OUTPUT, else stdout).
#
# fib, Lua and SQLite's speedtest1 run plain, with empty hooks, traced, with CPROF=off, and under uftrace, interleaved (bench_rounds.c),
# BENCH_ROUNDS (11) times. All but plain are linked from the same objects. Compiled programs are kept in BUILD/bench: remove
# that folder after a change of the compile flags. BENCH_GIGA=0 leaves out the trace of 10^9 events. Takes about ten minutes.
#
# What the kernel half costs comes after (kernel_costs.sh); where cprof-record cannot record, the page says why instead.
set -eu
build=$1 output=${2:-/dev/stdout} rounds=${BENCH_ROUNDS:-11} giga=${BENCH_GIGA:-1}
bench=$(cd "$(dirname "$0")" && pwd)
real=$bench/../real support=$bench/../support cache=$build/tests/cache
. "$support/cprof-env.sh"
. "$real/programs.sh"
. "$bench/kernel_costs.sh"
mkdir -p "$build/bench"
cd "$build/bench"
say() { echo "bench: $*" >&2; }

compile_fib() { "$@" -c "$bench/fib.c"; }
libraries_fib=""
arguments_fib="32"
arguments_lua="$real/workload.lua 12 calm" # uftrace records nothing below 1,024 calls, where longjmp soon leads it
arguments_sqlite="--memdb --size 5"
programs="fib lua sqlite"

plain() { gcc -O2 -g -w "$@"; }
instrumented() { cprof_cc gcc shared -O2 -g -w "$@"; }
objects() { # PROGRAM KIND: compiles once
	[ -e "$1/$2/.complete" ] && return
	say "compiling $1, $2"
	mkdir -p "$1/$2"
	(cd "$1/$2" && "compile_$1" "$2" && "$2" -c "$support/timed_call.c" && gcc -O2 -c "$support/timed_main.c" && touch .complete)
}

for package in lua5.4 sqlite3; do
	sh "$real/fetch.sh" "$cache" $package >fetch.log 2>&1 || { cat fetch.log >&2; exit 1; }
done
gcc -O2 -Wall "$bench/bench_rounds.c" -o bench_rounds
gcc -O2 -shared -fPIC "$bench/empty_hooks.c" -o libempty_hooks.so

: >commands
for program in $programs; do
	objects $program plain
	objects $program instrumented
	eval "libraries=\$libraries_$program arguments=\$arguments_$program"
	# shellcheck disable=SC2154,SC2086
	{
		gcc -o $program/plain/program $program/plain/*.o $libraries
		gcc -o $program/instrumented/bare $program/instrumented/*.o $libraries
		gcc -o $program/instrumented/empty $program/instrumented/*.o $libraries -L. -Wl,--no-as-needed -lempty_hooks "-Wl,-rpath,$PWD"
		cprof_cc gcc shared -o $program/instrumented/traced $program/instrumented/*.o $libraries
	}
	{
		printf '%s\tcd %s/plain && exec ./program %s >/dev/null\n' $program.plain $program "$arguments"
		printf '%s\tcd %s/instrumented && exec ./empty %s >/dev/null\n' $program.empty $program "$arguments"
		printf '%s\tcd %s/instrumented && exec ./traced %s >/dev/null\n' $program.cprof $program "$arguments"
		printf '%s\tcd %s/instrumented && CPROF=off exec ./traced %s >/dev/null\n' $program.off $program "$arguments"
		printf '%s\tcd %s/instrumented && exec uftrace record --no-libcall -d uftrace.data ./bare %s >/dev/null\n' $program.uftrace \
			$program "$arguments"
	} >>commands
done
say "running, $rounds rounds"
./bench_rounds "$rounds" <commands >times.tsv

say "reading"
sqlite_trace=sqlite/instrumented/trace.lz4
{
	printf 'flat\texec %s flat --format=json %s >/dev/null\n' "$cprof_analyze" $sqlite_trace
	printf 'tree\texec %s tree --format=json %s >/dev/null\n' "$cprof_analyze" $sqlite_trace
	printf 'uftrace-report\texec uftrace report -d sqlite/instrumented/uftrace.data >/dev/null\n'
} >commands
./bench_rounds "$rounds" <commands >reading.tsv
: >facts.tsv
for program in $programs; do
	"$cprof_analyze" info --format=json $program/instrumented/trace.lz4 |
		jq -r --arg p $program '.trace | "\($p).calls\t\(.calls)\n\($p).events\t\(.events)\n\($p).contexts\t\(.contexts)\n\($p).bytes\t\(.bytes)\n\($p).lost\t\(.lost_events)"' >>facts.tsv
done
say "threads, coroutines, allocations"
plain "$bench/strands.c" -o strands_plain -pthread
instrumented "$bench/strands.c" -o strands_traced -pthread
instrumented "$bench/allocations.c" -fno-builtin -o allocations -pthread
for round in 1 2 3 4 5; do # interleaved; the best of each counts
	./strands_plain plain
	./strands_traced traced
	CPROF=off ./allocations allocated.plain
	LD_PRELOAD=$build/runtime/libcprof-alloc.so ./allocations allocated.cprof
	CPROF=off heaptrack -o "$PWD/heaptrack.allocations" ./allocations allocated.heaptrack 0.2 | grep '^allocated'
	rm -f heaptrack.allocations*
done >best.tsv
sort -k1,1 -k2,2g best.tsv | awk -F '\t' '!seen[$1]++' >>facts.tsv
say "the kernel half"
if [ -x "$cprof_record" ]; then
	measure_libc_calls
fi
measure_kernel_costs
if [ "$giga" = 1 ]; then
	say "a trace of 10^9 events"
	mkdir -p giga
	(cd giga && ../sqlite/instrumented/traced --memdb --size 135 >/dev/null)
	printf 'giga.flat\texec %s flat --format=json giga/trace.lz4 >/dev/null\n' "$cprof_analyze" | ./bench_rounds 1 >giga.tsv
	"$cprof_analyze" info --format=json giga/trace.lz4 | jq -r '.trace | "giga.events\t\(.events)\ngiga.contexts\t\(.contexts)"' >>facts.tsv
	rm -rf giga
else
	: >giga.tsv
fi

{
	printf 'cpu\t%s\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
	printf 'cpus\t%s\n' "$(nproc)"
	printf 'kernel\t%s\n' "$(uname -sr)"
	printf 'compiler\t%s\n' "$(gcc --version | head -1)"
	printf 'uftrace\t%s\n' "$(uftrace --version | sed 's/ *(.*//;q')"
	printf 'cprof\t%s\n' "$("$cprof_analyze" --version 2>/dev/null | head -1)"
	printf 'rounds\t%s\n' "$rounds"
	printf 'date\t%s\n' "$(date -u +%Y-%m-%d)"
} >machine.tsv
awk -F '\t' -f "$bench/report.awk" machine.tsv facts.tsv times.tsv reading.tsv giga.tsv kernel.tsv slots.tsv >report.md
cat report.md >"$output"
