#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# block_test.sh BUILD: cprof-record and bpftrace watch the same run of direct I/O (block_load.c) on a device of its own. Of the program's requests on that
# device: as many of each kind, with the same bytes, and a latency distribution (as biolatency's) with the same total: each request in the same power of two,
# but for those so near to its edge that two clock readings lie on both sides.
#
# Measured up to three times (finish_or_again); of bpftrace's events some are missing, too, when an interrupt comes into its own program.
set -u
build=$1 attempt=${2:-1}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel-env.sh"
command -v bpftrace >/dev/null || skip "no bpftrace (package bpftrace)"
[ "$(id -u)" = 0 ] || skip "bpftrace is for root alone"
work=$build/tests/work/bpf/block
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

make_ext4_folder
gcc -O1 -Wall -D_GNU_SOURCE "$here/block_load.c" -o block_load || die "does not build"
major=$(($(stat -c 0x%D "$folder") >> 8)) minor=$(($(stat -c 0x%D "$folder") & 255))
device=$((major << 20 | minor))
cat >requests.bt <<WORDS
tracepoint:block:block_io_start /args->dev == $device && comm == "block_load"/ {
	@start[args->sector] = nsecs;
	\$way = strncmp(args->rwbs, "R", 1) == 0 ? 0 : strncmp(args->rwbs, "W", 1) == 0 ? 1 : 2;
	@started[\$way] = count();
}
tracepoint:block:block_rq_complete /args->dev == $device && @start[args->sector]/ {
	\$ns = nsecs - @start[args->sector];
	\$way = strncmp(args->rwbs, "R", 1) == 0 ? 0 : strncmp(args->rwbs, "W", 1) == 0 ? 1 : 2;
	@completed[\$way] = count();
	@bytes[\$way] = sum(args->nr_sector * 512);
	@ns[\$way] = sum(\$ns);
	@latency = hist(\$ns);
	delete(@start[args->sector]);
}
END { clear(@start); }
WORDS
# bpftrace finds tracepoints in tracefs: where nobody has mounted it, in a mount namespace of its own.
cat >watch.sh <<'WORDS'
[ -e /sys/kernel/tracing/events/block ] || [ -e /sys/kernel/debug/tracing/events/block ] || mount -t tracefs nodev /sys/kernel/tracing || exit 1
ulimit -l unlimited 2>/dev/null
exec bpftrace -B line -f json -o bpftrace.json requests.bt
WORDS
# One that has its probes says so in the list of the kernel's programs.
cat >run.sh <<'WORDS'
unshare -m sh watch.sh >bpftrace.said 2>&1 &
watcher=$!
tries=0
until grep -q attached_probes bpftrace.json 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] && kill -0 $watcher 2>/dev/null || exit 3
	sleep 0.1
done
sleep 0.5
./block_load "$1" 360 >moved || exit 4
sleep 0.2
tries=0
while kill -INT $watcher 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 300 ] || { kill -9 $watcher; exit 5; }
	sleep 0.1
done
wait $watcher
status=$?
[ $status = 130 ] || exit $status # the last signal found it on its way out: what it has said is looked at
WORDS
timeout 100 "$cprof_record" --io --window=10m -o trace.lz4 -- sh run.sh "$folder" >said 2>record.err
status=$?
[ $status = 0 ] || { cat record.err said bpftrace.said bpftrace.json; die "status $status"; } # 3: bpftrace does not begin, 4: nor the load, 5: it does not end
grep -q "block *on:" record.err || { cat record.err; die "no block requests"; }
read_records trace
jq -s 'map(select(.type == "map" or .type == "hist").data) | add' bpftrace.json >theirs.json || die "bpftrace: $(cat bpftrace.said bpftrace.json)"

# By way. Not by what the tracepoint calls it: behind that text there is rubbish, which would make keys of its own.
ask_both() { # WHAT OURS THEIRS
	ask "$1: $(tell "$requests $2 | tojson" --argjson device $device) by cprof-record, $(jq -c "$letters $3" theirs.json) by bpftrace" \
		"$requests ($2) == \$theirs" --argjson device $device --argjson theirs "$(jq -c "$letters $3" theirs.json)"
}
requests='[every("process") | select(.name == "block_load") | .tgid] as $mine |
	[every("block") | select(.device == $device and (.who.tgid | IN($mine[])) and .op < 2)] as $requests |
	def by(f): $requests | group_by(.op) | map({key: ["R", "W"][.[0].op], value: map(f) | add}) | from_entries;'
letters='def by: with_entries(select(.key == "0" or .key == "1") | .key = {"0": "R", "1": "W"}[.key]);'
ask_both "requests that were started" 'by(1)' '."@started" | by'
ask_both "requests that were completed" 'by(1)' '."@completed" | by'
ask_both "bytes" 'by(.bytes)' '."@bytes" | by'
ask_both "latencies in the distribution" '$requests | length' '[."@latency"[].count] | add'
moved() { awk -v way="$1" '$1 == way { print $2 }' moved; }
ask "those of its file are the bytes that the program moved" \
	"$requests"'([$requests[] | select(.inode == $inode)] as $requests | {R: ([$requests[] | select(.op == 0).bytes] | add), W: ([$requests[] | select(.op == 1).bytes] | add)}) == {R: $read, W: $write}' \
	--argjson device $device --argjson inode "$(stat -c %i "$folder/direct")" --argjson read "$(moved read)" --argjson write "$(moved write)"

# Ours is from the same two tracepoints: who comes first there reads the clock first.
tell "$requests"'[$requests[] | (.queue_ns + .device_ns) | {ns: ., bucket: (log2 | floor)}] as $ours |
	($theirs[0]."@latency" | map({key: (if .min == null then 0 else (.min | log2 | floor) end | tostring), value: .count}) | from_entries) as $buckets |
	{ours: ($ours | map(.ns) | add), theirs: ([$theirs[0]."@ns"[]] | add), requests: ($ours | length),
	 elsewhere: ([range(64) | . as $b | ([$ours[] | select(.bucket == $b)] | length) - ($buckets[$b | tostring] // 0) | fabs] | add / 2)}' \
	--argjson device $device --slurpfile theirs theirs.json >latency.json || die "latencies"
jq -c . latency.json
jq -e '.requests > 500 and .elsewhere <= 0.1 * .requests and ((.ours - .theirs) | fabs) <= 0.05 * .theirs + 5000 * .requests' latency.json >/dev/null ||
	fail "the latencies differ: $(jq -c . latency.json)"
ask_nothing_lost
finish_or_again
