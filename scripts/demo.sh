#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# From nothing to an answer: installs what is needed, builds cprof, compiles the example with cprof-cc, runs it, prints its contextual
# tree and writes flamegraph.svg into the current folder. Everything else happens in build-demo/.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-demo
say() { printf '\n== %s\n' "$*"; }

say "What is needed to build"
sh "$top/scripts/install-packages.sh" demo

say "Building cprof in $build"
mkdir -p "$build"
cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF >"$build/build.log" 2>&1 &&
	cmake --build "$build" >>"$build/build.log" 2>&1 || {
	tail -40 "$build/build.log"
	echo "cprof does not build; the whole log is $build/build.log"
	exit 1
}
PATH=$build/cc-wrapper:$build/analyzer:$build/bpf:$PATH

say "The example, an ordinary makefile project (examples/logstat), built to be profiled: CC=cprof-cc make"
rm -rf "$build/logstat"
cp -R "$top/examples/logstat" "$build/logstat"
cd "$build/logstat"
CC=cprof-cc make -s clean
CC=cprof-cc make

say "Running it: ./logstat"
./logstat
ls -l trace.lz4

say "The contextual tree: cprof-analyze tree trace.lz4"
cprof-analyze tree --min-percent=1 trace.lz4
cat <<'END'

dict_find() and its chain_find() serve three tables and the queries; only under session_track() do they take long (session.c says
why). A flat profile cannot tell:
END
cprof-analyze flat trace.lz4 | head -20

if command -v cprof-record >/dev/null && cprof-record -q -o probe.lz4 -- true 2>/dev/null; then
	rm -f probe.bpf.lz4
	say "The same with the kernel's half: cprof-record --all -o recorded.lz4 -- ./logstat"
	cprof-record --all -o recorded.lz4 -- ./logstat >/dev/null
	cprof-analyze tree --min-percent=2 recorded.lz4
	cprof-analyze advise recorded.lz4
else
	say "Not shown here: cprof-record (it needs libbpf, bpftool and clang to be built, and the right to use BPF)"
fi

say "A flame graph: cprof-analyze flamegraph -o flamegraph.svg trace.lz4"
cprof-analyze flamegraph -o flamegraph.svg trace.lz4
cd "$OLDPWD"
cp "$build/logstat/flamegraph.svg" .
echo "Open $(pwd)/flamegraph.svg in a browser. The trace is $build/logstat/trace.lz4; the tools are in $build/cc-wrapper and $build/analyzer."
