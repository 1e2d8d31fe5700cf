#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# live_test.sh CASE BUILD: cprof-record --live for real, on live_target.c, whose counts are known: as text, and as a dashboard in a terminal (tmux) that is
# typed into. What is waited for is waited for long; what must come out are names and counts, never times.
#
# Exit status 77 only when this machine cannot do it: no BTF, or no right to use BPF; tmux or ncurses for the cases that need them.
set -u
case=$1
build=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
PATH=$build/bpf:$build/cc-wrapper:$build/tests/support:$build/analyzer:$PATH
LC_ALL=C.UTF-8
export PATH LC_ALL
unset CPROF_OUTPUT CPROF_SLOTS_FD CPROF_RECORD_DEBUG

[ -r /sys/kernel/btf/vmlinux ] || { echo "skipped: this kernel has no BTF (/sys/kernel/btf/vmlinux)"; exit 77; }
effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
[ $((0x$effective >> 39 & 1)) = 1 ] && [ $((0x$effective >> 38 & 1)) = 1 ] || { echo "skipped: no CAP_BPF and CAP_PERFMON"; exit 77; }

work=$(mktemp -d)
background=
socket=cprof-live-$$
cleanup() {
	for pid in $background; do kill -9 "$pid" 2>/dev/null; done
	command -v tmux >/dev/null && tmux -L "$socket" kill-server 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
cd "$work" || exit 1
export TMUX_TMPDIR="$work" # its socket goes with the rest

fail() {
	echo "FAILED: $*"
	for file in out err text screen; do
		[ -s $file ] && { echo "--- $file:"; tail -120 $file; }
	done
	exit 1
}

instrumented() { cprof-cc -O1 -g -o live_target "$here/live_target.c" -pthread || fail "cannot build the target"; }
plain() { cc -O1 -g -fno-inline -o live_plain "$here/live_target.c" -pthread || fail "cannot build the target"; }
# Sums of all the time: what the last page of the text says. In a file "all".
last_page() { sed -n '/^--- .*since the start/,$p' "$1" >all; [ -s all ] || fail "no page of sums in $1"; }
# row VIEW NAME: the line of that view's that ends with the name.
row() { sed -n "/^$1: /,/^[a-z-]*: [a-z]/p" all | awk -v name="$2" 'substr($0, length($0) - length(name) + 1) == name && $0 !~ /^[a-z-]*: /' | head -1; }
# In the sums, by function: the kernel may have to wait in nap() for itself, too (a fault, a probe): its own column, the last, shows that, and then some more count.
naps_are() {
	row off-cpu "  nap" | awk -v naps="$1" '{ times = $3 ~ /^[0-9]+$/ ? $3 : $4 } times == naps || (times > naps && times <= naps + 3 && !/ -  nap$/) { ok = 1 } END { exit !ok }' ||
		fail "nap: $(row off-cpu '  nap'), expected $1"
}
check_file() { lz4 -qt t.bpf.lz4 2>/dev/null || fail "lz4 -t"; kernel_dump t.bpf.lz4 | grep -q '"record":"end"' || fail "the file does not end as it should"; }

# Text: the program's output is its own, its status ours; counts are exact and named by function.
case_text() {
	instrumented
	cprof-record -o t.lz4 --live --all --window=200ms -- ./live_target 25 >out 2>text
	[ $? = 3 ] || fail "status $?"
	[ "$(cat out)" = "the target's own line" ] || fail "the target's output is not its own"
	last_page text
	[ "$(grep -c '^--- .* last ' text)" -ge 2 ] || fail "no windows"
	naps_are 25
	grep -E "write     $work/data" all | awk '$1 == 100 && / 409\.6 kB /  { ok = 1 } END { exit !ok }' || fail "writes: $(grep "write     " all)"
	grep -E "sync      $work/data" all | awk '$1 == 25 { ok = 1 } END { exit !ok }' || fail "syncs"
	grep -q 'wait_for_lock waits for mutex 0x[0-9a-f]* held by hold_lock' all || fail "who waited for whom"
	grep 'wait_for_lock waits for mutex' all | awk '$1 == 25 { ok = 1 } END { exit !ok }' || fail "waits: $(grep 'waits for mutex' all)"
	[ "$(row cpu '  spin' | awk '{ print ($1 > 0 && $2 > 0) }')" = 1 ] || fail "spin was not sampled"
	row memory "  churn" | awk '/ 250 +250.0 kB +1.0 kB +225.0 kB +25.0 kB / { ok = 1 } END { exit !ok }' || fail "allocations: $(row memory '  churn')"
	grep -q '^count .* 25 ' all || fail "no latencies"
	grep -q '^p99, at most' all && grep -q '^>= 10 ms' all || fail "no percentiles"
	check_file
}

# A window's numbers are in one window: those of all pages add up to at most the sum, and the sum is exact.
case_windows() { # three waits more in nap at most: naps_are says which
	instrumented
	cprof-record -o t.lz4 --live --off-cpu --window=100ms -- ./live_target 40 >out 2>text
	last_page text
	sum=$(sed '/since the start/,$d' text | awk '/^off-cpu:/ { on = 1 } /^lost/ { on = 0 } on && $NF == "nap" { for (i = 1; i < NF; i++) if ($i ~ /^[a-z]/) times = $(i + 1); else if (times != "") break; sum += times; times = "" } END { print sum + 0 }')
	[ "$sum" -le 43 ] && [ "$sum" -ge 20 ] || fail "naps in windows: $sum of 40"
	naps_are 40
}

# A process that runs already: its contexts have names all the same, from the live file that it has mapped.
case_attach() {
	instrumented
	./live_target 100000 >/dev/null 2>&1 &
	background=$!
	while [ ! -s trace.lz4.live ]; do sleep 0.1; done
	cprof-record -o t.lz4 --live --all -p "$background" -d 2s >text 2>err || fail "status $?"
	last_page text
	[ -n "$(row off-cpu '  nap')" ] && [ -n "$(row cpu '  spin')" ] || fail "no names"
	grep -q "wait_for_lock waits for mutex" all || fail "no lock"
	check_file
}

# Without the runtime: functions by the address that was sampled, waits by the stack.
case_plain() {
	plain
	cprof-record -o t.lz4 --live --all -- ./live_plain 25 >out 2>text
	[ $? = 3 ] || fail "status $?"
	last_page text
	row cpu "  spin [live_plain]" | awk '$1 > 0 && $2 > 0 { ok = 1 } END { exit !ok }' || fail "spin was not sampled"
	grep -E "sync      $work/data" all | awk '$1 == 25 { ok = 1 } END { exit !ok }' || fail "syncs"
	row memory "  churn [live_plain]" | awk '/ 250 +250.0 kB +1.0 kB +225.0 kB +25.0 kB / { ok = 1 } END { exit !ok }' || fail "allocations"
	check_file
}

# Nothing happens: it says so, and ends.
case_empty() {
	sleep 1000 &
	background=$!
	sleep 0.5
	cprof-record -o t.lz4 --live --all -p "$background" -d 1500ms --window=200ms >text 2>err || fail "status $?"
	last_page text
	grep -q '^CPU 0.0 % sampled (0)  .* I/O 0 calls ' all || fail "there is something"
	row off-cpu "  (no stack)" | awk '$3 == 1 || $4 == 1 { ok = 1 } END { exit !ok }' || fail "the sleep that goes on is not there, at the end"
	sed -n '/ last /,/^lost/p;/^lost/q' text >first
	[ "$(grep -c 'nothing yet' first)" -ge 4 ] || fail "it does not say that there is nothing"
	check_file
}

# The target is killed: status and file as without --live, the last page is there.
case_dies() {
	instrumented
	cprof-record -o t.lz4 --live --all -- sh -c './live_target 100000 & sleep 1; kill -9 $!; kill -9 $$' >out 2>text
	[ $? = 137 ] || fail "status $?"
	last_page text
	head -1 all | grep -q 'ended' || fail "it does not say that it has ended"
	check_file
}

# Nobody reads the text any more: the recording ends, and its file with it.
case_pipe() {
	{ cprof-record -o t.lz4 --live -a --window=100ms -d 60s 2>err; echo $? >status; } | head -5 >text
	[ -s text ] || fail "no text"
	[ "$(cat status)" = 0 ] || fail "status $(cat status)"
	check_file
}

# --- in a terminal ---

tm() { tmux -L "$socket" -f /dev/null "$@"; }
screen() { tm capture-pane -p >screen; }
# until PATTERN: shown at last.
until_shown() {
	tries=0
	until screen; grep -q -- "$1" screen; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || fail "never shown: $1"
		sleep 0.1
	done
}
start_terminal() {
	command -v tmux >/dev/null || { echo "skipped: no tmux"; exit 77; }
	grep -q ncurses "$build/CMakeCache.txt" && ! grep -q 'NCURSES_LIBRARY.*NOTFOUND' "$build/CMakeCache.txt" || { echo "skipped: built without ncurses"; exit 77; }
	tm new-session -d -x 110 -y 30 "env PS1='prompt> ' sh" || fail "tmux"
	until_shown 'prompt>'
}

case_dashboard() { # a program that runs until it is told to end
	instrumented
	start_terminal
	tm send-keys "stty -g >before; cprof-record -o t.lz4 --live --all --window=500ms -- ./live_target 100000; echo status \$?; stty -g >after" Enter
	until_shown '\[1 cpu\].*functions'
	until_shown '  spin$'
	tm send-keys 2
	until_shown '\[2 off-cpu\]'
	until_shown ' \*off-CPU'
	until_shown '  nap$'
	tm send-keys '>'
	until_shown ' \*times'
	tm send-keys g
	until_shown '  nap < main$'
	tm send-keys g g
	until_shown '\] .*functions\|functions$'
	tm send-keys / WAIT_FOR
	until_shown 'filter: WAIT_FOR_'
	tm send-keys Enter
	until_shown 'wait_for_lock$'
	! grep -q ' nap$' screen || fail "the filter lets too much through"
	tm send-keys Escape
	until_shown '  nap$'
	tm send-keys t
	until_shown 'since the start'
	tm send-keys Space
	until_shown FROZEN
	cp screen frozen
	sleep 2
	screen
	cmp -s screen frozen || fail "it is not frozen"
	tm send-keys Space
	tries=0
	while screen; cmp -s screen frozen || grep -q FROZEN screen; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || fail "it stays frozen"
		sleep 0.1
	done
	tm send-keys h
	until_shown 'the column that rows are sorted by'
	tm send-keys h 5
	until_shown 'p99, at most'
	tm resize-window -x 60 -y 12
	tm send-keys 6
	until_shown '\[6 files\]'
	until_shown '^lost ' # the bottom is where it belongs
	[ "$(grep -n '^lost ' screen | cut -d: -f1)" = 11 ] || fail "not drawn for 12 lines"
	tm resize-window -x 140 -y 40
	until_shown 'h help  q quit'
	until_shown '/data$'
	[ "$(grep -n '^lost ' screen | cut -d: -f1)" = 39 ] || fail "not drawn for 40 lines"
	tm send-keys 7
	until_shown 'wait_for_lock waits for mutex 0x[0-9a-f]* held by hold_lock$'
	tm send-keys q
	sleep 0.5
	touch stop
	until_shown "the target's own line" # what it wrote in its own time
	until_shown 'status 3'
	tm capture-pane -p -S -200 | grep -q -- '--- .*since the start' || fail "the sums are not left on the terminal"
	tm send-keys 'cmp before after && echo terminal as before' Enter
	until_shown '^terminal as before'
	check_file
}

# A terminal that is not read from is not waited for: attached and left with q, and the file is whole.
case_quit() {
	instrumented
	./live_target 100000 >/dev/null 2>&1 &
	background=$!
	start_terminal
	tm send-keys "cprof-record -o t.lz4 --live -p $background; echo status \$?" Enter
	until_shown '\[1 cpu\]'
	tm send-keys q
	until_shown 'status 0'
	check_file
}

case_$case
