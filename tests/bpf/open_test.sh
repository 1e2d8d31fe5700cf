#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# open_test.sh BUILD: system calls that have not ended when the recording does are said, with their time so far, in their context. The recorder is
# attached to a program that runs already (open_target.c), so contexts come from the threads' memory.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel-env.sh"
work=$build/tests/work/bpf/open
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

cprof_cc gcc shared -g -O2 -D_GNU_SOURCE "$here/open_target.c" -o open_target -pthread || die "does not build"
await() { # FILE PATTERN
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || die "waited for '$2' in $1: $(cat "$1")"
		sleep 0.05
	done
}
./open_target &
target=$!
trap 'kill -9 $target 2>/dev/null' EXIT
tries=0
until [ -e trace.lz4.live ] || [ $tries = 600 ]; do # it records by now
	tries=$((tries + 1))
	sleep 0.05
done
"$cprof_record" --io --locks --window=10m -o trace.lz4 -p $target 2>record.err &
recorder=$!
await record.err 'locks *o'
touch go
tries=0
until [ -e asleep ] || [ $tries = 1200 ]; do
	tries=$((tries + 1))
	sleep 0.05
done
kill -INT $recorder
wait $recorder || { cat record.err; die "cprof-record: $?"; }
kill -9 $target
wait $target
read_records trace

ask "the read is open" '[every("io") | select(path(.who)[0] == "read_for_ever")] |
	length == 1 and (.[0] | .open == 1 and .syscall == 0 and .path == "pipe" and .duration_ns > 0 and .who.quality == 2)'
ask "and in the sums" '[sums(3) | select(path(.who)[0] == "read_for_ever")] | length == 1 and (.[0] | .count == 1 and .bytes == 0 and .ns > 0)'
ask "the wait is open" '[every("lock") | select(path(.who)[0] == "wait_for_ever")] |
	length == 1 and (.[0] | .open == 1 and .lock_class == 4 and .duration_ns > 0 and .who.quality == 2)'
ask "and in the sums" '[sums(6) | select(path(.who)[0] == "wait_for_ever")] | length == 1 and (.[0] | .count == 1 and .sub == 4 and .ns > 0)'
ask "no other is open" '[every("io", "lock") | select(.open == 1 and .who.context != 0) | path(.who)[0]] | sort == ["read_for_ever", "wait_for_ever"]'
ask_nothing_lost
finish
