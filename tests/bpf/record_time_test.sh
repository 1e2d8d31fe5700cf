#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# record_time_test.sh CASE BUILD: where the time of threads goes, in which context, to the ns.
set -u
. "$(dirname "$0")/record-env.sh"

# A thread says "here I am" by a prctl, seen by the kernel's own word for those that it does not know; as on kernels that have none (before 6.13); and there,
# where system calls are recorded anyway, by the program that does that. Only one program registers.
case_registration() {
	if grep -aq btf_trace_task_prctl_unknown /sys/kernel/btf/vmlinux; then by=prctl; else by=syscall; fi
	for way in "$by" syscall recorded; do
		case $way in
		recorded) CPROF_RECORD_PRCTL=syscall record --off-cpu --io -- record_target naps 20 ;;
		syscall) CPROF_RECORD_PRCTL=syscall record --off-cpu -- record_target naps 20 ;;
		*) record --off-cpu -- record_target naps 20 ;;
		esac || fail "$way: status $?"
		check_sound
		check "$way: 20 naps in one context, read from the slot" '
			[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context > 0)] | length == 1 and .[0].count == 20 and .[0].who.quality == 1'
		check "$way: registered by that alone" '
			[.[] | select(.record == "counter").name | select(startswith("missed.register_by_"))] == (if $way == "recorded" then [] else ["missed.register_by_" + $way] end)' \
			--arg way "$way"
	done
}

# 4 threads and 1,000 short ones: every event in its exact context.
case_contexts() {
	record --cpu --off-cpu --faults -- record_target contexts || fail "status $?"
	check_sound
	check "80 naps in context 1003, read from slots" \
		'map(select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003)) | (map(.count) | add) == 80 and all(.who.quality == 1)'
	check "800 faults in context 1005" \
		'map(select(.record == "sum" and .kind == 7 and .who.context == 1005)) | (map(.count) | add) == 800 and all(.who.quality == 1 and .sub == 0)'
	check "1,000 short threads: one fault each in a context of its own" \
		'[.[] | select(.record == "sum" and .kind == 7 and .who.context >= 2000)] | group_by(.who.context) | length == 1000 and
		 all((map(.count) | add) == 1 and all(.who.quality == 1))'
	check "no context that nobody set" '[.[] | select(.record == "sum").who.context] | unique | all(. == 0 or . == 1003 or . == 1005 or . >= 2000 and . < 3000)'
	check "1,005 threads and the process" 'map(select(.record == "thread" and .generation < 32768)) | length == 1005'
}

# Naps: the slot, the thread's totals, the sums and the program's own clock agree.
case_naps() {
	record --off-cpu --window=50ms -- record_target naps 200 || fail "status $?"
	check_sound
	check "200 naps of at least 5 ms, in more than one window" '
		[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003)] |
		length > 1 and (map(.count) | add) == 200 and (map(.ns) | add) >= 1000e6'
	check "the slot had the same ns as the sums before the thread ran on" '
		(map(select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003).ns) | add) == $out[0].slept_ns' --slurpfile out out
	check "and each nap moved its counter" '$out[0].changes >= 200' --slurpfile out out
	# A waking that the kernel did not say is nobody's, and then no time in the run queue is known either; a preemption in a nap was ended by nobody.
	check "woken by the timer, not by a task" '[.[] | select(.record == "off_cpu" and .who.context == 1003 and .blocked_class == 4 and .blocked_ns > 0)] |
		(map(select(.woken_by == 2)) | length) > 0.9 * length and all(.waker.tgid == 0 and (.woken_by == 2 or .runq_ns == 0))'
}

# More contexts than a CPU has places for sums of its own: the others go to the sums of all CPUs, and in the file it is one sum for each.
case_sums_of_cpus() {
	record --off-cpu -- record_target returning 600 || fail "status $?"
	check_sound
	check "600 contexts, each with a sum for its two naps (but for those that were over before the thread had left its CPU)" '
		[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context > 0)] |
		length > 590 and length <= 600 and (map(.who.context) | unique | length) == length and (map(select(.count == 2)) | length) > 580 and
		all(.count <= 2 and (.histogram | add) == .count and .max_ns * .count >= .ns)'
	check "together what the slot says" '
		([.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context > 0).ns] | add) == $out[0].slept_ns' --slurpfile out out
}

# Woken while the scheduler has not yet said that it left: it was blocked for no time, and could run from then on. Intervals around a switch that the kernel does
# not say are not looked at.
case_woken_early() {
	[ "$(nproc)" -gt 1 ] || { echo "skipped: there is one CPU, and so nobody who wakes who is leaving another"; exit 77; }
	record --off-cpu --threshold=0 -- record_target wakes 10000 || fail "status $?"
	check_sound
	jq -s 'map(select(.record == "off_cpu" and .who.context == 1003 and .state == 1 and .open == 0)) |
		{reads: length, early: map(select(.blocked_ns == 0)) | length, never_runnable: map(select(.runq_ns == 0)) | length}' facts.json >wakes.json
	cat wakes.json out
	check "nearly all reads had to wait" '$w[0].reads > 8000' --slurpfile w wakes.json
	check "some were woken on their way" '$w[0].early > 0' --slurpfile w wakes.json
	check "whoever was woken could run for a time before it did" '$w[0].never_runnable <= ([.[] | select(.record == "counter" and .name == "switches.unseen").value] | add)' \
		--slurpfile w wakes.json
	check "at least as long as the kernel says itself" '$out[0].runq_ns >= 0.95 * $out[0].delay_ns' --slurpfile out out
}

# The kernel does not say every return to a CPU. Where it says when its scheduler has done (6.16) each is known before the thread runs on all the same, as here,
# where one in eight is left out; but for a new thread's first. Before, the thread learns of it at its next switch, and its time is as the scheduler counted it.
case_switches_unseen() {
	for way in unseen early-unseen; do
		[ $way = early-unseen ] || tells_scheduled || continue
		CPROF_RECORD_SWITCHES=$way record --off-cpu -- record_target naps 400 || fail "$way: status $?"
		check_sound
		echo "$way: $(counter switches.unseen) unseen, $(counter switches.late) of them known late; $(cat out)"
		[ "$(counter switches.unseen)" -ge 20 ] || fail "$way: nearly all were seen"
		if [ $way = unseen ]; then
			[ "$(counter switches.late)" -le 1 ] || fail "$way: the thread learnt of $(counter switches.late) switches late"
			check "$way: the slot had the same ns as the sums before the thread ran on, and each nap" '
				[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003)] |
				(map(.count) | add) == 400 and (map(.ns) | add) == $out[0].slept_ns and $out[0].changes >= 400' --slurpfile out out
		else
			[ "$(counter switches.late)" -ge 20 ] || fail "$way: the thread learnt of all in time"
		fi
		check "$way: 400 naps of 5 ms at least, and not much longer" '
			[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003)] | (map(.count) | add) as $naps | (map(.ns) | add) as $ns |
			$naps == 400 and $ns >= 400 * 5e6 and $ns < 1.5 * 400 * 5e6'
		CPROF_RECORD_SWITCHES=$way record --off-cpu -- record_target queue 300 || fail "$way: status $?"
		check_sound
		[ "$(counter switches.unseen)" -ge 5 ] || fail "$way: nearly all were seen in a queue"
		check_queue_clocks
	done
}
tells_scheduled() { grep -aq btf_trace_sched_exit_tp /sys/kernel/btf/vmlinux; }

# What a call's exit hook can know: wall time less the slot's time off the CPU is the thread's own CPU time. Late: a switch that the kernel did not say, or
# a host that took the CPU away in a call that was switched, too.
#
# Measured up to eight times, for both sides have to be right. A switch that the kernel does not say is told to a later call where switches_unseen says so. And of
# a thread that somebody woken from another CPU puts off, the kernel's clock stops at the waking, not when the thread goes, 17 us later here: calls that such as
# read a pipe put off 20 times and more have 237 us by it at the least, where their work alone takes 900. What the thread's slot counts is exact each time.
case_calls() {
	for _ in 1 2 3 4 5 6 7 8; do
		record --off-cpu -- record_target calls 500 || fail "status $?"
		check_sound
		late=$(counter switches.late)
		jq -c '. + $of' --argjson of "{\"unseen\": $(counter switches.unseen), \"told_late\": $late}" out
		check "each time that the kernel let a thread leave the CPU is in its slot, but where the kernel did not say that it is back" \
			'$out[0] | .switches > 500 and .untold <= $late' --slurpfile out out --argjson late "$late"
		jq -e --argjson told_late "$late" '.kept > 1500 and .median_ns <= 5000 and .mean_ns <= 20000 and .late <= 2 * $told_late + .calls / 100 and
			($told_late > 0 or .mean_with_late_ns <= 20000)' out >/dev/null && return
		sleep 0.5
	done
	fail "2,000 calls in 4 threads that compete: median within 5 us, mean within 20 us"
}

# Both halves, from cprof-cc to cprof-analyze: what the trace charges to a function is what the kernel's sums say of its context, to the ns.
case_join() {
	PATH=$build/cc-wrapper:$PATH
	cat >nap.c <<-'END'
		#include <pthread.h>
		#include <stddef.h>
		#include <unistd.h>
		volatile unsigned long sink;
		static void spin(void) { for (int i = 0; i < 200000; i++) sink += i; }
		static void nap(void) { usleep(30000); } /* so long that its timer does not strike before it sleeps: then it would not */
		static void *worker(void *unused) { for (int i = 0; i < 10; i++) { spin(); nap(); } return unused; }
		int main(void)
		{
			pthread_t threads[3];
			for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, worker, NULL);
			for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
			return 0;
		}
	END
	cprof-cc -g -O1 -pthread -o nap nap.c || fail "cprof-cc"
	record --cpu --off-cpu --faults -- ./nap || fail "status $?"
	check_sound
	cprof-analyze tree --format=json t.lz4 >tree.json || fail "cprof-analyze"
	jq '[.. | objects | select(.name? == "nap")] | {calls: (map(.calls) | add), sleep: (map(.blocked_by.sleep.self) | add)}' tree.json >nap.json
	cat nap.json
	check "30 calls of nap, 30 sleeps in one context" '
		$nap[0].calls == 30 and ([.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.quality == 1)] | (map(.count) | add) == 30 and length == 1)' --slurpfile nap nap.json
	[ "$(counter switches.late)" = 0 ] || { echo "a switch was not said: its time came late to the trace"; return; }
	check "the trace has the ns that the kernel has" '
		([.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.quality == 1).ns] | add) == $nap[0].sleep' --slurpfile nap nap.json
}

# The same for a program that runs already, static or not: its runtime says where it keeps its context and which trace is its.
case_join_attached() {
	PATH=$build/cc-wrapper:$PATH
	cat >nap.c <<-'END'
		#include <unistd.h>
		static void nap(void) { usleep(5000); }
		int main(void)
		{
			for (int i = 0; i < 3000 && access("stop", F_OK); i++) nap();
			return 0;
		}
	END
	for link in -Wl,--build-id "-static -Wl,--build-id"; do
		rm -f stop t.lz4* t.bpf.lz4
		# shellcheck disable=SC2086
		cprof-cc -g -O1 $link -o nap nap.c || fail "cprof-cc $link"
		CPROF_OUTPUT=t.lz4 ./nap &
		background=$!
		until [ -s t.lz4 ]; do sleep 0.05; done
		cprof-record -q -o t.lz4 --window=10m --off-cpu -p "$background" -d 0.5 2>err || fail "status $?"
		echo >stop
		wait "$background" || fail "the target: $?"
		background=
		kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
		check_sound
		check "naps in one context, from the thread's memory; one sleep at most is older than the recording" '
			[.[] | select(.record == "sum" and .kind == 1 and .sub == 4)] | (map(select(.who.quality == 2)) | length == 1 and .[0].count > 5 and .[0].who.context > 0) and
			(map(select(.who.quality != 2).count) | add // 0) <= 1'
		cprof-analyze off-cpu t.lz4 >report 2>&1 || fail "the halves do not find each other: $(cat report)"
		grep -q nap report || fail "no nap in: $(cat report)"
	done
}

# Of a program without a runtime the view has what the sums have: short waits and the run queue, too. One that never waited is no error.
case_untraced() {
	cat >naps.c <<-'END'
		#include <unistd.h>
		volatile unsigned long sink;
		int main(void) { for (int i = 0; i < 300; i++) { for (int k = 0; k < 100000; k++) sink += k; usleep(100); } return 0; }
	END
	gcc -O1 -o naps naps.c || fail gcc
	record --off-cpu -- ./naps || fail "status $?"
	check_sound
	cprof-analyze off-cpu -n 1000 --format=json t.bpf.lz4 >off.json || fail "off-cpu"
	check "sleep and run queue, to the ns" '
		def shown($reason): [$off[0].off_cpu[] | select(.reason == $reason).ns] | add;
		([.[] | select(.record == "sum" and .kind == 1 and .sub == 4)] | (map(.count) | add) > 250 and (map(.ns) | add) == shown("sleep")) and
		([.[] | select(.record == "sum" and .kind == 2).ns] | add) == shown("run-queue")' --slurpfile off off.json
	record --off-cpu --threshold=10s -- true || fail "status $?"
	cprof-analyze off-cpu t.bpf.lz4 >off.txt 2>&1 || fail "off-cpu of a program without a long wait: $(cat off.txt)"
}

# Two that want one CPU: each waits while the other runs.
check_queue_clocks() {
	check "on the CPU: at least what the thread's own clock says" '
		[.[] | select(.record == "thread") | . as $t | $out[] | select(.tid == $t.tid) | $t.on_cpu_ns >= .cpu_ns - 2e6] | length == 2 and all' --slurpfile out out
}
case_run_queue() {
	record --off-cpu -- record_target queue 300 || fail "status $?"
	check_sound
	check "both cannot be on the CPU at once, and who is not waits" '
		($out | map(.tid)) as $tids | [.[] | select(.record == "thread" and (.tid | IN($tids[])))] |
		length == 2 and (((map(.end_ns) | min) - (map(.start_ns) | max)) as $both |
		(map(.on_cpu_ns) | add) <= (map(.end_ns) | max) - (map(.start_ns) | min) + 1e6 and
		(map(.runq_ns) | min) >= 0.3 * $both)' --slurpfile out out
	check_queue_clocks
	check "slots of dead threads are free again" '[.[] | select(.record == "thread" and .slot > 0)] | length == 3'
}

# What had not ended is said.
case_open_interval() {
	sleep 100 &
	background=$!
	cprof-record -o t.lz4 --off-cpu -p $background -d 0.5 >out 2>err || fail "status $?"
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check_sound
	check "one open interval, asleep, as long as the thread was watched" '
		(.[] | select(.record == "thread")) as $t | [.[] | select(.record == "off_cpu" and .open == 1)] |
		length == 1 and .[0].blocked_class == 4 and .[0].blocked_ns == $t.end_ns - $t.start_ns and .[0].blocked_ns >= 4e8'
	check "and it is in the sums" '[.[] | select(.record == "sum" and .kind == 1 and .sub == 4)] | length == 1 and .[0].count == 1'
}

run_case
