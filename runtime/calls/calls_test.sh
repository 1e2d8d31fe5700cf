#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# calls_test.sh BUILD CASE [COMPILER]: libcprof-calls.so as it is shipped, in programs with known calls, under the recorder of calls_recorder.c.
#
# What calls_program.c prints as "expect ..." is compared with the recorder's memory. Exit status 77: skipped, with the reason.
set -u
build=$1 case=$2 compiler=${3:-gcc}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/support/cprof-env.sh"
work=$build/tests/work/calls/$case-$compiler
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
recorder=$build/runtime/calls/calls_recorder
export CALLS_LIBRARY=$build/runtime/libcprof-calls.so
unset CPROF_CALLS_FD CPROF_CALLS_PATH CALLS_PRELOAD

build_program() { # with cprof, and one without
	cprof_cc "$compiler" shared -g -O2 -w -D_GNU_SOURCE "$here"/calls_program*.c -o program -pthread || die "does not build"
	"$compiler" -g -O2 -w -D_GNU_SOURCE "$here"/calls_program*.c -o plain -pthread || die "does not build"
}

record() { # [RECORDER-OPTION...] -- PROGRAM ARGUMENT...: without a fault, and without a word from us
	rm -rf here && mkdir here && cd here || exit 1
	"$recorder" --out=../memory.json "$@" >../stdout 2>../stderr
	status=$?
	cd ..
	[ "$status" = "${want_status:-0}" ] || fail "exit status $status"
	[ ! -s stderr ] || { cat stderr; fail "something was said"; }
	! grep '^wrong' stdout || fail "libc does not do what it does without us"
}

# Sums with the names of their contexts, of the main process or the one given: its trace is the one with its pid.
sums() { # TRACE PID
	"$cprof_analyze" dump --format=json "$1" >dump.json || die "dump $1"
	jq -n --slurpfile memory memory.json --slurpfile dump dump.json --argjson pid "$2" '
		($dump | map(select(.record == "context") | { key: (.id | tostring), value: (.name | sub("\\(.*"; "")) }) | from_entries) as $names
		| $memory | map(select((.record == "sum" or .record == "lock") and .who.tgid == $pid)
			| . + { function: (if .who.quality == 2 then $names[.who.context | tostring] // "outside" else "quality \(.who.quality)" end),
				held_by: ($names[(.other // .holder.context) | tostring] // "-") })' >sums.json
}

sum() { # FIELD FUNCTION NUMBER
	jq "map(select(.record == \"sum\" and .kind == 3 and .function == \"$2\" and .sub == $3) | .$1) | add // 0" sums.json
}

compare() { # LINES of "expect": in sums.json
	while read -r _ function number fields; do
		for field in $fields; do
			actual=$(sum "${field%=*}" "$function" "$number")
			[ "$actual" = "${field#*=}" ] || fail "$function: system call $number: ${field%=*} is $actual, not ${field#*=}"
		done
	done <"$1"
	[ -s "$1" ] || fail "the program expects nothing"
}

main_pid() {
	jq -n 'first(inputs | select(.record == "process") | .pid)' memory.json
}

compare_main() {
	main=$(jq -s 'map(select(.record == "process")) | (map(.pid)) as $all | map(select(.parent as $p | $all | index($p) | not)) | .[0].pid' memory.json)
	sums here/trace.lz4 "$main"
	grep '^expect ' stdout >expected
	compare expected
	no_loss
}

losses() { # FIELD
	jq -n "first(inputs | select(.record == \"losses\") | .$1)" memory.json
}

no_loss() {
	for loss in rows_full files_full records_lost processes_full; do
		[ "$(losses $loss)" = 0 ] || fail "$loss: $(losses $loss)"
	done
	jq -se 'map(select(.record == "sum")) | all(.count == .in_buckets and .max_ns <= .ns)' memory.json >/dev/null || fail "sums that do not add up"
}

build_program
case $case in
every) # each function once or more, beside libc's own as strace sees them; every call is a record as well
	record --threshold-ns=0 -- ../program every
	compare_main
	jq -se 'map(select(.record == "sum" and .kind == 3) | .count) | add' memory.json >summed
	[ "$(cat summed)" = "$(jq -s 'map(select(.record == "io")) | length' memory.json)" ] || fail "$(cat summed) calls in sums, but another number of records"
	# In `fails`: the results, as the kernel has them.
	jq -se 'map(select(.record == "io" and .sub == 87) | .result) | sort == [-14, -14, -2, -2, 0, 0, 0]' memory.json >/dev/null ||
		[ "$(uname -m)" != x86_64 ] || fail "results of unlink"
	for path in "$PWD/here/data" socket:tcp socket:unix pipe absent renamed folder; do
		jq -se --arg path "$path" 'any(.record == "file" and .path == $path)' memory.json >/dev/null || fail "no file $path"
	done
	;;
strace)
	command -v strace >/dev/null || skip "no strace (package strace)"
	mkdir alone && (cd alone && strace -f -o ../strace.out ../plain every >/dev/null) || skip "strace does not run here"
	# What libc really called between the program's two marks.
	awk '{ sub(/^[0-9]+ +/, "") } /^getpgid\(77\)/ { on = 1; next } /^getpgid\(78\)/ { on = 0 } on { sub(/\(.*/, ""); n[$0]++ } END { for (c in n) print c, n[c] }' \
		strace.out | sort >theirs
	record -- ../program every
	compare_main
	printf '#include <sys/syscall.h>\n' >numbers.c
	while read -r name _; do printf 'number %s SYS_%s\n' "$name" "$name"; done <theirs >>numbers.c
	"$compiler" -E -P numbers.c | sed -n 's/^number \([^ ]*\) \([0-9]*\)$/\1 \2/p' >numbers
	checked=0
	while read -r name count; do
		number=$(sed -n "s/^$name //p" numbers)
		[ -n "$number" ] || continue
		ours=$(jq "map(select(.record == \"sum\" and .sub == $number and (.function | IN(\"opens\", \"moves\", \"talks\", \"names\", \"fails\"))) | .count) | add // 0" sums.json)
		case $name in
		stat | fstat | newfstatat | lseek | socket | socketpair | bind | listen | getsockname | mmap | munmap | pipe | pipe2 | umask | getpgid | brk) continue ;;
		esac
		[ "$ours" = "$count" ] || fail "$name: $ours calls here, $count seen by strace"
		checked=$((checked + 1))
	done <theirs
	[ $checked -gt 35 ] || fail "strace has seen but $checked kinds of calls"
	echo "strace agrees: $checked system calls"
	;;
threads | signals | vforks)
	record -- ../program "$case"
	compare_main
	;;
forks) # a child's calls are in its own trace's contexts, but for the first, which it makes before its trace begins
	record -- ../program forks
	compare_main
	[ "$(jq -s 'map(select(.record == "process")) | length' memory.json)" = 4 ] || fail "not four processes"
	[ "$(grep -c '^expect-child ' stdout)" = 3 ] || fail "not three children"
	while read -r _ how pid fields; do
		sums here/trace."$pid".lz4 "$pid"
		[ "$(sum count reads 17)" = 17 ] || fail "$how: $(sum count reads 17) reads, not 17"
		[ "$(sum count child_reads 17)" = 1 ] || fail "$how: $(sum count child_reads 17) reads in child_reads, not 1"
	done <<-END
		$(grep '^expect-child ' stdout)
	END
	;;
early) # a child that never makes a recorded call: its parent's context is not its own
	record -- ../program early
	compare_main
	child=$(sed -n 's/^expect-child early \([0-9]*\).*/\1/p' stdout)
	jq -se --argjson pid "$child" 'map(select(.record == "sum" and .who.tgid == $pid and .sub == 17)) | length == 1 and
		(.[0] | .count == 3 and .who.quality == 6 and .who.context == 0 and .who.generation >= 49152)' memory.json >/dev/null || fail "the child's calls"
	;;
execs)
	record -- ../program execs
	[ "$(jq -s 'map(select(.record == "process")) | length' memory.json)" = 2 ] || fail "not two images"
	pid=$(main_pid)
	image() { # TRACE GENERATION READS
		sums "$1" "$pid"
		jq --argjson generation "$2" 'map(select(.who.generation == $generation))' sums.json >image.json && mv image.json sums.json
		[ "$(sum count reads 17)" = "$3" ] || fail "image $2 has $(sum count reads 17) reads, not $3"
	}
	image here/trace.lz4 0 10
	image here/trace."$pid".lz4 1 23
	;;
late) # libcprof comes with a plug-in, into a program that knows nothing of it
	cat >plugin.c <<'END'
#include <unistd.h>
void plugin_reads(int fd)
{
	char byte;
	for (int i = 0; i < 5; i++)
		pread(fd, &byte, 1, 0);
}
END
	cprof_cc "$compiler" shared -g -O2 -w -fPIC -shared plugin.c -o plain.so || die "does not build"
	record -- "$PWD/plain" late
	compare_main
	;;
killed)
	want_status=137
	record -- ../program killed
	compare_main
	;;
closes) # the descriptor: closed, its number used again, in a child's new image, too
	record -- ../program closes
	compare_main
	[ "$(jq -s 'map(select(.record == "sum" and .sub == 17 and .count == 23)) | length' memory.json)" = 0 ] || fail "a new image counts without a memory"
	record --both -- ../program closes
	compare_main
	[ "$(jq -s 'map(select(.record == "sum" and .sub == 17 and .count == 23)) | length' memory.json)" = 1 ] || fail "a new image did not find the memory by its path"
	;;
path) # the descriptor is not inherited at all
	record --by-path -- ../program threads
	compare_main
	;;
rows) # no table is large enough
	record -- ../program rows
	all=$(jq -s 'map(select(.record == "sum" and .kind == 3) | .count) | add' memory.json)
	[ "$(losses rows_full)" = 0 ] && [ "$(jq -s 'map(select(.record == "file")) | length' memory.json)" -gt 200 ] || fail "a large table is full"
	record --rows=16 --files=8 --threshold-ns=0 --records=32 --processes=1 -- ../program rows
	counted=$(jq -s 'map(select(.record == "sum" and .kind == 3) | .count) | add' memory.json)
	[ "$(losses rows_full)" -gt 0 ] && [ $((counted + $(losses rows_full))) = "$all" ] || fail "$counted counted, $(losses rows_full) lost, of $all"
	[ "$(losses files_full)" -gt 0 ] && [ "$(jq -s 'map(select(.record == "file")) | length' memory.json)" = 8 ] || fail "files"
	[ "$(losses records_head)" = 32 ] && [ $((32 + $(losses records_lost))) = "$all" ] || fail "records: $(losses records_lost) lost of $all"
	;;
cancels | odd) # what libc promises; the same without us
	(mkdir alone && cd alone && ../plain "$case") >plain.out 2>&1 && [ ! -s plain.out ] || { cat plain.out; die "the test itself is wrong here"; }
	for program in plain program; do
		record --threshold-ns=0 -- ../$program "$case"
	done
	# A call that libc refuses has not waited: 0, EINTR, ETIMEDOUT, EOWNERDEAD or ENOTRECOVERABLE.
	jq -se 'map(select(.record == "lock") | .result) | length > 0 and all(IN(0, -4, -110, -130, -131))' memory.json >/dev/null || fail "a call that was refused counts"
	;;
renames) # a file's newest path is the one that it was opened by last
	record -- ../program renames
	jq -se --arg path "$PWD/here" 'map(select(.record == "file" and (.path | startswith($path + "/data", $path + "/other"))) | [.order, .path]) | sort
		== [[0, $path + "/data"], [1, $path + "/other"]]' memory.json >/dev/null || fail "paths: $(grep here/ memory.json)"
	jq -se 'any(.record == "file" and .path == "/memfd:nameless")' memory.json >/dev/null || fail "the path of a file without a name"
	;;
locks) # of each kind of lock: how often one waited, and for whom
	record --threshold-ns=0 -- ../program locks
	sums here/trace.lz4 "$(main_pid)"
	no_loss
	grep '^lock ' stdout | while read -r _ function class count held_by; do
		for what in sum lock; do
			filter="map(select(.record == \"$what\" and .function == \"$function\" and (if \"$what\" == \"sum\" then .kind == 6 and .sub == $class else .class == $class end)))"
			actual=$(jq "$filter | map(.count // 1) | add // 0" sums.json)
			[ "$actual" = "$count" ] || fail "$function: $actual waits of class $class in $what, not $count"
			jq -e "$filter | all(.held_by == \"$held_by\")" sums.json >/dev/null || fail "$function: held by $(jq -c "$filter | map(.held_by)" sums.json), not $held_by"
		done
		[ $failures = 0 ] || exit 1
	done || failures=1
	# Those that waited for a holder's 20 ms did so for that long.
	jq -e 'map(select(.record == "lock" and .function == "waits")) | length == 12 and all(.ns > 10000000 and .ns < 2000000000 and .result == 0)' sums.json >/dev/null ||
		fail "times of waits"
	jq -e 'map(select(.record == "sum" and .kind == 6 and .function == "does_not_wait") | .count) | add == 1' sums.json >/dev/null || fail "locks that were free were waited for"
	;;
stops)
	record -- ../program stops
	compare_main
	[ "$(jq -s 'map(select(.record == "sum" and .sub == 17) | .count) | add' memory.json)" = 10 ] || fail "calls after the end of the recording are counted"
	;;
sources) # only what is asked for
	record --sources=1 -- ../program locks
	jq -se 'map(select(.record == "sum") | .kind) | unique == [3]' memory.json >/dev/null || fail "locks, not asked for"
	record --sources=2 -- ../program locks
	jq -se 'map(select(.record == "sum") | .kind) | unique == [6]' memory.json >/dev/null || fail "io, not asked for"
	;;
broken) # memory that is not what it should be is left alone
	for what in magic version rows files records size seal; do
		record --broken=$what -- ../program threads
		jq -se 'map(select(.record == "sum" or .record == "process")) == []' memory.json >/dev/null || fail "memory with a wrong $what is used"
	done
	record --foreign -- ../program forks
	[ "$(losses foreign)" = 1 ] && ! grep '"sum"' memory.json || fail "a process of another pid namespace counts"
	record -- ../program threads
	grep -q '"sum"' memory.json || fail "sound memory is not used"
	;;
absent) # without a recorder
	for each in every cancels odd; do
		(rm -rf alone && mkdir alone && cd alone && env LD_PRELOAD="$CALLS_LIBRARY" ../plain $each) >stdout 2>&1 || fail "exit status $?"
		! grep -v '^expect' stdout || fail "something was said"
	done
	;;
friends) # others that stand before libc's functions
	jemalloc=/usr/lib/$(uname -m)-linux-gnu/libjemalloc.so.2
	export CALLS_PRELOAD="$build/runtime/libcprof-alloc.so"
	[ ! -e "$jemalloc" ] || CALLS_PRELOAD=$CALLS_PRELOAD:$jemalloc
	for each in every threads; do
		record -- ../program $each
		compare_main
	done
	;;
guests) # that do what few do
	cat >old.c <<'END'
#include <pthread.h>
#include <unistd.h>
__asm__(".symver old_lock,__pthread_mutex_lock@GLIBC_2.2.5\n.symver old_wait,pthread_cond_wait@GLIBC_2.2.5\n"
	".symver old_signal,pthread_cond_signal@GLIBC_2.2.5\n.symver old_init,pthread_cond_init@GLIBC_2.2.5");
int old_lock(pthread_mutex_t *), old_wait(pthread_cond_t *, pthread_mutex_t *), old_signal(pthread_cond_t *), old_init(pthread_cond_t *, void *);
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition;
static int go;
static void *wake(void *unused)
{
	usleep(50000);
	old_lock(&mutex);
	go = 1;
	old_signal(&condition);
	pthread_mutex_unlock(&mutex);
	return unused;
}
int main(void)
{
	pthread_t thread;
	old_init(&condition, 0);
	pthread_create(&thread, 0, wake, 0);
	if (old_lock(&mutex) || !pthread_mutex_trylock(&mutex))
		return 1; /* it was not locked */
	while (!go)
		old_wait(&condition, &mutex);
	pthread_mutex_unlock(&mutex);
	return pthread_join(thread, 0);
}
END
	cat >clock.c <<'END' # a clock of its own, which takes a lock and reads a file
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
int clock_gettime(clockid_t clock, struct timespec *now)
{
	char byte;
	int file = open("/dev/zero", O_RDONLY), result = read(file, &byte, 1) != 1;
	close(file);
	pthread_mutex_lock(&mutex);
	result |= syscall(SYS_clock_gettime, clock, now);
	pthread_mutex_unlock(&mutex);
	return result;
}
static void *run(void *unused)
{
	struct timespec now;
	for (int i = 0; i < 2000; i++)
		clock_gettime(CLOCK_REALTIME, &now);
	return unused;
}
int main(void)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], 0, run, 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], 0);
	return 0;
}
END
	cat >child.c <<'END' # a forked child whose first call is made by a vforked child of its own
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
	char byte;
	int file = open("/dev/zero", O_RDONLY);
	pid_t child = fork();
	if (!child) {
		if (!vfork()) {
			close(100);
			_exit(0);
		}
		for (int i = 0; i < 7; i++)
			pread(file, &byte, 1, 0);
		wait(0);
		_exit(0);
	}
	waitpid(child, 0, 0);
	return printf("%d\n", child) < 0;
}
END
	for guest in old clock child; do
		[ $guest != old ] || [ "$(uname -m)" = x86_64 ] || continue
		"$compiler" -O1 -w $guest.c -o $guest -pthread && ./$guest >/dev/null || die "$guest.c does not build, or does not run"
		record -- timeout 60 ../$guest
	done
	[ "$(jq -s --argjson child "$(cat stdout)" 'map(select(.record == "sum" and .who.tgid == $child and .kind == 3 and .count == 7)) | length' memory.json)" = 1 ] ||
		fail "the child's calls are another's"
	;;
races) # ThreadSanitizer in the program finds none of ours
	cat >races.c <<'END'
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static pthread_barrier_t barrier;
static void *run(void *unused)
{
	char name[64];
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "file.%d", i);
		pthread_barrier_wait(&barrier);
		int file = open(name, O_RDWR | O_CREAT, 0600);
		if (write(file, "x", 1) != 1)
			return 0;
		close(file);
	}
	return unused;
}
int main(void)
{
	pthread_t threads[4];
	pthread_barrier_init(&barrier, 0, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], 0, run, 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], 0);
	return 0;
}
END
	"$compiler" -g -O1 -fsanitize=thread races.c -o races -pthread && ./races || skip "no ThreadSanitizer"
	record -- ../races
	;;
python) # a large stranger, with threads, sockets, plug-ins and children that inherit nothing
	python=$(command -v python3) || skip "no python3"
	cat >script.py <<'END'
import json, os, socket, subprocess, sys, tempfile, threading
def work(i):
    a, b = socket.socketpair()
    with tempfile.TemporaryFile() as f:
        for n in range(200):
            a.sendall(b"x" * 100)
            f.write(b.recv(100))
        f.flush(); os.fsync(f.fileno())
        return f.tell()
total = []
threads = [threading.Thread(target=lambda i=i: total.append(work(i))) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(total, subprocess.run([sys.executable, "-c", "print(sum(map(len, map(str, range(1000)))))"], capture_output=True).stdout)
END
	"$python" script.py >plain.out || die "python3 itself fails"
	record --both -- "$python" "$PWD/script.py"
	cmp stdout plain.out || fail "python3 says something else"
	jq -se 'map(select(.record == "sum" and (.sub == 44 or .sub == 45)) | .bytes) | add == 160000' memory.json >/dev/null || [ "$(uname -m)" != x86_64 ] ||
		fail "what went through the sockets"
	[ "$(jq -s 'map(select(.record == "process" and (.name | startswith("python"))) | .pid) | unique | length' memory.json)" = 2 ] || fail "python3 and its child are not two processes"
	;;
symbols) # what a guest's names can collide with
	nm -D --defined-only "$CALLS_LIBRARY" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >actual
	[ -s actual ] || fail "nm says nothing"
	sort "$here/exported_symbols.txt" | diff - actual || fail "the library exports other symbols than listed (<: listed, >: there)"
	tls=$(readelf -lW "$CALLS_LIBRARY" | awk '$1 == "TLS" { print $6 }')
	[ $((tls)) -le 64 ] || fail "$tls bytes of TLS"
	;;
*) die "no such case" ;;
esac
[ $failures = 0 ] && echo passed
exit $((failures > 0))
