# SPDX-License-Identifier: BSD-2-Clause
# Sourced by record_*_test.sh CASE BUILD: cprof-record for real. Each case runs a target whose contexts and counts are known (record_target.c) and asks the
# file, as lines of JSON (kernel_dump), whether they are there, exactly. Times are only compared with other times of the same run: these hold on a busy
# machine, too.
#
# Exit status 77 only when this machine cannot do it: no BTF, or no right to use BPF.
# shellcheck disable=SC2034
case=$1
build=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
PATH=$build/bpf:$build/tests/support:$build/tests/bpf:$build/analyzer:$PATH
export PATH
unset CPROF_OUTPUT CPROF_SLOTS_FD CPROF_RECORD_DEBUG

can_record() {
	[ -r /sys/kernel/btf/vmlinux ] || { echo "skipped: this kernel has no BTF (/sys/kernel/btf/vmlinux)"; return 1; }
	effective=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
	[ $((0x$effective >> 39 & 1)) = 1 ] && [ $((0x$effective >> 38 & 1)) = 1 ] || { echo "skipped: no CAP_BPF and CAP_PERFMON"; return 1; }
}
grep -q "^case_$case()" "$0" || { echo "no such case: $case"; exit 2; }
can_record || exit 77

work=$(mktemp -d)
background=
cleanup() {
	for pid in $background; do kill -9 "$pid" 2>/dev/null; done
	[ ! -e swap ] || swapoff swap 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
cd "$work" || exit 1

fail() {
	echo "FAILED: $*"
	[ -s err ] && { echo "cprof-record said:"; cat err; }
	exit 1
}

# record OPTION... -- COMMAND...: into t.bpf.lz4, then facts.json. The status is the command's. One window, so that each sum is there once.
record() {
	cprof-record -o t.lz4 --window=10m "$@" >out 2>err
	status=$?
	kernel_dump t.bpf.lz4 >facts.json || fail "the file cannot be read"
	return $status
}

# check TEXT FILTER [jq option...]: the filter over all records (an array) must be true.
check() {
	text=$1
	filter=$2
	shift 2
	jq -es "$@" "$filter" facts.json >answer 2>&1 && return 0
	echo "not so: $text"
	echo "$filter" | head -c 2000
	cat answer
	jq -cs 'group_by(.record)[] | [.[0].record, length]' facts.json
	fail "$text"
}

# What holds in every file.
check_sound() {
	lz4 -qt t.bpf.lz4 2>/dev/null || fail "lz4 -t"
	check "each thread's time is on the CPU, in the run queue, blocked or stopped, to the ns" \
		'(map(select(.record == "counter" and .name == "threads.lost").value) | add) as $lost |
		map(select(.record == "thread")) | length + $lost > 0 and all(.end_ns - .start_ns == .on_cpu_ns + .runq_ns + .suspended_ns + (.blocked_ns | add))'
	check "what was produced was received or counted as lost" '
		(map(select(.record == "counter")) | map({key: .name, value: .value}) | from_entries) as $c |
		[$c | keys[] | select(endswith(".produced")) | rtrimstr(".produced")] | length > 5 and
		all(. as $n | $c[$n + ".produced"] == $c[$n + ".received"] + $c[$n + ".lost"])'
}

counter() { jq -s --arg name "$1" 'map(select(.record == "counter" and .name == $name).value) | add' facts.json; }

# The last line of each script.
run_case() {
	"case_$case"
	echo "passed: $case"
}
