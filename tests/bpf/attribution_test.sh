#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# attribution_test.sh BUILD: every event of every kind carries the right context, with all sources on: in threads side by side, in a thousand threads of some
# microseconds, in a fork's child, a spawned program and a new image (attribution_target.c). Counts are exact, and no context is said that nobody set.
#
# A thread that was woken on its way off the CPU has an interval without blocked time: such are no naps and no waits.
#
# Measured up to three times (finish_or_again).
set -u
build=$1 attempt=${2:-1}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel-env.sh"
work=$build/tests/work/bpf/attribution
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

make_ext4_folder
timeout 200 "$cprof_record" --all --threshold=0 --lock-threshold=0 -F 997 --window=10m -o trace.lz4 -- "$build/tests/bpf/attribution_target" "$folder" >said 2>record.err ||
	{ cat record.err said; die "status $?"; }
for source in cpu off-cpu io block locks memory faults; do
	grep -q "$source *on:" record.err || { cat record.err; die "no $source"; }
done
read_records trace

# in(KIND; CONTEXT): the sums of that kind there. Kinds: 1 off the CPU, 2 run queue, 3 system call, 4 and 5 block, 6 lock, 7 fault, 8 allocated, 9 freed.
claim() { # WHAT EXPRESSION
	ask "$1" '$said[0] as $n | def in($kind; $context): [sums($kind) | select(.who.context == $context)]; def count: [.[].count] | add // 0; def exact: all(.[]; .who.quality == 1); '"$2" \
		--slurpfile said said
}
claim "naps, asleep" 'in(1; $n.in_nap) | map(select(.sub == 4)) | count == $n.workers * $n.naps and exact'
claim "each nap is an interval, woken by a timer" '[every("off_cpu") | select(.who.context == $n.in_nap and .blocked_class == 4 and .blocked_ns > 0)] |
	length == $n.workers * $n.naps and all(.[]; .waker.tgid == 0 and (.woken_by == 2 or .runq_ns == 0) and .who.quality == 1)'
claim "allocations" 'in(8; $n.in_malloc) | count == $n.workers * $n.mallocs and ([.[].bytes] | add) == $n.workers * $n.mallocs * $n.malloc_bytes and exact'
claim "and what was freed of them" 'in(9; $n.in_malloc) | count == $n.workers * $n.mallocs and ([.[].bytes] | add) == $n.workers * $n.mallocs * $n.malloc_bytes'
claim "system calls" 'in(3; $n.in_call) | count == $n.workers * $n.calls and exact and all(.[]; .sub == 1 and (.path | endswith("/called")))'
claim "page faults" 'in(7; $n.in_fault) | count == $n.workers * $n.pages and exact'
claim "direct writes" 'in(3; $n.in_write) | count == $n.workers * $n.requests and ([.[].bytes] | add) == $n.workers * $n.requests * $n.request_bytes and exact'
for way in 1:in_write 0:in_read; do
	claim "requests of the block device, $way" '[every("block") | select(.who.context == $n.'"${way#*:}"' and .op == '"${way%:*}"' and .inode != 0)] |
		length >= $n.workers * $n.requests and ([.[].bytes] | add) == $n.workers * $n.requests * $n.request_bytes and exact'
done
claim "waits for locks, with their holders" 'in(6; $n.in_lock) | count == $n.workers * $n.locks and exact and all(.[]; .sub == 1 and .other == $n.in_hold)'
claim "each wait is a record, held by another thread" '[every("lock") | select(.who.context == $n.in_lock)] | length == $n.workers * $n.locks and
	all(.[]; .lock_class == 1 and .holder.context == $n.in_hold and .holder.quality == 1 and .holder.tid != .who.tid and .holder.tgid == .who.tgid)'
claim "off the CPU for them, woken by the holder" '[every("off_cpu") | select(.who.context == $n.in_lock and .blocked_class == 0 and .blocked_ns > 0)] |
	length == $n.workers * $n.locks and all(.[]; .woken_by == 1 and .waker.context == $n.in_hold and .waker.quality == 1 and .waker.tid != .who.tid)'
claim "samples lie where the context says" '[every("sample") | select(.kernel == 0) | . + {page: (.ip - .ip % 4096)} | select(.page == $n.spin_a_address or .page == $n.spin_b_address)] |
	length > 50 and all(.[]; .who.quality == 1 and .who.context == (if .page == $n.spin_a_address then $n.in_spin_a else $n.in_spin_b end))'
claim "and the other way round" '[every("sample") | select(.kernel == 0 and .probe == 0 and (.who.context == $n.in_spin_a or .who.context == $n.in_spin_b))] |
	all(.[]; .who.context == (if .ip - .ip % 4096 == $n.spin_a_address then $n.in_spin_a elif .ip - .ip % 4096 == $n.spin_b_address then $n.in_spin_b else .who.context end))'
# (malloc may look up the number of processors: more system calls of such a thread, but no more writes)
for kind in 3:in_short 7:in_short_fault 8:in_short 9:in_short; do
	claim "1,000 short threads: one event of kind ${kind%:*} in each of as many contexts" '
		[sums('"${kind%:*}"') | select(.kind != 3 or .sub == 1) | select(.who.context >= $n.'"${kind#*:}"' and .who.context < $n.'"${kind#*:}"' + $n.shorts)] |
		group_by(.who.context) |
		length == $n.shorts and all(.[]; count == 1 and exact)'
done
claim "a child before it registers: its parent's context, labelled" 'in(1; $n.in_fork) | map(select(.sub == 4)) | count == 1 and all(.[]; .who.quality == 4)'
claim "a child's own" '(in(1; $n.in_child) | map(select(.sub == 4)) | count == $n.naps and exact) and (in(3; $n.in_child) | count == $n.calls and exact) and
	(in(7; $n.in_child_fault) | count == $n.pages and exact)'
claim "a child's are of its own process" '[sums(1, 3, 7) | select(.who.context == $n.in_child or .who.context == $n.in_child_fault).who.tgid] | unique | length == 1 and .[0] != $lead'
claim "a new image's" '(in(1; $n.in_image) | map(select(.sub == 4)) | count == $n.naps and exact) and (in(3; $n.in_image) | map(select(.sub == 1)) | count == $n.calls and exact) and
	(in(7; $n.in_image_fault) | count == $n.pages and exact) and (in(8; $n.in_image) | count == $n.mallocs and exact)'
claim "a new image's are of its generation" '[sums(1, 3, 7, 8) | select(.who.context == $n.in_image or .who.context == $n.in_image_fault).who | [.tgid, .generation]] | unique == [[$lead, $n.images]]'
claim "a spawned program has nobody's contexts" '[every("process") | select(.name == "true") | .tgid] as $true | ($true | length) > 0 and
	all(sums(1, 2, 3, 7); (.who.tgid | IN($true[]) | not) or .who.context == 0 or .who.context == $n.in_spawn and .who.quality == 4)'
claim "no context that nobody set" '[$n | to_entries[] | select(.key | startswith("in_")).value] as $known |
	[every("sum", "sample", "off_cpu", "io", "lock", "block") | (.who, .waker // empty, .holder // empty).context] | unique |
	all(.[]; . == 0 or IN($known[]) or . >= $n.in_short and . < $n.in_short + $n.shorts or . >= $n.in_short_fault and . < $n.in_short_fault + $n.shorts)'
claim "none is inherited, stale or guessed but those of a child that has not registered" '[sums(1, 3, 6, 7, 8) | select(.who.context != 0 and .who.quality != 1) | .who.context] | unique |
	all(.[]; . == $n.in_fork or . == $n.in_spawn)'
ask_nothing_lost
finish_or_again
