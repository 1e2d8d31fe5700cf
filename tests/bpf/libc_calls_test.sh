#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# libc_calls_test.sh CASE BUILD: cprof-record --io and --locks where it may not use BPF: calls of libc's functions, counted by a preloaded library. Counts, bytes, files
# and contexts are those that the program knows. Run as nobody without a capability, with perf events (by_perf) and without.
set -u
case=$1
build=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
without_bpf=yes
. "$here/kernel-env.sh"
. "$here/io_claims.sh"
grep -q "^case_$case()" "$0" || { echo "no such case: $case"; exit 2; }
. "$here/nobody-env.sh"

# record WITH ARGUMENT...: WITH is perf, or refuse: without perf events, too. The program's trace is t.lz4.
record() {
	record_with=$1
	shift
	record_refuse=
	if [ "$record_with" = refuse ]; then
		[ -x refuse ] || gcc "$here/refuse_perf.c" -o refuse || die "cannot build"
		record_refuse=./refuse
	fi
	rm -f t.lz4 t.bpf.lz4
	# shellcheck disable=SC2086
	as_nobody -all $record_refuse timeout 100 bin/cprof-record -o t.lz4 "$@" >said 2>record.err
}

recorded() { # ARGUMENT...: and it ended well
	record "$@" || { cat record.err; die "cprof-record: $?"; }
	read_records t
}

ask_no_loss() {
	ask_no_loss_but 'kernel-symbols[.]|modules[.]'
	ask "single calls: produced = received + lost" 'counter("calls.produced") == counter("calls.received") + counter("calls.lost") + counter("calls.unfinished")'
	ask "single calls are in the file" 'counter("calls.received") == ([every("io", "lock")] | length)'
	ask "calls in sums are in the file" 'counter("sums.received") == total(every("sum").count)'
}

# What io_target.c does.
check_io() {
	recorded "$1" --io --window=10m -- ./io "$folder"
	grep -q "^cprof-record: io  *on: calls of libc's functions" record.err || { cat record.err; die "no io"; }
	grep -q "^cprof-record: block  *off: needs BPF" record.err || fail "block"
	folder_real=$(cd "$folder" && pwd -P)
	ask_io 2
	ask "in the first image" '[sums(3) | select(path(.who) != [])] | length > 20 and all(.[]; .who.generation == 0)'
	ask "both writes to the renamed file, by its last name" '[sums(3) | select(path(.who)[0] == "write_renamed" and .sub == 1) | [.count, .bytes, .inode, .path]] ==
		[[2, 37, $inode, $path]]' --argjson inode "$(file before 4)" --arg path "$folder_real/after"
	ask "the slow read is the first thread's" '[every("io") | select(path(.who)[0] == "read_slowly")] | all(.who.tid == .who.tgid)'
	ask_no_loss
	# What is shown.
	"$cprof_analyze" io --format=json t.lz4 >io.json || die "cprof-analyze io"
	jq -e --arg path "$folder_real/direct" '(.by_context | any(.call == "pwrite64" and .context.path[-1] == "direct_write" and .count == 20 and .bytes == 1310720)) and
		(.by_file | any(.file == $path and .call == "pread64" and .count == 20 and .bytes == 1310720)) and
		.trace.kernel.context_quality.sums.tls > 100 and ([.trace.kernel.files[0].sources[] | select(.name == "io")][0] | .on and .by_calls)' io.json >/dev/null ||
		{ jq -c . io.json; fail "cprof-analyze io"; }
	"$cprof_analyze" tree --columns=calls,io,io-time --format=json t.lz4 >tree.json || die "cprof-analyze tree"
	jq -e '[.root | recurse(.children[]?) | select(.name == "direct_write")] | length == 1 and .[0].io_bytes.self == 1310720 and .[0].io_ns.self > 0' tree.json >/dev/null ||
		{ jq -c . tree.json; fail "cprof-analyze tree"; }
	"$cprof_analyze" dump --only t.bpf.lz4 >/dev/null || fail "cprof-analyze dump"
	"$cprof_analyze" advise t.lz4 >/dev/null || fail "cprof-analyze advise"
}

build_io() {
	cprof_cc gcc shared -g -O2 -D_GNU_SOURCE "$here/io_target.c" -o io || die "does not build"
	folder=$work/files
	mkdir files && chmod 777 files
}

case_io() {
	may_use_perf_events
	build_io
	check_io perf
	ask "perf events say the process" '[every("process") | select(.flags % 16 >= 8)] | length > 0'
	ask "and nothing says it once more" '[every("process") | select(.tgid == lead and .flags >= 32)] == []'
}

# Without perf events, too.
case_io_refused() {
	build_io
	check_io refuse
	grep -q "^cprof-record: without perf events: .*perf_event_paranoid" record.err || { cat record.err; fail "why not"; }
	grep -q "^cprof-record: cpu  *off: not asked for" record.err || fail "cpu"
	ask "the library says the process" '[every("process") | select(.flags % 2 == 1 and .flags >= 32 and .generation == 0 and .name == "io")] | length > 0'
	# What is on by default is not to be had: then there is nothing to record.
	record refuse -- ./io "$folder" || fail "the program's exit status"
	grep -q "runs without the kernel half" record.err || fail "it does not say what is missing"
	[ ! -e t.bpf.lz4 ] || fail "an empty file was left"
}

# As many as strace counts in the same run, of all calls but those that the loader, stdio and cprof's runtime make as well.
case_io_strace() {
	may_use_perf_events
	command -v strace >/dev/null || skip "no strace"
	build_io
	recorded perf --io --window=10m -- strace -f -c -U name,calls -o strace.out ./io "$folder"
	mine='def mine: [every("process") | select(.name == "io") | .tgid] as $pids | select(.who.tgid as $pid | $pids | index($pid));'
	grep -vwE 'read|write|openat|close|pread64|fallocate|unlinkat' strace.out >strace.theirs
	jq -c 'select(.record != "sum" or (.sub | IN(0, 1, 3, 17, 257, 285, 263) | not))' records.json >records.ours
	cp records.json records.all && mv records.ours records.json
	ask_strace "system calls" strace.theirs 11 "$mine"
	mv records.all records.json
	for call in read:0 write:1 close:3 pread64:17 openat:257; do
		theirs=$(awk -v name="${call%:*}" '$1 == name { print $2 }' strace.out)
		ask "${call%:*}: not more than strace's $theirs" "$mine"' total(sums(3) | mine | select(.sub == $number) | .count) | . > 0 and . <= $theirs' \
			--argjson number "${call#*:}" --argjson theirs "$theirs"
	done
	ask_no_loss
}

# What locks_target.c says of its waits (locks_test.sh), but for a futex of its own, which goes through no function of libc's.
check_locks() {
	recorded "$1" --locks --lock-threshold=9500us --window=10m -- ./locks
	grep -q "^cprof-record: locks  *on: waits in libc's functions" record.err || { cat record.err; die "no locks"; }
	sed -n '/^\/\*$/,/^ \*\/$/p' "$here/locks_target.c" | sed -n 's/^ \* wait: //p' | grep -v own_futex >expected
	[ "$(wc -l <expected)" -ge 20 ] || die "no expectations"
	while read -r function class holder; do
		ask "$function: one wait of class $class, held by $holder" '
			[sums(6) | select(path(.who)[0] == $function)] |
			length == 1 and (.[0] | .sub == $class and .who.quality == 2 and .count == 1 and .ns >= 9500000 and
				($holder == "several" or if $holder == "nobody" then .other == 0 else names(.other) | index($holder) end))' \
			--arg function "$function" --argjson class "$class" --arg holder "$holder"
		ask "$function: one record" '
			[every("lock") | select(path(.who)[0] == $function)] |
			length == 1 and (.[0] | .lock_class == $class and .duration_ns >= 9500000 and .result == 0 and .who.quality == 2 and
				if $holder == "nobody" then .holder.tgid == 0
				else $holder == "several" or .holder.tgid == .who.tgid and .holder.tid != .who.tid and .holder.quality == 2 and
					(path(.holder) | index($holder))
				end)' --arg function "$function" --argjson class "$class" --arg holder "$holder"
	done <expected
	ask_no_loss
	"$cprof_analyze" locks --format=json t.lz4 >locks.json || die "cprof-analyze locks"
	jq -e '.locks | any(.class == "mutex" and .waiter.path[-1] == "wait_mutex" and (.holder.path | index("hold_mutex")))' locks.json >/dev/null ||
		{ jq -c .locks[] locks.json; fail "cprof-analyze locks"; }
	"$cprof_analyze" locks t.lz4 | grep -q "waits in libc's functions" || fail "it is not said whose waits these are"
}

case_locks() {
	may_use_perf_events
	cprof_cc gcc shared -g -O2 -D_GNU_SOURCE "$here/locks_target.c" -o locks -pthread || die "does not build"
	check_locks perf
}

case_locks_refused() {
	cprof_cc gcc shared -g -O2 -D_GNU_SOURCE "$here/locks_target.c" -o locks -pthread || die "does not build"
	check_locks refuse
}

# A child with a trace of its own, a second image with one, and a third without: each its own.
case_fork_exec() {
	may_use_perf_events
	cat >images.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <sys/wait.h>
		#include <unistd.h>
		#define DO(name, times) __attribute__((noinline)) static void name(int fd) { for (int i = 0; i < times; i++) if (write(fd, "0123456789", 10) != 10) _exit(9); }
		DO(by_parent, 3) DO(by_child, 4) DO(by_grandchild, 5) DO(by_second, 6)
		__attribute__((noinline)) static void child(int fd)
		{
			by_child(fd);
			if (fork() == 0) {
				by_grandchild(fd);
				_exit(0);
			}
			wait(NULL);
			_exit(0);
		}
		int main(int argc, char **argv)
		{
			int fd = open("written", O_WRONLY | O_CREAT | O_APPEND, 0600);
			if (argc > 1) {
				by_second(fd);
				execl("/bin/sh", "sh", "-c", "echo 1 >&9; echo 2 >&9; exit 7", (char *)0);
			}
			if (dup2(fd, 9) != 9)
				return 8;
			by_parent(fd);
			if (fork() == 0)
				child(fd);
			wait(NULL);
			execl(argv[0], argv[0], "again", (char *)0);
			return 9;
		}
	END
	cprof_cc gcc shared -g -O2 images.c -o images || die "does not build"
	for with in perf refuse; do
		rm -f written t.*lz4
		record $with --io --window=10m -- ./images
		[ $? = 7 ] || fail "the program's exit status"
		read_records t
		"$cprof_analyze" io --session --format=json t.lz4 >io.json || die "cprof-analyze io"
		for expected in by_parent:3 by_child:4 by_grandchild:5 by_second:6; do
			jq -e --arg name ${expected%:*} --argjson count ${expected#*:} '[.by_context[] | select(.call == "write" and .context.path[-1]? == $name)] |
				length == 1 and .[0].count == $count and .[0].bytes == 10 * $count' io.json >/dev/null || { jq -c .by_context[] io.json; fail "$with: $expected"; }
		done
		jq -e '[.by_context[] | select(.call == "write" and .context.process? == "sh")] | length == 1 and .[0].count == 2 and .[0].bytes == 4' io.json >/dev/null ||
			{ jq -c .by_context[] io.json; fail "$with: the image without a trace"; }
		jq -e '[.by_context[] | select(.call == "write") | .count] | add == 20' io.json >/dev/null || fail "$with: writes of others"
		ask_no_loss
	done
}

# Images without a trace, after one with a trace and after each other: each has its own calls, and none of the others'.
case_strangers() {
	may_use_perf_events
	cat >before.c <<-'END'
		#include <unistd.h>
		__attribute__((noinline)) static void before(void) { if (write(1, "0123456", 7) != 7) _exit(9); }
		int main(void)
		{
			before();
			execl("/bin/sh", "sh", "-c", "echo 12 >written; echo 3 >>written; exec dd if=written of=copied bs=5 status=none", (char *)0);
			return 9;
		}
	END
	cprof_cc gcc shared -g -O2 before.c -o before || die "does not build"
	for with in perf refuse; do
		rm -f written copied
		recorded $with --io --window=10m -- ./before
		"$cprof_analyze" io --format=json t.lz4 >io.json || die "cprof-analyze io"
		jq -e '[.by_context[] | select(.call == "write") | [.context.process? // .context.path[-1], .count, .bytes]] | sort == [["before", 1, 7], ["dd", 1, 5], ["sh", 2, 5]]' \
			io.json >/dev/null || { jq -c .by_context[] io.json; fail "$with"; }
		jq -e '.trace.kernel.context_quality.sums | .no_runtime > 3 and .tls == 1' io.json >/dev/null || { jq -c .trace.kernel.context_quality io.json; fail "$with: qualities"; }
		ask_no_loss
	done
}

# The target is killed in the middle: what it did until then is known to the call.
case_killed_target() {
	cat >killed.c <<-'END'
		#include <fcntl.h>
		#include <signal.h>
		#include <unistd.h>
		__attribute__((noinline)) static void work(int fd) { for (int i = 0; i < 1000; i++) if (pwrite(fd, "x", 1, i) != 1) _exit(9); }
		int main(void) { work(open("written", O_WRONLY | O_CREAT, 0600)); kill(getpid(), SIGKILL); return 0; }
	END
	cprof_cc gcc shared -g -O2 killed.c -o killed || die "does not build"
	record refuse -q --io -- ./killed
	[ $? = 137 ] || fail "the program's exit status"
	"$cprof_analyze" io --format=json t.lz4 >io.json || die "cprof-analyze io"
	jq -e '[.by_context[] | select(.call == "pwrite64")] | length == 1 and .[0].count == 1000 and .[0].bytes == 1000 and .[0].context.path == ["main", "work"]' io.json >/dev/null ||
		{ jq -c .by_context[] io.json; fail "what it did before"; }
}

# The recorder is killed: the program does not notice; windows before that are in the file.
case_killed_recorder() {
	cat >slow.c <<-'END'
		#include <fcntl.h>
		#include <time.h>
		#include <unistd.h>
		__attribute__((noinline)) static void work(int fd) { for (int i = 0; i < 1000; i++) { if (pwrite(fd, "x", 1, i) != 1) _exit(9); nanosleep(&(struct timespec){ 0, 1000000 }, NULL); } }
		int main(void) { work(open("written", O_WRONLY | O_CREAT, 0600)); return 7; }
	END
	cprof_cc gcc shared -g -O2 slow.c -o slow || die "does not build"
	# shellcheck disable=SC2016
	as_nobody -all sh -c 'bin/cprof-record -q -o t.lz4 --io --window=50ms -- sh -c "./slow; echo \$? >status" & sleep 0.6; kill -9 $!
		while [ ! -s status ]; do sleep 0.1; done' 2>record.err
	[ "$(cat status)" = 7 ] || fail "the program's exit status"
	"$cprof_analyze" io --session --format=json t.lz4 >io.json || die "cprof-analyze io"
	jq -e '[.by_context[] | select(.call == "pwrite64" and .context.path[-1]? == "work")] | length == 1 and .[0].count > 20 and .[0].count < 1000 and .[0].bytes == .[0].count' \
		io.json >/dev/null || { jq -c .by_context[] io.json; fail "what was written before"; }
	[ "$(jq '.trace.kernel.files[0].clean' io.json)" = false ] || fail "it is not said"
}

# A program that outlives the recording is told to count no more, and runs on.
case_duration() {
	cat >slow.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <time.h>
		#include <unistd.h>
		#include "calls_table.h"
		int main(void)
		{
			struct cprof_calls_header header;
			int fd = open("written", O_WRONLY | O_CREAT, 0600);
			for (int i = 0; i < 1000; i++) {
				if (pwrite(fd, "x", 1, i) != 1)
					return 9;
				nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
			}
			if (pread(atoi(getenv("CPROF_CALLS_FD")), &header, sizeof header, 0) != sizeof header || header.magic != CPROF_CALLS_MAGIC)
				return 8;
			return header.stopped_ns ? 7 : 6;
		}
	END
	gcc -O2 -I"$here/../../format" slow.c -o slow || die "does not build"
	record refuse -q --io --duration=300ms -- ./slow
	[ $? = 7 ] || fail "the program's exit status"
	read_records t
	ask "a part of its calls" 'total(sums(3) | select(.sub == 18) | .count) | . > 20 and . < 600'
	ask "and all of that part's bytes" 'total(sums(3) | select(.sub == 18) | .bytes) == total(sums(3) | select(.sub == 18) | .count)'
	ask_no_loss
}

# What stdio does inside of libc is not seen, and that is said: 7 of the 10 writes, 2 of the reads.
case_stdio() {
	cat >stdio.c <<-'END'
		#include <fcntl.h>
		#include <stdio.h>
		#include <unistd.h>
		int main(void)
		{
			FILE *file = fopen("printed", "w+");
			char byte;
			int fd = fileno(file);
			for (int i = 0; i < 3; i++) {
				fprintf(file, "a line\n");
				fflush(file);
			}
			for (int i = 0; i < 7; i++)
				if (pwrite(fd, "x", 1, i) != 1)
					return 1;
			for (int i = 0; i < 2; i++)
				if (pread(fd, &byte, 1, i) != 1)
					return 1;
			rewind(file);
			return fgetc(file) != 'x';
		}
	END
	gcc -O2 stdio.c -o stdio || die "does not build"
	recorded refuse -q --io -- ./stdio
	"$cprof_analyze" io --format=json t.bpf.lz4 >io.json || die "cprof-analyze io"
	jq -e '.seen_by_calls | .processes == 1 and .kernel_writes == 10 and .writes == 7 and .reads == 2 and .kernel_reads > 2' io.json >/dev/null ||
		{ jq -c .seen_by_calls io.json; fail "what is not seen"; }
	"$cprof_analyze" io --width=80 t.bpf.lz4 >io.txt
	grep -q "calls of libc's functions" io.txt && tr -s ' \n' ' ' <io.txt | grep -q "and 10 writes of files: 2 and 7 are here" || { head -20 io.txt; fail "it is not said"; }
	# A child's are its parent's, when that has waited for it, however short it lived.
	recorded refuse -q --io -- sh -c './stdio; ./stdio; exit 0'
	"$cprof_analyze" io --format=json t.bpf.lz4 >io.json || die "cprof-analyze io"
	jq -e '.seen_by_calls | .processes == 3 and .kernel_writes == 20 and .writes == 14 and .reads == 4' io.json >/dev/null || { jq -c .seen_by_calls io.json; fail "children"; }
	ask_no_loss
	# Of one that nobody waits for the kernel does not tell: then it cannot be said what is missing.
	recorded refuse -q --io -- sh -c '(./stdio & exec sleep 0.3); exit 0'
	"$cprof_analyze" io --width=80 t.bpf.lz4 | tr -s ' \n' ' ' | grep -q "what is not here cannot be said" || { "$cprof_analyze" io t.bpf.lz4 | head; fail "an orphan's calls"; }
	"$cprof_analyze" advise t.bpf.lz4 2>/dev/null | grep -q "Not judged: .*I/O" && fail "I/O was recorded"
}

# A program with AddressSanitizer, which wants its own library before all others: it runs, is seen, and still finds what it is there for.
case_sanitized() {
	cat >sanitized.c <<-'END'
		#include <fcntl.h>
		#include <stdlib.h>
		#include <unistd.h>
		static void save(int fd)
		{
			for (int i = 0; i < 5; i++)
				if (write(fd, "four", 4) != 4)
					abort();
		}
		int main(int argc, char **argv)
		{
			volatile char *block = malloc(8);
			(void)argv;
			save(open("saved", O_RDWR | O_CREAT, 0666));
			block[argc > 1 ? 8 : 0] = 1;
			free((void *)block);
			return 7;
		}
	END
	cprof_cc gcc shared -g -O1 -fsanitize=address sanitized.c -o sanitized || skip "no AddressSanitizer"
	record refuse -q --io --locks --memory -- ./sanitized
	[ $? = 7 ] || { cat record.err; fail "the program's exit status"; }
	read_records t
	ask "its writes" '[sums(3) | select(path(.who)[0] == "save")] | length == 1 and .[0].sub == 1 and .[0].count == 5 and .[0].bytes == 20'
	"$cprof_analyze" memory --format=json t.lz4 | jq -e '[.allocations[] | select(.context.path == ["main"])] | length == 1 and .[0].calls == 1 and .[0].bytes == 8' >/dev/null ||
		{ "$cprof_analyze" memory t.lz4; fail "its allocation"; }
	record refuse -q --io --memory -- sh -c './sanitized fault; exit 0' || fail "a shell that runs it"
	grep -q "heap-buffer-overflow" record.err || { cat record.err; fail "the fault is not found"; }
}

# Where nothing can be preloaded, it is off, and why; the program runs.
case_impossible() {
	echo 'int main(void) { return 7; }' >static.c
	gcc -static static.c -o static && gcc static.c -o other && gcc static.c -o attached || die "does not build"
	record refuse --io --locks -- ./static
	[ $? = 7 ] || fail "the program's exit status"
	grep -q "^cprof-record: --io, --locks: the program is static" record.err || { cat record.err; fail "static"; }
	chmod u+s other
	if [ -z "$(findmnt -nT . -o OPTIONS | grep -w nosuid)" ]; then
		as_nobody -all timeout 100 bin/cprof-record -o t.lz4 --io -- ./other >said 2>record.err
		grep -q "^cprof-record: io  *off: the program takes other rights" record.err || { cat record.err; fail "setuid"; }
	fi
	may_use_perf_events
	record perf --io -- ./static
	grep -q "^cprof-record: io  *off: the program is static: .*needs BPF" record.err || { cat record.err; fail "static, with perf events"; }
	"$cprof_analyze" io t.bpf.lz4 2>&1 | grep -q "I/O was not recorded in this run: the program is static" || fail "the view does not say why"
	# shellcheck disable=SC2016
	as_nobody -all sh -c 'sleep 5 & timeout 20 bin/cprof-record -o t.lz4 --io --locks --off-cpu -p $! -d 200ms; kill $!' >said 2>record.err
	grep -q "^cprof-record: io  *off: a program that runs already cannot be preloaded; needs BPF" record.err || { cat record.err; fail "-p"; }
	grep -q "^cprof-record: locks  *off: a program that runs already cannot be preloaded; needs BPF" record.err || fail "-p, locks"
}

"case_$case"
finish
