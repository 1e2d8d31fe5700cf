#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# memory_test.sh BUILD CASE: `cprof-record --memory` for real, on the program of runtime/alloc that prints what is to be seen of each of its functions.
#
# Exit status 77 only when this machine cannot do it: no BTF, no right to use BPF, no library to try it with.
set -u
build=$(cd "$1" && pwd) case=$2
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tests/support/cprof-env.sh"
program=$here/../runtime/alloc/alloc_program.c
record=$build/bpf/cprof-record
jemalloc=/usr/lib/$(uname -m)-linux-gnu/libjemalloc.so.2
unset CPROF_SLOTS_FD CPROF_RECORD_DEBUG LD_PRELOAD
work=$build/tests/work/memory/$case
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
die() {
	fail "$*"
	[ ! -s said ] || cat said
	exit 1
}

[ -r /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF (/sys/kernel/btf/vmlinux)"
effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
[ $((0x$effective >> 39 & 1)) = 1 ] && [ $((0x$effective >> 38 & 1)) = 1 ] || skip "no CAP_BPF and CAP_PERFMON"

# Addresses are what they say: no position-independent code; frame pointers so that the caller of libc's own callers is seen.
build_plain() { # [FLAG...]
	gcc -g -O1 -w -fno-builtin -fno-omit-frame-pointer -fno-optimize-sibling-calls -no-pie -fno-pie "$@" "$program" -o program -pthread || die "does not build"
}

run() { # COMMAND...
	"$record" --memory -o trace.lz4 -- "$@" >stdout 2>said || die "exit status $?"
	grep -q "memory *on: $wanted" said || die "not '$wanted'"
	! grep '^wrong' stdout || die "the program does not behave as it should"
	counters
}

counters() { # what is not there was not lost, and is not in two places
	"$build/tests/support/kernel_dump" trace.bpf.lz4 >facts || die "kernel_dump"
	jq -es 'def value($n): map(select(.record == "counter" and .name == $n) | .value)[0] // 0;
		value("sums.produced") == value("sums.received") and value("sums.lost") == 0 and value("memory.table-full") == 0
		and value("memory.nested-too-deep") == 0 and value("missed.memory_entered") == 0 and value("missed.memory_returned") == 0' facts >/dev/null ||
		fail "lost or counted twice: $(jq -c 'select(.record == "counter" and .value != 0) | [.name, .value]' facts | tr '\n' ' ')"
	"$build/bpf/memory_list" trace.bpf.lz4 >sums || die "memory_list"
}

# kind count bytes of each function: whose code the innermost address lies in.
by_stack() {
	nm -S program | awk 'NF == 4 && $3 ~ /[tT]/ { print $1, $2, $4 }' >functions
	awk 'function number(text,  i, n) { n = 0; text = tolower(text); for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1; return n }
		FNR == NR { start[FNR] = number($1); end[FNR] = start[FNR] + number($2); name[FNR] = $3; nr = FNR; next }
		{ at = number($6); for (i = 1; i <= nr; i++) if (at > start[i] && at <= end[i]) { count[$1 " " name[i]] += $2; bytes[$1 " " name[i]] += $3 } }
		END { for (k in count) print k, count[k], bytes[k] }' functions sums >by_function
}

by_context() {
	"$cprof_analyze" dump --format=json trace.lz4 | jq -r 'select(.record == "context") | "\(.id) \(.name)"' >contexts
	awk 'FNR == NR { name[$1] = $2; next } $4 != 1 { next }
		{ count[$1 " " name[$5]] += $2; bytes[$1 " " name[$5]] += $3 } END { for (k in count) print k, count[k], bytes[k] }' contexts sums >by_function
}

compare() { # [EXCEPT]: the lines that the program printed
	grep '^expect ' stdout >expected || die "the program expects nothing"
	while read -r key function fields; do
		[ "$function" != "${1:-}" ] || continue
		for field in $fields; do
			value() { awk -v k="$1" -v f="$function" -v n="$2" '$1 == k && $2 == f { print $n; found = 1 } END { if (!found) print 0 }' by_function; }
			case ${field%=*} in
			calls) actual=$(value alloc 3) ;;
			bytes) actual=$(value alloc 4) ;;
			freed_calls) actual=$(value free 3) ;;
			freed_bytes) actual=$(value free 4) ;;
			*) continue ;; # only the interposer knows those
			esac
			[ "$actual" = "${field#*=}" ] || fail "$function: ${field%=*} is $actual, not ${field#*=}"
		done
	done <expected
}

case $case in
libc)
	wanted='allocations, by probes on .*libc'
	build_plain
	for each in leak peak realloc aligned pvalloc cross; do
		run ./program $each
		by_stack
		compare leak_string # libc's strdup keeps no frame pointer: its caller is not in the stack
	done
	run ./program leak
	[ "$(awk '{ n[$1] += $2; b[$1] += $3 } END { print n["alloc"], b["alloc"], n["free"], b["free"] }' sums)" = "402 110140 100 1700" ] ||
		fail "not every allocation of the process was seen, from its first instruction on"
	grep -q slow said && fail "probes that the kernel must single-step"
	;;
threads) # 8 threads that hand blocks to each other: no frame and no block may be taken for another's
	wanted='allocations, by probes on .*libc'
	build_plain
	run ./program churn
	by_stack
	compare
	;;
static)
	wanted='allocations, by probes on ./program'
	build_plain -static
	for each in leak realloc aligned; do
		run ./program $each
		by_stack
		compare leak_string
	done
	;;
stripped)
	build_plain -static -s
	"$record" --memory -o trace.lz4 -- ./program leak >stdout 2>said || die "exit status $?"
	grep -q 'memory *off: no malloc found to probe' said || die "a static program without symbols is not said to be one"
	;;
jemalloc)
	[ -e "$jemalloc" ] || skip "no $jemalloc (package libjemalloc2)"
	wanted='allocations, by probes on .*libjemalloc'
	build_plain -Wl,--no-as-needed "$jemalloc"
	for each in leak aligned cross; do
		run ./program $each
		by_stack
		compare leak_string
	done
	;;
context) # recorded, without the interposer: to the call path instead of the stack
	wanted='allocations, by probes on ./program'
	cprof_cc gcc static -g -O2 -w -fno-builtin "$program" -o program -pthread || die "does not build"
	for each in leak peak realloc aligned cross; do
		rm -f trace*
		run ./program $each
		by_context
		compare
	done
	;;
interposer)
	wanted='allocations, by the interposer'
	cprof_cc gcc shared -g -O2 -w -fno-builtin "$program" -o program -pthread || die "does not build"
	run ./program leak
	[ ! -s sums ] || fail "allocations were counted twice"
	"$build/runtime/alloc/alloc_list" trace.lz4 | jq -es 'map(select(.calls == 100 and .bytes == 104950)) | length == 1' >/dev/null ||
		fail "leak_many is not in the program's trace"
	;;
attach) # what was allocated before is not known, nor is its free counted
	build_plain
	mkfifo go
	ALLOC_WAIT=1 ./program leak <go >stdout &
	target=$!
	exec 3>go
	"$record" --memory -o trace.lz4 -p $target 2>said &
	recorder=$!
	for i in $(seq 200); do
		grep -q 'memory *on: allocations, by probes on .*libc' said && break
		kill -0 $recorder 2>/dev/null || die "cprof-record is gone"
		sleep 0.1
	done
	echo >&3
	exec 3>&-
	wait $target || fail "the program's exit status is $?"
	wait $recorder || die "cprof-record's exit status is $?"
	counters
	by_stack
	compare leak_string
	;;
*) die "no such case" ;;
esac
[ $failures = 0 ] && echo passed
exit $((failures > 0))
