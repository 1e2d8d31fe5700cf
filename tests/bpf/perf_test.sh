#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# perf_test.sh CASE BUILD: cprof-record where it may not use BPF: perf events, whose records get their contexts by time (perf_target.c says what there is to see).
# Run as nobody without a capability. Times are those of the target's own clocks: what a busy machine adds is in other columns.
set -u
case=$1
build=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/cprof-env.sh"

fail() {
	echo "FAILED: $*"
	[ -s err ] && { echo "cprof-record said:"; cat err; }
	exit 1
}
grep -q "^case_$case()" "$0" || { echo "no such case: $case"; exit 2; }
. "$here/nobody-env.sh"
may_use_perf_events
cprof_cc gcc shared -g -O2 "$here/perf_target.c" -o target -pthread || fail "cannot build"

# Facts of the tree of all processes, by the innermost function: sums over its contexts, in ms.
read_tree() {
	"$cprof_analyze" tree --session --format=json t.lz4 >tree.json || fail "cprof-analyze tree"
	jq '. as $tree | [.root | recurse(.children[]?) | select(.kind == "function")] | group_by(.name) | map({key: .[0].name, value: {
		cpu: (map(.cpu_ns.self) | add / 1e6), blocked: (map(.blocked_ns.self) | add / 1e6), wall: (map(.wall_ns.self) | add / 1e6),
		runq: (map(.runq_ns.self) | add / 1e6), switches: (map(.switches.self // 0) | add), samples: (map(.samples.total) | add), unexplained: (map(.unexplained_ns.self // 0) | add / 1e6),
		paths: length}}) + [{key: "total", value: {samples: $tree.root.samples.total, wall: 0, cpu: 0, runq: 0, switches: 0, blocked: 0, unexplained: 0}}] | from_entries' tree.json >functions.json || fail "the tree is not as expected"
}

check() { # TEXT EXPRESSION over functions.json
	[ "$(jq -r "$2" functions.json)" = true ] || { jq -c . functions.json; fail "not so: $1 ($2)"; }
}

record() { # CAPABILITIES ARGUMENT...
	record_as=$1
	shift
	as_nobody "$record_as" bin/cprof-record -o t.lz4 "$@" >out 2>err
	[ $? = 7 ] || fail "the program's exit status"
}

# What is in the columns is exact: the threads' own CPU clocks say the same.
check_target() {
	read_tree
	# What a thread burned by its clock is on-CPU, and little else: its clock runs on a little longer than the notes of its switches (some us each), or stops
	# earlier (some 17 us: record_time_test.sh, calls).
	check "300 ms in burn_long" '.burn_long | .cpu >= 290 and .cpu < 320 + 0.03 * .switches'
	check "100 ms in burn_short" '.burn_short | .cpu >= 95 and .cpu < 115 + 0.03 * .switches'
	check "100 ms below folded calls, in one context" '.burn_folded | .cpu >= 95 and .cpu < 115 + 0.03 * .switches and .paths == 1'
	check "a child's 100 ms, without a nap's" '.in_child | .cpu >= 95 and .cpu < 115 + 0.03 * .switches'
	check "naps are blocked, and only that" '.nap.blocked >= 42 and .nap.cpu < .nap.blocked / 2'
	check "the pipe" '.wait_for_byte.blocked >= 140 and .wait_for_byte.cpu < 10'
	check "the mutex" '.wait_for_lock.blocked >= 140 and .wait_for_lock.cpu < 10'
	check "functions that burn are not blocked" '[.burn_long, .burn_short, .burn_folded] | map(.blocked < 5) | all'
	check "wall = on-CPU + run queue + blocked" 'map(.wall - .cpu - .runq - .blocked - .unexplained | fabs < 0.01) | all'
	check "samples lie in functions that burn" '([.burn_long, .burn_short, .burn_folded, .in_child, .burn_before // empty] | map(.samples) | add) as $burn | $burn > 60 and $burn > .total.samples * 0.95'
	check "as many as there was time" '.burn_long.samples as $long | ([.burn_short, .burn_folded] | map(.samples) | add) as $short |
		($long / 3 - $short / 2) | fabs < 12'
}

case_target() {
	record -all -F 199 -- ./target
	grep -q "^cprof-record: cpu .*on: .*user code alone" err || fail "it does not say how samples are taken"
	grep -q "setcap" err || fail "no advice"
	check_target
	"$cprof_analyze" info --session t.lz4 >info.txt
	grep -q "cpu at 199 Hz (code of programs alone)" info.txt && grep -q "those in the kernel included" info.txt && ! grep -q "further off than chance" info.txt ||
		{ cat info.txt; fail "what is said of the samples"; }
	"$cprof_analyze" check t.bpf.lz4 >check.out || { cat check.out; fail "the file is not sound"; }
	[ "$(jq -r '.trace.kernel.context_quality.off_cpu.timed >= 22' tree.json)" = true ] || fail "quality of the contexts"
	"$cprof_analyze" off-cpu --session t.lz4 | grep -q "^ *woken" && fail "it says who ended waits: nobody told it"
	# The two waits are longer than the time between two looks.
	"$cprof_analyze" off-cpu --session --format=json t.lz4 >off.json || fail off-cpu
	jq -e '.off_cpu | any(.path[-1]? == "wait_for_byte" and .reason == "file" and .intervals[0].file[:5] == "pipe:") and
		any(.path[-1]? == "wait_for_lock" and .reason == "lock")' off.json >/dev/null ||
		{ "$cprof_analyze" off-cpu --session t.lz4; fail "the pipe is not named"; }
}

# Two images of one process, each with its own trace: contexts are told apart by time.
case_images() {
	record -all -F 199 -- ./target again
	check_target
	check "100 ms before" '.burn_before | .cpu >= 95 and .cpu < 115 + 0.03 * .switches'
}

# An image without a trace, of a process that had one with a trace before: what it does is not that one's.
case_exec() {
	cat >exec.c <<-'END'
		#include <unistd.h>
		volatile unsigned long sink;
		__attribute__((noinline)) static void before(void) { for (int i = 0; i < 20000000; i++) sink += (unsigned long)i; }
		int main(void)
		{
			before();
			execl("/bin/sh", "sh", "-c", "i=0; while [ $i -lt 150000 ]; do i=$((i + 1)); done; sleep 0.3; exit 7", (char *)0);
			return 1;
		}
	END
	cprof_cc gcc shared -g -O2 exec.c -o program || fail "cannot build"
	record -all -F 499 -- ./program
	read_tree
	[ "$(jq -r '.trace.kernel.context_quality | .samples.no_runtime > 20 and .off_cpu.no_runtime > 0' tree.json)" = true ] ||
		{ jq -c .trace.kernel.context_quality tree.json; fail "the second image is no stranger"; }
	check "the first has none of the second's time" '.main.blocked < 100 and .before.blocked < 100'
	"$cprof_analyze" off-cpu --format=json t.lz4 >off.json || fail off-cpu
	jq -e '.off_cpu | any(.context.process? == "sh" and .reason == "other" and .ns > 250e6)' off.json >/dev/null || { cat off.json; fail "the second's wait"; }
}

# A recording that ends before the program: what the kernel still said is not behind its end.
case_duration() {
	as_nobody -all bin/cprof-record -q -o t.lz4 --off-cpu --duration=500ms -- ./target threads >out 2>err
	[ $? = 7 ] || fail "the program's exit status"
	"$build/tests/support/kernel_dump" t.bpf.lz4 | jq -es '(.[] | select(.record == "end")) as $last | [.[] | select(.record == "off_cpu")] | length > 20 and
		all(.time_ns + .blocked_ns + .runq_ns <= $last.end_ns)' >/dev/null || fail "intervals go on behind the end"
}

# A program that runs already, and makes more threads.
case_attach() {
	as_nobody -all sh -c './target threads & sleep 0.3; bin/cprof-record -o trace.lz4 -F 999 -p $! -d 1s >out 2>err || exit 1; wait $!'
	[ $? = 7 ] || fail "cprof-record, or the program's exit status"
	mv trace.lz4 t.lz4 && mv trace.bpf.lz4 t.bpf.lz4 || fail "no files"
	read_tree
	"$build/tests/support/kernel_dump" t.bpf.lz4 | jq -s '[.[] | select(.record == "thread" and .name != "cprof")] |
		{cpu: (map(.on_cpu_ns) | add / 1e6), blocked: (map(.blocked_ns | add) | add / 1e6), threads: length}' >threads.json || fail "threads"
	# What the kernel said of the threads is in the tree, wherever it lies in their calls: but for what came before a new thread's first call.
	[ "$(jq -rs '.[0] as $f | .[1] as $t | ([$f[] | .cpu] | add) as $cpu | ([$f[] | .blocked] | add) as $blocked |
		($cpu - $t.cpu | fabs) < 10 and $cpu > 100 and ($blocked - $t.blocked | fabs) < 10 and $t.threads >= 4' functions.json threads.json)" = true ] ||
		{ jq -c . functions.json threads.json; fail "tree and threads differ"; }
	check "main waited all the time" '.wait_for_threads.blocked >= 950 and .wait_for_threads.cpu < 5'
	check "burning is on the CPU, napping is not" '.burn_little.blocked < 50 and .nap.cpu < .nap.blocked / 2'
	check "samples" '.burn_little.samples > .burn_little.cpu * 0.7'
}

# A program that makes threads while one attaches to it: each is followed on all CPUs, and once; nothing that came before it was followed is counted.
case_attach_births() {
	gcc -O1 "$here/births_target.c" -o births -pthread || fail gcc
	for _ in 1 2 3; do
		as_nobody -all sh -c './births & sleep 0.2; bin/cprof-record -q -o t.lz4 --off-cpu --cpu -F 199 -p $! -d 0.3; status=$?; kill $!; exit $status' 2>err ||
			fail "cprof-record"
		"$build/tests/support/kernel_dump" t.bpf.lz4 >facts.json
		not_so=$(jq -sr '(.[] | select(.record == "end")) as $last | [.[] | select(.record == "thread" and .end_ns - .start_ns > 60000000)] as $threads | [
			(if ($threads | length) > 100 then empty else "threads" end),
			(if $threads | all(.switches >= 5) then empty else "each has its switches" end),
			(if [.[] | select(.record == "counter" and .name == "switches.unseen").value] | .[0] <= 3 then empty else "none came twice: \(.)" end),
			(if [.[] | select(.record == "counter" and .name == "switches.lost").value] == [0] then empty else "none were lost" end),
			(if [.[] | select(.record == "off_cpu")] | all(.time_ns >= $last.start_ns and .time_ns + .blocked_ns + .runq_ns <= $last.end_ns) then empty
			 else "intervals lie in the recording" end)] | join(", ")' facts.json)
		[ -z "$not_so" ] || fail "not so: $not_so"
	done
}

# With CAP_PERFMON there are samples in the kernel, and frames of it.
case_kernel_samples() {
	as_nobody -all,+perfmon bin/cprof-record -o t.lz4 --cpu -F 999 -- dd if=/dev/zero of=/dev/null bs=4M count=3000 2>err || fail "dd"
	grep -q "user code alone" err && fail "no samples of the kernel"
	"$build/tests/support/kernel_dump" t.bpf.lz4 | jq -es '[.[] | select(.record == "sample")] | length > 20 and any(.[]; .kernel == 1 and .kernel_stack != 0)' \
		>/dev/null || fail "no sample with a kernel stack"
}

# A program without a trace: samples by stacks, time off the CPU by thread.
case_strangers() {
	as_nobody -all bin/cprof-record -o t.lz4 -F 499 -- sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; sleep 0.2' 2>err || fail "sh"
	"$cprof_analyze" tree --format=json t.bpf.lz4 >tree.json || fail "tree"
	[ "$(jq -r '.trace.kernel.context_quality | .off_cpu.no_runtime > 0 and .samples.no_runtime > 10 and .samples.timed == 0' tree.json)" = true ] ||
		{ jq -c .trace.kernel.context_quality tree.json; fail "strangers are not told as such"; }
	"$cprof_analyze" cpu t.bpf.lz4 | grep -q "sh \[" || { "$cprof_analyze" cpu t.bpf.lz4 | head -20; fail "no samples of sh"; }
}

# Programs that are over before anybody could look at them: see modules_test.jq.
case_modules() {
	gcc -O1 "$here/modules_target.c" -o modules_target -ldl && gcc -O1 -shared -fPIC "$here/modules_target.c" -o library.so && cp "$here/modules_load.sh" . ||
		fail gcc
	as_nobody -all bin/cprof-record -o t.lz4 --cpu -F 9999 -- sh ./modules_load.sh 2>err || fail "status $?"
	not_so=$("$build/tests/support/kernel_dump" t.bpf.lz4 | jq -sr -f "$here/modules_test.jq")
	[ -z "$not_so" ] || fail "not so: $not_so"
}

# More than the rings hold, and nobody who reads them: what is missing is counted, and said.
case_overflow() {
	as_nobody -all bin/cprof-record -o t.lz4 --off-cpu -- sh -c 'kill -STOP $PPID; ./target switches; kill -CONT $PPID; exit 7' >out 2>err
	[ $? = 7 ] || fail "exit status"
	"$cprof_analyze" dump --only --format=json t.bpf.lz4 >dump.json || fail "dump"
	lost=$(jq -rs '[.[] | select(.record == "kernel-counter" and .name == "switches.lost") | .value] | add' dump.json)
	[ "${lost:-0}" -gt 0 ] || { tail -3 err; fail "nothing was lost: $lost"; }
	grep -q " lost$" err && ! grep -q " 0 lost$" err || fail "the loss is not said"
	"$cprof_analyze" check t.bpf.lz4 >check.out || { cat check.out; fail "the file is not sound"; }
}

# The recorder is killed: the program does not notice; what was written holds, and nothing is claimed of the time after it.
case_killed() {
	as_nobody -all sh -c 'bin/cprof-record -q -o t.lz4 --window=50ms -- sh -c "./target; echo \$? >status" & sleep 0.5; kill -9 $!; while [ ! -s status ]; do sleep 0.1; done' \
		2>err
	[ "$(cat status)" = 7 ] || fail "the program's exit status"
	read_tree
	[ "$(jq '.trace.kernel.files[0].clean' tree.json)" = false ] || fail "it is not said"
	# Of 0.5 s something is known, of the rest it is said that it is not.
	check "time on the CPU is what was seen of it" '.burn_long.cpu < 310 and ([.[].unexplained] | add) > 200'
	check "a thread that waits at the end is not on the CPU" '.wait_for_byte.cpu < 10 and .child.cpu < 20'
	check "wall = on-CPU + run queue + blocked + not known" 'map(.wall - .cpu - .runq - .blocked - .unexplained | fabs < 0.01) | all'
}

# Not even perf events: the program runs, and it is said how to get them.
case_refused() {
	gcc "$here/refuse_perf.c" -o refuse || fail "cannot build"
	as_nobody -all ./refuse bin/cprof-record -o t.lz4 -- ./target >out 2>err
	[ $? = 7 ] || fail "the program's exit status"
	grep -q "perf_event_paranoid" err || fail "no advice"
	grep -q "runs without the kernel half" err || fail "it does not say what is missing"
	[ ! -e t.bpf.lz4 ] || fail "an empty file was left"
	"$cprof_analyze" check t.lz4 >/dev/null || fail "the program's own trace"
}

# Allocations need no right at all: the interposer sees them.
case_memory() {
	record -all --memory --off-cpu -- ./target
	grep -q "^cprof-record: memory .*on: " err || fail "no allocations"
}

"case_$case"
echo passed
