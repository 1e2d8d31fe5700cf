#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# real.sh BUILD PROGRAM COMPILER: a program from a Debian source package (lua, bzip2 or sqlite), counted twice.
#
# The same instrumented objects are linked with libcprof and with counter.c. Every function's number of calls and every (caller,
# callee) pair's must be equal. Names are compared, not addresses: nm gives them for the counter, DWARF for cprof; functions that share
# a name are compared as a set of counts. Then the span of the program's main is compared with its wall time.
set -u
build=$1 program=$2 compiler=$3
real=$(cd "$(dirname "$0")" && pwd)
support=$real/../support
cache=$build/tests/cache
. "$support/cprof-env.sh"
. "$real/programs.sh"
. "$real/counts.sh"

work=$build/tests/work/real/$program-$compiler
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

case $program in
lua) packages="lua5.4" ;;
bzip2) packages="lua5.4 bzip2" ;; # its input is Lua's source
sqlite) packages="sqlite3" ;;
esac
for package in $packages; do
	sh "$real/fetch.sh" "$cache" $package >fetch.log 2>&1 || { cat fetch.log; die "cannot fetch $package"; }
done

instrumented() { cprof_cc "$compiler" shared -O2 -g -fPIC -w "$@"; }
"compile_$program" instrumented || die "does not compile"
instrumented -c "$support/timed_call.c" || die "does not compile"
"$compiler" -O2 -c "$support/timed_main.c" || die "does not compile"
eval "libraries=\$libraries_$program"
# shellcheck disable=SC2086
cprof_cc "$compiler" shared -o traced ./*.o $libraries || die "does not link with libcprof"
"$compiler" -O2 -Wall -Wno-frame-address -c "$real/counter.c" -o counter.obj || die "the counter does not compile"
# shellcheck disable=SC2086
"$compiler" -pie -o counted ./*.o counter.obj $libraries || die "does not link with the counter"

# Under one name: a program's own name is part of what it works on.
export TIMED_MAIN_OUTPUT=timed.txt
ln -sf counted program
CALL_COUNTER_OUTPUT=counter.txt "run_$program" ./program >counted.out || die "the counted program fails"
ln -sf traced program
"run_$program" ./program >traced.out || die "the traced program fails"
cmp counted.out traced.out || die "tracing changes what the program prints"
lz4 -t -q trace.lz4 || die "lz4 -t"
"$cprof_analyze" check trace.lz4 >/dev/null || die "cprof-analyze check"
counts_compare counter.txt counted trace.lz4 || die "the counts differ"
echo "$program, $compiler: $(wc -l <functions.expected) functions and $(wc -l <pairs.expected) pairs equal, $(jq .trace.calls flat.json) calls"

# The longest call of timed_call() is the one between the two clock readings. It cannot be longer than they say but for the error of
# the pairs of ticks and ns; shorter only by what two readings and two hooks take. A run that was interrupted just there is made again.
for attempt in 1 2 3 4 5 6 7 8; do
	wall_ns=$(sed -n 's/^wall_ns //p' timed.txt)
	call_ns=$(jq '.functions[] | select(.name == "timed_call") | .call_ns.max' flat.json)
	difference_ns=$((wall_ns - call_ns))
	echo "attempt $attempt: main took $wall_ns ns, recorded were $call_ns ($difference_ns ns less)"
	[ $difference_ns -ge -500 ] && [ $difference_ns -le 1000 ] && exit 0
	"run_$program" ./program >/dev/null
	"$cprof_analyze" flat --format=json trace.lz4 >flat.json
done
die "recorded time and wall time differ"
