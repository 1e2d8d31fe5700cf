#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# read.sh BUILD FILE: a stored trace of a released version of the format (made by make.sh) is sound and says what it always said: FILE.expected.
set -u
build=$1 file=$2
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/cprof-env.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
{
	"$cprof_analyze" check "$file" >"$work/check" 2>&1
	echo "check: $?"
	"$cprof_analyze" info --format=json "$file" | jq -S -c '.trace | {calls, repaired_calls, open_calls, threads, lost_events}'
	"$cprof_analyze" flat --format=json "$file" | jq -r '.functions[] | [.calls, .wall_ns.self] | @tsv' | sort -n
	"$cprof_analyze" tree --format=json "$file" | jq -c '[.root | recurse(.children[])] | {nodes: length, calls: (map(.calls) | add), wall: (map(.wall_ns.self) | add)}'
	lz4 -dc "$file" | sha256sum
} >"$work/found"
diff -u "$file.expected" "$work/found" || {
	cat "$work/check"
	exit 1
}
