#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# All tests, from nothing: installs what is needed, builds with every compiler and sanitizer that counts, runs everything. Builds are in
# build-test/; real programs' sources are downloaded once and kept there. The exit status is 0 when everything passed.
#
# The main build comes last, so that the output ends with its summary.
#
# test.sh projects: instead, projects from Debian source packages are rebuilt with cprof-cc by their own build systems and must pass their own
# tests (tests/projects). Ten minutes on two cores.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
builds=$top/build-test
jobs=$(nproc)
say() { printf '\n== %s\n' "$*"; }

# tree NAME CMAKE-OPTION...: configures and builds build-test/NAME.
tree() {
	name=$1
	shift
	mkdir -p "$builds"
	cmake -S "$top" -B "$builds/$name" -G Ninja -DCPROF_WERROR=ON "$@" >"$builds/$name.log" 2>&1 &&
		cmake --build "$builds/$name" -j "$jobs" >>"$builds/$name.log" 2>&1 || {
		grep -A12 -m5 -E '(CMake Error|error:|FAILED:|undefined reference)' "$builds/$name.log" || tail -40 "$builds/$name.log"
		echo "FAILED: build-test/$name does not build; the whole log is $builds/$name.log"
		exit 1
	}
}

# tests NAME CTEST-OPTION...
tests() {
	name=$1
	shift
	ctest --test-dir "$builds/$name" -j "$jobs" --output-on-failure --no-tests=error "$@"
}

failed=
case ${1:-} in
projects)
	say "Packages"
	sh "$top/scripts/install-packages.sh" projects
	say "Projects rebuilt with cprof-cc: their own tests"
	tree gcc -DCMAKE_BUILD_TYPE=RelWithDebInfo
	tests gcc -L projects
	exit
	;;
'') ;;
*)
	echo "usage: $0 [projects]" >&2
	exit 2
	;;
esac
say "Packages"
sh "$top/scripts/install-packages.sh" test

say "Address and undefined-behaviour sanitizers: unit tests, hostile input, exports"
tree sanitized -DCMAKE_BUILD_TYPE=Debug -DCPROF_SANITIZE=address,undefined
tests sanitized -LE browser || failed="$failed sanitized"

say "clang: unit tests"
tree clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
tests clang -L short || failed="$failed clang"

say "Thread sanitizer: unit tests of the runtime"
tree threads -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCPROF_SANITIZE=thread
tests threads -R '^rt_' || failed="$failed threads"

say "aarch64, emulated: unit tests and programs"
sh "$top/scripts/install-packages.sh" aarch64
tree aarch64 -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_TOOLCHAIN_FILE="$top/cmake/aarch64-linux-gnu.cmake"
tests aarch64 -L emulated || failed="$failed aarch64"

say "gcc, as it is released: all tests"
tree gcc -DCMAKE_BUILD_TYPE=RelWithDebInfo
[ -x "$builds/gcc/bpf/cprof-record" ] || {
	grep "cprof-record is not built" "$builds/gcc.log"
	failed="$failed cprof-record" # an optional part for users, not for its own tests
}
tests gcc -LE projects || failed="$failed gcc"

[ -z "$failed" ] || {
	echo "FAILED:$failed"
	exit 1
}
