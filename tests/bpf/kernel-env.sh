# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the tests of cprof-record, with $build set: programs, how records are read, how questions are asked.
# shellcheck disable=SC2034,SC2154
. "$(dirname "$0")/../support/cprof-env.sh"
cprof_record=$build/bpf/cprof-record
kernel_dump=$build/tests/support/kernel_dump

finish() {
	[ $failures = 0 ] && echo "passed"
	exit $((failures > 0))
}

# The end of a test of BUILD ATTEMPT in make_ext4_folder's folder, measured up to three times: while another program of the host's runs on a CPU, a kernel may leave
# out events of tracepoints there. That is counted where it can be, and no recorder can mend it; a fault of ours fails each time.
finish_or_again() {
	if [ $failures != 0 ] && [ "$attempt" -lt 3 ]; then
		echo "measured again"
		cd "$here" && { [ "$alone" = no ] || umount "$folder"; }
		trap - EXIT
		exec sh "$here/$(basename "$0")" "$build" $((attempt + 1))
	fi
	finish
}

# Can this machine and user record at all? (Not asked where $without_bpf is set.)
if [ -z "${without_bpf:-}" ]; then
"$cprof_record" -q --off-cpu -o "${TMPDIR:-/tmp}/cprof-probe.$$.lz4" -- true 2>"${TMPDIR:-/tmp}/cprof-probe.$$.err"
can_not=$(cat "${TMPDIR:-/tmp}/cprof-probe.$$.err")
rm -f "${TMPDIR:-/tmp}/cprof-probe.$$".*
[ -z "$can_not" ] || skip "$can_not"
fi

# read_records STEM: STEM.bpf.lz4 becomes records.json, the contexts of STEM.lz4, if it is there, contexts.json.
read_records() {
	"$cprof_analyze" check "$1.bpf.lz4" >check.out 2>&1 || { cat check.out; fail "cprof-analyze check $1.bpf.lz4"; }
	"$kernel_dump" "$1.bpf.lz4" >records.json || die "kernel_dump"
	: >trace.json
	if [ -e "$1.lz4" ]; then
		"$cprof_analyze" dump --only --format=json "$1.lz4" >trace.json || die "cprof-analyze dump"
	fi
	jq -s 'map(select(.record == "context") | {key: (.id | tostring), value: {name, parent}}) | from_entries' trace.json >contexts.json
}

# What questions are asked with: path(WHO) is the names of the functions of its context, innermost first; names(CONTEXT) the same. Both are of the first
# process with a runtime (without BPF nobody says that: of the target): its children have contexts of their own, in traces of their own.
kernel_jq='
	def names($context): [$context | select(. != 0) | recurse($contexts[0][tostring].parent | select(. != null and . != 0)) | $contexts[0][tostring].name];
	def lead: [$records[] | select(.record == "process")] | (map(select(.flags % 2 == 1)) | min_by(.start_ns).tgid) // (map(select(.flags % 8 >= 4))[0].tgid);
	lead as $lead | def path($who): if $who.tgid == $lead then names($who.context) else [] end;
	def every($kind): $records[] | select(.record == $kind);
	def sums($kind): every("sum") | select(.kind == $kind);
	def total(f): [f] | add // 0;
	def counter($name): [every("counter") | select(.name == $name) | .value] | add;'

tell() { # EXPRESSION [OPTION...]: its values
	tell_expression=$1
	shift
	jq -nr --slurpfile records records.json --slurpfile contexts contexts.json "$@" "$kernel_jq $tell_expression"
}

ask() { # WHAT EXPRESSION [OPTION...]: it has to be true
	ask_what=$1
	shift
	ask_answer=$(tell "$@" 2>&1)
	case $ask_answer in
	false | null | '' | *error*) fail "$ask_what: $ask_answer" ;;
	esac
}

ask_no_loss_but() { # PATTERN: of counters
	lost=$(tell 'every("counter") | select(.is_loss != 0 and .value != 0 and (.name | test("^(" + $but + ")") | not)) | "\(.name): \(.value)"' --arg but "$1" 2>&1)
	[ -z "$lost" ] || fail "lost: $lost"
}

# A kernel symbol or a module that could not be read is no loss of records; a request of which the kernel did not say that it ended is no loss of cprof-record's.
ask_nothing_lost() {
	ask_no_loss_but 'kernel-symbols[.]|modules[.]|block[.]end-unseen'
	for kind in io block locks files sums off-cpu; do
		ask "$kind: produced = received + lost" 'counter($kind + ".produced") == counter($kind + ".received") + counter($kind + ".lost")' --arg kind $kind
	done
}

# ask_strace WHAT COUNTS LEAST [FILTER]: the sums of system calls that pass the filter are as many, by name, as `strace -c -U name,calls` wrote into COUNTS: of
# each call that --io counts, at least LEAST different ones made.
ask_strace() {
	{
		echo '#include <sys/syscall.h>'
		sed -n 's/ROW(/\n&/gp' "$here/../../bpf/syscall_kinds.c" | sed -n 's/^ROW(\([a-z0-9_]*\), [A-Z|]*).*/\1 SYS_\1/p' | grep -v '^name '
	} | gcc -E -P - | awk 'NR == FNR { counted[$1] = $2; next } NF == 2 { print $1, $2, counted[$1] + 0 }' "$2" - >strace.counts
	[ "$(awk '$3 > 0' strace.counts | wc -l)" -ge "$3" ] || fail "$1: fewer than $3 kinds of system calls: $(cat "$2")"
	ask_strace_other=$(tell "${4:-def mine: .;}"'[sums(3) | mine] as $sums | $counts | split("\n")[] | select(length > 0) | split(" ") | . as $call |
		([$sums[] | select(.sub == ($call[1] | tonumber)).count] | add // 0) as $count | select($count != ($call[2] | tonumber)) |
		"\($call[0]): \($count) times, strace says \($call[2])"' --rawfile counts strace.counts 2>&1)
	[ -z "$ask_strace_other" ] || fail "$1: $ask_strace_other"
}

# make_ext4_folder: $folder on a file system that nobody else writes to, so that no request holds anything of others; $alone=no: on one of others.
make_ext4_folder() {
	folder=$PWD/files alone=yes
	mkdir -p "$folder"
	if command -v mkfs.ext4 >/dev/null && truncate -s 64M image && mkfs.ext4 -q -b 4096 image && mount -o loop image "$folder" 2>mount.err; then
		trap 'umount "$folder"' EXIT
		return
	fi
	alone=no
	case $(stat -f -c %T "$folder") in
	ext2/ext3 | xfs) ;;
	*) skip "no ext4 here, and none can be mounted: $(cat mount.err)" ;;
	esac
}
