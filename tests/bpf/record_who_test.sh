#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# record_who_test.sh CASE BUILD: which process, image and thread an event is of, however it came to be.
set -u
. "$(dirname "$0")/record-env.sh"

# A child has its parent's context until it registers, and says so; then its own.
case_fork() {
	record --off-cpu --faults -- record_target fork || fail "status $?"
	check_sound
	check "two processes, both ended, one with status 5, the other the target" '
		[.[] | select(.record == "process" and .generation == 0)] | length == 2 and (map(.exit_status) | sort) == [0, 1280] and
		all(.end_ns > .start_ns) and (map(select(.flags / 4 % 2 >= 1)) | length) == 1'
	check "the child's nap before it registered: its parent's context, labelled inherited" '
		[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003)] | length == 1 and .[0].count == 1 and .[0].who.quality == 4'
	check "its own contexts then, exact" '[.[] | select(.record == "sum" and .kind == 7 and .who.context == 1005)] | length == 1 and .[0].count == 10 and .[0].who.quality == 1'
}

# Three images of one process: nothing of one is charged to another.
case_exec() {
	record --off-cpu --faults -- record_target exec 0
	[ $? = 6 ] || fail "status"
	check_sound
	check "generations 0, 1 and 2, of one process" '[.[] | select(.record == "process" and .flags % 2 == 1)] | map(.generation) == [0, 1, 2] and (map(.tgid) | unique | length) == 1'
	check "10 faults in each, in its own context" '
		[range(3)] | all(. as $g | $all | map(select(.record == "sum" and .kind == 7 and .who.context == 1005 + $g)) |
		(map(.count) | add) == 10 and all(.who.generation == $g and .who.quality == 1))' --slurpfile all facts.json
	check "each image has its totals" '[.[] | select(.record == "thread" and .generation < 32768).generation] == [0, 1, 2]'
}

case_spawn() {
	record --off-cpu --faults -- record_target spawn || fail "status $?"
	check_sound
	check "the child is a process of its own without a runtime" '[.[] | select(.record == "process" and .name == "true")] | length == 1 and .[0].flags % 2 == 0 and .[0].end_ns > 0'
	check "nothing of it in a context of its parent once it is another program" '
		(.[] | select(.record == "process" and .name == "true").tgid) as $child |
		[.[] | select(.record == "sum" and .who.tgid == $child and .who.generation >= 32768).who] | length > 0 and all(.context == 0 and .quality == 7)'
	record --off-cpu --threshold=0 -- record_target spawn || fail "status $?"
	check "if it wakes its parent when it has ended, it is no stranger by that" '
		([.[] | select(.record == "process" and .name == "true")] | length == 1 and .[0].flags == 2) and
		(.[] | select(.record == "process" and .name == "true").tgid) as $child | [.[] | select(.record == "process" and .tgid == $child).generation] as $images |
		[.[] | select(.record == "off_cpu" and .waker.tgid == $child).waker.generation] | all(IN($images[]))'
}

# More threads than slots: the rest through their own memory.
case_slots_exhausted() {
	record --slots=4 --off-cpu -- record_target threads 6 || fail "status $?"
	check_sound
	check "60 naps in their context: 20 from 2 slots, 40 from memory" '
		[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003)] |
		(map(select(.who.quality == 1).count) | add) == 20 and (map(select(.who.quality == 2).count) | add) == 40 and (map(.count) | add) == 60'
	[ "$(counter slots.exhausted)" = 4 ] || fail "slots.exhausted: $(counter slots.exhausted), expected 4"
}

# A process that runs already: its threads' memory says where they are, of those too that come later.
case_attach() {
	mkfifo in
	record_target attached <in >target.out &
	target=$!
	background=$target
	exec 3>in
	until grep -q ready target.out; do sleep 0.05; done
	cprof-record -o t.lz4 --off-cpu --faults --cpu -p $target 2>err &
	recorder=$!
	background="$target $recorder"
	until grep -q "^cprof-record: faults" err; do kill -0 $recorder 2>/dev/null || fail "it ended"; sleep 0.05; done
	echo >&3
	until grep -q "done" target.out; do sleep 0.05; done
	kill -INT $recorder
	wait $recorder || fail "status $?"
	echo >&3
	wait $target || fail "the target: $?"
	background=
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check_sound
	check "70 naps and 200 faults, exact, read from the threads' memory" '
		[.[] | select(.record == "sum" and .who.context == 1003 and .kind == 1 and .sub == 4)] as $naps | [.[] | select(.record == "sum" and .who.context == 1005 and .kind == 7)] as $faults |
		($naps | map(.count) | add) == 70 and ($faults | map(.count) | add) == 200 and ($naps + $faults | all(.who.quality == 2))'
	check "one process, with runtime, still running" '[.[] | select(.record == "process" and .flags < 16)] | length == 1 and .[0].flags == 5 and .[0].end_ns == 0'
}

# Who wakes a thread has a name, even if nothing else of it is recorded. A wait shorter than the threshold does not say who ended it.
case_stranger() {
	mkfifo fifo
	{ until [ -e reads ]; do sleep 0.05; done; sleep 0.5; echo >fifo; } &
	record --off-cpu -- sh -c 'echo >reads; read -r line <fifo' || fail "status $?"
	wait
	check_sound
	check "the process that opened the other end, by its name" '
		([.[] | select(.record == "process" and .flags == 16 and .name == "sh")] | length) == 1 and
		([.[] | select(.record == "process" and .flags == 16).tgid] | unique) as $strangers |
		[.[] | select(.record == "off_cpu" and .blocked_class == 2 and .blocked_ns > 300e6)] | length == 1 and .[0].woken_by == 1 and (.[0].waker.tgid | IN($strangers[]))'
	cprof-analyze off-cpu t.bpf.lz4 | grep -A1 "woken (1) from" | grep -q "sh \[" || fail "the view does not name it"
	# It has another name when it is another program. Again, if the kernel does not say a waking.
	cp /bin/echo waker
	for _ in 1 2 3; do
		rm -f reads
		{ until [ -e reads ]; do sleep 0.05; done; sleep 0.4; echo >fifo; sleep 0.4; exec ./waker >fifo; } &
		record --off-cpu -- sh -c 'echo >reads; read -r line; read -r line' <>fifo || fail "status $?"
		wait
		names=$(cprof-analyze off-cpu --format=json t.bpf.lz4 | jq -c '[.off_cpu[].intervals[] | select(.blocked_ns > 200e6).waker.process] | sort')
		case $names in *null*) ;; *) break ;; esac
	done
	[ "$names" = '["sh","waker"]' ] || { cprof-analyze off-cpu t.bpf.lz4; fail "the names of one process, two programs: $names"; }
	record --off-cpu --threshold=100ms -- sh -c 'for i in 1 2 3; do /bin/true; done' || fail "status $?"
	check "nobody was asked" '[.[] | select(.record == "off_cpu" and .woken_by != 0)] == []'
}

# Threads whose memory cannot be read, or whose thread pointer is another: a slot says the context all the same; without slots it is the last one known, and
# labelled so, or none. Quality 1: slot, 2: the thread's memory, 4: inherited, 5: stale, 6: not registered.
naps_are() { # WAY FILTER: of the interval of each nap that ended, in order: [context, quality]
	check "$1: $2" '[.[] | select(.record == "off_cpu" and .blocked_class == 4 and .open == 0 and .blocked_ns > 10e6)] | sort_by(.time_ns) | map([.who.context, .who.quality]) | '"$2"
}
case_context_errors() {
	for way in no-access elsewhere other-stack; do
		record --off-cpu --threshold=0 -- context_target $way || fail "$way: status $?"
		check_sound
		naps_are $way '. == [[1100, 1]]'
	done
	record --off-cpu --threshold=0 -- context_target raw-clone || fail "raw-clone: status $?"
	# It looks at its parent's memory, which names no context while that has a slot: none rather than a wrong one.
	naps_are "raw-clone, beside its parent's four" 'map(select(.[1] == 4)) == [[0, 4]] and map(select(.[1] == 1)) == [[1100, 1], [1100, 1], [1100, 1], [1100, 1]] and length == 5'
	record --off-cpu --threshold=0 -- context_target unregistered || fail "unregistered: status $?"
	naps_are unregistered '. == [[0, 6]]'
	attach_to no-access
	naps_are "no-access, attached" '. == [[1100, 2], [1100, 5]]'
	attach_to elsewhere
	naps_are "elsewhere, attached" '. == [[1100, 2], [0, 6]]'
	attach_to other-stack
	naps_are "other-stack, attached" '. == [[1100, 2], [1100, 2]]'
	[ "$(id -u)" = 0 ] && truncate -s 0 swap && chmod 600 swap && dd if=/dev/zero of=swap bs=1M count=8 2>/dev/null && mkswap swap >/dev/null && swapon swap 2>swap.err ||
		{ echo "not tried, for swap cannot be had: a page that is swapped out: $(cat swap.err 2>/dev/null)"; return; }
	(attach_to swapped && naps_are "swapped, attached" '. == [[1100, 2], [1100, 5]]')
	swapped=$?
	swapoff swap
	[ $swapped = 0 ] || fail "a page that is swapped out"
}
attach_to() { # WAY
	rm -f in target.out err # of the last time
	mkfifo in
	context_target attach "$1" <in >target.out &
	target=$!
	background=$target
	exec 3>in
	until grep -q ready target.out 2>/dev/null; do sleep 0.05; done
	cprof-record -o t.lz4 --off-cpu --threshold=0 -p $target 2>err &
	recorder=$!
	background="$target $recorder"
	until grep -q "^cprof-record: faults" err 2>/dev/null; do kill -0 $recorder 2>/dev/null || fail "it ended"; sleep 0.05; done
	echo >&3
	until grep -q "done" target.out; do kill -0 $target || fail "$1: the target died"; sleep 0.05; done
	kill -INT $recorder
	wait $recorder || fail "status $?"
	echo >&3
	wait $target || fail "$1: the target: $?"
	exec 3>&-
	background=
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check_sound
}

# Seen from within, everything is the same: the namespace's own ids are said beside.
case_pid_namespace() {
	[ "$(id -u)" = 0 ] || { echo "skipped: needs root to make a pid namespace"; exit 77; }
	record --off-cpu -- unshare --pid --fork record_target naps 20 || fail "status $?"
	check_sound
	check "its first thread is 1 for itself, and has a slot" '[.[] | select(.record == "thread" and .slot > 0)] | length == 1 and .[0].ns_tid == 1 and .[0].tid != 1'
	check "the process says so, too" '[.[] | select(.record == "process" and .pid == 1 and .flags % 2 == 1)] | length == 1 and .[0].tgid != 1'
	check "20 naps, exact" '.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003) | .count == 20 and .who.quality == 1'
}

# All processes: those that nobody named, too.
case_system_wide() {
	record_target naps 1000 >target.out &
	background=$!
	cprof-record -q -o t.lz4 -a --off-cpu -d 1 2>err || fail "status $?"
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check_sound
	check "somebody else's process, by name, with its sleep, by stack" '
		[.[] | select(.record == "process" and .name == "record_target").tgid] as $targets | ($targets | length) > 0 and
		([.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and (.who.tgid | IN($targets[]))) | select(.stack != 0)] | length) > 0'
}

# What the threads that write the traces waited is left out, and said once, whether their traces are read or not.
case_writers() {
	PATH=$build/cc-wrapper:$PATH
	cat >forks.c <<-'END'
		#include <sys/wait.h>
		#include <unistd.h>
		__attribute__((noinline)) static void leaf(void) { __asm__ volatile(""); }
		static void nap(void)
		{
			for (int i = 0; i < 1000000; i++) leaf(); /* then there is somebody who writes */
			usleep(300000);
		}
		int main(void)
		{
			if (!fork()) {
				nap();
				return 0;
			}
			nap();
			return wait(NULL) < 0;
		}
	END
	cprof-cc -O1 -o forks forks.c || fail "cprof-cc"
	record --off-cpu -- ./forks || fail "status $?"
	for of in "" --session; do
		# shellcheck disable=SC2086
		cprof-analyze off-cpu $of --format=json t.lz4 | jq .profiler_ns >"waited$of" || fail "off-cpu $of"
	done
	[ "$(cat waited)" -gt 100000000 ] && [ "$(cat waited)" = "$(cat waited--session)" ] || fail "writers waited $(cat waited) ns, in the whole run $(cat waited--session)"
}

run_case
