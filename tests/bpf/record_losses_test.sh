#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# record_losses_test.sh CASE BUILD: what cannot be recorded is counted, and whoever is killed or stands still takes nothing else with it.
set -u
. "$(dirname "$0")/record-env.sh"

# The recorder is killed: the program does not notice, the file is readable up to the last window.
case_recorder_killed() {
	cprof-record -o t.lz4 --window=50ms --off-cpu -- sh -c 'echo $$ >pid; sleep 1.5; echo survived >survived' 2>err &
	recorder=$!
	background=$recorder
	until [ -s pid ]; do sleep 0.05; done
	sleep 0.6
	kill -9 $recorder
	wait $recorder 2>/dev/null
	lz4 -qt t.bpf.lz4 2>/dev/null || fail "a frame was cut in the middle of a chunk that nobody was writing"
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check "its processes are there, and no end" '(map(select(.record == "process")) | length) > 0 and (map(select(.record == "end")) | length) == 0'
	for _ in $(seq 100); do [ -s survived ] && break; sleep 0.1; done
	[ -s survived ] || fail "the program did not end as it should"
}

# The file may not grow: said, and neither the program nor what is in the file suffers.
case_no_room() {
	(ulimit -f 2 && exec cprof-record -o t.lz4 --window=20ms --off-cpu --faults -- sh -c 'trap "" XFSZ; sleep 0.3; ls >/dev/null; sleep 0.2; exit 3') >out 2>err
	status=$?
	[ $status = 3 ] || fail "status $status"
	grep -q "cannot write: File too large" err || fail "not said: $(cat err)"
	lz4 -qt t.bpf.lz4 2>/dev/null || fail "half a frame was left"
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check "no clean end" '(map(select(.record == "end")) | length) == 0'
}

# The recorder stands still and the ring is small: the program runs on, and what was lost is counted.
case_stalled_consumer() {
	cprof-record -o t.lz4 --ring-kb=4 --threshold=0 --off-cpu --faults -- sh -c 'kill -STOP $PPID; record_target many 3000; echo $? >status; kill -CONT $PPID' >out 2>err || fail "status $?"
	[ "$(cat status)" = 0 ] || fail "the target was disturbed"
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check_sound
	[ "$(counter off-cpu.lost)" -gt 0 ] || fail "a ring of 4 KiB lost nothing?"
	check "the sums have all of it" '[.[] | select(.record == "sum" and .kind == 7 and .who.context > 0)] | (map(.count) | add) == 3000'
}

# A million records, a ring of 1 MiB that nobody empties for a while, and one that is emptied all the time: produced = received + lost, to the record.
case_ring_overflows() {
	for stop in STOP CONT; do
		cprof-record -q -o t.lz4 --ring-kb=1024 --io --io-threshold=0 --window=10m -- sh -c 'kill -'$stop' $PPID; record_target writes 1000000; echo $? >status; kill -CONT $PPID' >out 2>err ||
			fail "status $?"
		[ "$(cat status)" = 0 ] || fail "the target was disturbed"
		kernel_dump t.bpf.lz4 | grep -v '"record":"io"' >facts.json || fail "unreadable"
		check_sound
		check "a million writes in one sum" '[.[] | select(.record == "sum" and .kind == 3 and .who.context == 1003 and .sub == 1)] | length == 1 and .[0].count == 1000000 and .[0].bytes == 1000000'
		[ "$(counter io.produced)" -ge 1000000 ] || fail "io.produced: $(counter io.produced)"
		[ "$(kernel_dump t.bpf.lz4 | grep -c '"record":"io"')" = "$(counter io.received)" ] || fail "the file has not what was received"
		echo "ring of 1 MiB, $stop: $(counter io.produced) produced, $(counter io.received) received, $(counter io.lost) lost"
	done
	[ "$(counter io.lost)" -lt 1000000 ] || fail "nothing was received"
}

# A table of sums that is too small: each event is in a sum or counted as lost.
case_sums_full() {
	record --sums=8 --off-cpu --faults -- record_target many 500 || fail "status $?"
	check_sound
	[ "$(counter sums.lost)" -gt 0 ] || fail "8 sums lost nothing?"
	check "all events are in sums or lost" '
		(map(select(.record == "counter" and .name == "sums.received").value) | add) == (map(select(.record == "sum").count) | add)'
}

# More keys in one window than there is room for, but not all at once: they are taken before the table is full.
case_sums_taken_early() {
	record --sums=8192 --off-cpu --faults -- record_target many 20000 || fail "status $?"
	check_sound
	[ "$(counter sums.lost)" = 0 ] || fail "$(counter sums.lost) were lost"
	check "20,000 contexts, a fault in each" '
		[.[] | select(.record == "sum" and .kind == 7 and .who.context > 0)] | (map(.count) | add) == 20000 and (map(.who.context) | unique | length) == 20000'
}

# The recorder of an instrumented program is killed: its trace has contexts and calls to the end, and says from when on nothing is known of the scheduler.
case_join_killed() {
	PATH=$build/cc-wrapper:$PATH
	cat >work.c <<-'END'
		#include <stdio.h>
		#include <unistd.h>
		volatile unsigned long sink;
		static void spin(void) { for (int i = 0; i < 2000000; i++) sink += i; }
		static void nap(void) { usleep(5000); }
		int main(void)
		{
			for (int i = 0; i < 60 || access("stop", F_OK); i++) {
				spin();
				nap();
				if (i == 60) fclose(fopen("half", "w"));
			}
			return 7;
		}
	END
	cprof-cc -g -O1 -o work work.c || fail "cprof-cc"
	cprof-record -q --off-cpu --window=50ms -o t.lz4 -- ./work 2>err &
	recorder=$!
	background=$recorder
	until [ -e half ]; do kill -0 $recorder || fail "it ended: $(cat err)"; sleep 0.05; done
	target=$(cat /proc/$recorder/task/$recorder/children)
	before_s=$(cut -d " " -f 1 /proc/uptime)
	kill -9 $recorder
	wait $recorder 2>/dev/null
	after_s=$(cut -d " " -f 1 /proc/uptime)
	sleep 0.5
	stop_s=$(cut -d " " -f 1 /proc/uptime)
	echo >stop
	while kill -0 $target 2>/dev/null; do sleep 0.05; done
	[ ! -e t.lz4.live ] || fail "the program did not end as it should"
	cprof-analyze check t.lz4 >/dev/null || fail "the program's trace"
	lz4 -qt t.bpf.lz4 2>/dev/null || fail "lz4 -t"
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check "its end is missing, and its windows are there" '(map(select(.record == "end")) | length) == 0 and ([.[] | select(.record == "sum" and .kind == 1 and .sub == 4)] | length > 0)'
	cprof-analyze tree --format=json t.lz4 >tree.json || fail "tree"
	cprof-analyze dump --format=json t.lz4 | jq -c 'select(.record == "sched")' >sched.json
	cprof-analyze t.lz4 | grep -q "cprof-record was killed" || fail "not said: $(cprof-analyze t.lz4 | head -20)"
	check "its last sign of life is at most half a second older than its end" \
		'$sched[0] | .stopped_ns == 0 and .heartbeat_ns / 1e9 <= $after + 0.02 and .heartbeat_ns / 1e9 >= $before - 0.5' \
		--slurpfile sched sched.json --argjson before "$before_s" --argjson after "$after_s"
	check "from then on the time is not explained, until then it is" \
		'$tree[0].root | (.unexplained_ns.total / 1e9) as $unexplained | $unexplained >= $stop - $after - 0.02 and $unexplained < .wall_ns.total / 1e9 - 0.2 and
		.wall_ns.total == .cpu_ns.total + .runq_ns.total + .blocked_ns.total + .stopped_ns.total + .unexplained_ns.total and .blocked_by.sleep.total > 100e6' \
		--slurpfile tree tree.json --argjson stop "$stop_s" --argjson after "$after_s"
}

# The program is killed while it works: both halves are whole up to there, and meet.
case_target_killed() {
	PATH=$build/cc-wrapper:$PATH
	cat >work.c <<-'END'
		#include <pthread.h>
		#include <stdio.h>
		#include <unistd.h>
		volatile unsigned long sink;
		static void spin(void) { for (int i = 0; i < 100000; i++) sink += i; }
		static void nap(void) { usleep(3000); }
		static void wait_for_ever(void) { pause(); }
		static void *worker(void *unused) { wait_for_ever(); return unused; }
		int main(void)
		{
			pthread_t thread;
			pthread_create(&thread, NULL, worker, NULL);
			for (int i = 0;; i++) {
				spin();
				nap();
				if (i == 60) fclose(fopen("half", "w"));
			}
		}
	END
	cprof-cc -g -O1 -pthread -o work work.c || fail "cprof-cc"
	cprof-record -q --all --threshold=0 -o t.lz4 -- ./work >out 2>err &
	recorder=$!
	background=$recorder
	until [ -e half ]; do kill -0 $recorder || fail "it ended: $(cat err)"; sleep 0.05; done
	kill -9 "$(cat /proc/$recorder/task/$recorder/children)"
	wait $recorder
	[ $? = 137 ] || fail "status"
	background=
	kernel_dump t.bpf.lz4 >facts.json || fail "unreadable"
	check_sound
	check "the end is there, and how the program ended" '(map(select(.record == "end")) | length) == 1 and ([.[] | select(.record == "process" and .flags % 2 == 1)] | length == 1 and .[0].exit_status == 9)'
	cprof-analyze check t.bpf.lz4 >/dev/null || fail "cprof-analyze check"
	cprof-analyze check t.lz4 | grep -q "did not end cleanly" || fail "its trace: $(cprof-analyze check t.lz4)"
	cprof-analyze tree --format=json t.lz4 >tree.json || fail "tree"
	check "all of its time is explained, to the end" '$tree[0].root | .wall_ns.total == .cpu_ns.total + .runq_ns.total + .blocked_ns.total + .stopped_ns.total + .unexplained_ns.total and
		.unexplained_ns.total <= 0.01 * .wall_ns.total and .blocked_ns.total > 0.5 * .wall_ns.total' --slurpfile tree tree.json
	check "the naps are those of the kernel" '
		([$tree[0].root | .. | objects | select(.name? == "nap")] | map(.calls) | add) as $calls | ([.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.quality == 1).count] | add) as $naps |
		$calls > 60 and $naps <= $calls and $naps >= $calls - 1' --slurpfile tree tree.json
}

# A program that closes what it does not know, and uses the numbers again: nobody writes into its files, and what is not known of its next image is said.
case_slots_descriptor() {
	PATH=$build/cc-wrapper:$PATH
	cat >daemon.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/mman.h>
		#include <sys/wait.h>
		#include <unistd.h>
		static void nap(void) { usleep(5000); }
		static void naps(void) { for (int i = 0; i < 20; i++) nap(); }
		int main(int argc, char **argv)
		{
			char *text = getenv("CPROF_SLOTS_FD");
			int number = text ? atoi(text) : -1;
			if (argc > 1) {
				naps();
				return 4;
			}
			for (int fd = 3; fd < 1024; fd++) close(fd);
			int mine = open("mine", O_RDWR | O_CREAT | O_TRUNC, 0600);
			if (number < 3 || dup2(mine, number) != number) return 90;
			if (ftruncate(mine, 1 << 20)) return 91; /* large enough to be taken for an array of slots */
			naps();
			pid_t child = fork();
			if (!child) {
				naps();
				_exit(0);
			}
			int status;
			if (waitpid(child, &status, 0) != child || status) return 92;
			execl(argv[0], argv[0], "again", NULL);
			return 93;
		}
	END
	cprof-cc -g -O1 -o daemon daemon.c || fail "cprof-cc"
	record --off-cpu -- ./daemon
	[ $? = 4 ] || fail "status"
	check_sound
	[ "$(tr -d '\000' <mine | wc -c)" = 0 ] && [ "$(wc -c <mine)" = 1048576 ] || fail "somebody wrote into the program's file"
	check "both images and the child are there" '[.[] | select(.record == "process" and .name == "daemon")] | length >= 3'
	check "20 naps in their context before and in the child, from slots" '
		[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.quality == 1)] | length == 2 and all(.count == 20) and (map(.who.tgid) | unique | length) == 2'
	check "20 of the image that could not register, and that is said" '
		[.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.quality > 1)] | (map(.count) | add) == 20 and all(.who.context == 0 and .who.quality >= 6)'
	for trace in $(ls t.lz4 t.lz4.* | grep -v "[.]live$"); do
		cprof-analyze check "$trace" >/dev/null || fail "$trace: $(cprof-analyze check "$trace")"
	done
}

run_case
