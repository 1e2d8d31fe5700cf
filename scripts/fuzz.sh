#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# fuzz.sh [SECONDS [TARGET...]]: the long tier of the fuzz tests. Builds every libFuzzer target of tests/fuzz with clang and sanitizers in
# build-fuzz/ and runs each for SECONDS (600), from the corpus that ctest replays, and from what earlier runs found (build-fuzz/found). The exit
# status is 0 when nothing was found; what was lies in build-fuzz/TARGET-*.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
seconds=${1:-600}
[ $# = 0 ] || shift
build=$top/build-fuzz

mkdir -p "$build"
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
	-DCPROF_FUZZ=ON -DCPROF_SANITIZE=address,undefined,fuzzer-no-link >"$build/log" 2>&1 || {
	tail -40 "$build/log"
	exit 1
}
targets=$(ninja -C "$build" -t targets all | sed -n 's/^tests.fuzz.\([a-z_]*\)-libfuzzer:.*/\1/p' | sort -u)
[ -n "$targets" ] || {
	echo "fuzz: no targets" >&2
	exit 1
}
for target in ${*:-$targets}; do
	ninja -C "$build" "$target" "$target-libfuzzer" >>"$build/log" 2>&1 || {
		tail -40 "$build/log"
		exit 1
	}
done
ninja -C "$build" fuzz_corpora >>"$build/log" 2>&1

failed=
for target in ${*:-$targets}; do
	found=$build/found/$target
	mkdir -p "$found"
	# The files that its ctest test replays.
	corpus=$build/corpora/$target
	rm -rf "$corpus" && mkdir -p "$corpus"
	n=0
	for file in $(cat "$build/tests/fuzz/$target.corpus"); do
		n=$((n + 1))
		cp "$file" "$corpus/$n"
	done
	echo "== $target: $seconds s from $n files"
	"$build/tests/fuzz/$target-libfuzzer" -max_len=65536 -rss_limit_mb=2048 -timeout=10 -max_total_time="$seconds" -print_final_stats=1 \
		-artifact_prefix="$build/$target-" "$found" "$corpus" >"$build/$target.log" 2>&1 || failed="$failed $target"
	grep -E 'number_of_executed_units|peak_rss|SUMMARY|Test unit written|broken promise' "$build/$target.log" || tail -5 "$build/$target.log"
done
[ -z "$failed" ] || {
	echo "FAILED:$failed"
	exit 1
}
