#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# read.sh BUILD FILE: a stored trace of a released version of the format (made by make.sh) is sound and says what it always said: FILE.expected. With a live
# file beside it, FILE.live.xz, the two are read together, and what `recover` makes of them says the same.
set -u
build=$1 file=$2
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/cprof-env.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$file" "$work/trace"
[ ! -e "$file.live.xz" ] || xz -dc "$file.live.xz" >"$work/trace.live" || exit 1

say() { # TRACE
	"$cprof_analyze" check "$1" >"$work/check" 2>&1
	echo "check: $?"
	"$cprof_analyze" info --format=json "$1" | jq -S -c '.trace | {calls, repaired_calls, open_calls, threads, lost_events}'
	"$cprof_analyze" flat --format=json "$1" | jq -r '.functions[] | [.calls, .wall_ns.self] | @tsv' | sort -n
	"$cprof_analyze" tree --format=json "$1" | jq -c '[.root | recurse(.children[])] | {nodes: length, calls: (map(.calls) | add), wall: (map(.wall_ns.self) | add)}'
}
{
	say "$work/trace"
	lz4 -dc "$file" | sha256sum
} >"$work/found"
diff -u "$file.expected" "$work/found" || {
	cat "$work/check"
	exit 1
}
[ -e "$work/trace.live" ] || exit 0
"$cprof_analyze" recover "$work/trace" -o "$work/recovered" >"$work/recover" 2>&1 || {
	cat "$work/recover"
	exit 1
}
say "$work/recovered" >"$work/found"
sed '$d' "$file.expected" | diff -u - "$work/found"
