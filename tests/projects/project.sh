#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# project.sh BUILD PROJECT COMPILER [full|plain]: a project from a Debian source package, rebuilt with cprof-cc by its own build system.
#
# Its own test suite must pass, and every trace that its programs leave, wherever they run, must be sound and complete. One workload's
# calls are held against those that counter.c, preloaded, counts in the same program (counts.sh says how).
# `full` runs all of the test suite, also what takes long; `plain` does it without cprof, to see what fails by itself.
# The sources are downloaded once, into BUILD/tests/cache; logs and traces stay in BUILD/tests/work/projects.
set -u
build=$1 project=$2 compiler=$3 full=
case ${4:-} in
full | plain) full=$4 ;;
esac
projects=$(cd "$(dirname "$0")" && pwd)
real=$projects/../real
cache=$build/tests/cache
. "$projects/../support/cprof-env.sh"
. "$real/counts.sh"
. "$projects/projects.sh"

name=$project-$compiler${4:+-$4}
work=$build/tests/work/projects/$name
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
# step WHAT COMMAND...: runs it in the sources, with its output in WHAT.log.
step() {
	step=$1
	shift
	started=$(date +%s)
	(cd source && "$@") </dev/null >"$step.log" 2>&1 || {
		tail -40 "$step.log"
		die "$name: $step; all of it in $work/$step.log"
	}
	echo "$name: $step, $(($(date +%s) - started)) s"
}

eval "package=\$package_$project program=\${program_$project:-}"
sh "$real/fetch.sh" "$cache" "$package" >fetch.log 2>&1 || { cat fetch.log; die "cannot fetch $package"; }
cp -R "$cache/$package" source

plain_cc=$compiler launcher= lto=true
case $compiler in
gcc) plain_cxx=g++ ;;
clang) plain_cxx=clang++ lto=false ;; # Its own linker plugin is not part of the tests' packages.
esac
if [ "$full" = plain ]; then
	step build "build_$project" "$plain_cc" "$plain_cxx"
	step check "check_$project"
	exit 0
fi
PATH=$build/cc-wrapper:$PATH
launcher="cprof-cc;--launch"

step build "build_$project" "cprof-$plain_cc" "cprof-$plain_cxx"
find source -name '*.lz4.live' >left
[ ! -s left ] || { cat left; die "$name: the build leaves live files"; }
grep -E 'cprof-cc: |libcprof: ' build.log && die "$name: cprof has something to say while it builds"
find source -name 'trace*.lz4' -delete # by programs that the build runs

step check "check_$project"
find source -name '*.lz4.live' >left
[ ! -s left ] || { cat left; die "$name: the tests leave live files"; }
find source -name 'trace*.lz4' -size +0 >traces
[ -s traces ] || die "$name: the tests leave no trace"
while read -r trace; do
	"$cprof_analyze" check "$trace" >check-trace.log 2>&1 || { cat check-trace.log; die "$name: cprof-analyze check $trace"; }
done <traces
echo "$name: $(wc -l <traces) traces, all sound and complete"
[ "$program" ] || exit 0

"$plain_cc" -O2 -Wall -Wno-frame-address -fPIC -shared -o counter.so "$real/counter.c" -ldl || die "the counter does not compile"
"$plain_cc" -O2 -Wall -fPIC -shared -o random.so "$projects/same_random.c" || die "same_random.c does not compile"
echo | "$plain_cc" -fPIC -shared -x c -o nothing.so - || die "an empty library cannot be made"
cd source || exit 1
# The same names in the environment, with values of the same length: jq makes an object of it.
export CPROF_OUTPUT="$work/trace.lz4" CALL_COUNTER_OUTPUT="$work/counter.txt"
"run_$project" env LD_PRELOAD="$work/random.so:$work/nothing.so" "./$program" >"$work/traced.out" || die "$name: the workload fails"
"run_$project" env LD_PRELOAD="$work/random.so:$work/counter.so" "./$program" >"$work/counted.out" || die "$name: the counted workload fails"
cd "$work" || exit 1
cmp counted.out traced.out || die "$name: tracing changes what the workload prints"
"$cprof_analyze" check trace.lz4 >/dev/null || die "$name: cprof-analyze check trace.lz4"
counts_compare counter.txt "source/$program" trace.lz4 || die "$name: the counts differ"
echo "$name: $(wc -l <functions.expected) functions and $(wc -l <pairs.expected) pairs equal, $(jq .trace.calls flat.json) calls"
