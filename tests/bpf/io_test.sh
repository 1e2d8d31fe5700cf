#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# io_test.sh BUILD: what cprof-record --io says of io_target.c: each system call at its context with its file, bytes and count; strace -f -c counts the same
# calls in the same run; paths are right; requests of the block device at the context that issued them, or wrote what is written back.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel-env.sh"
. "$here/io_claims.sh"
work=$build/tests/work/bpf/io
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

cprof_cc gcc shared -g -O2 -D_GNU_SOURCE "$here/io_target.c" -o io || die "does not build"
make_ext4_folder
timeout 200 "$cprof_record" --io --window=10m -o trace.lz4 -- strace -f -c -U name,calls -o strace.out ./io "$folder" >said 2>record.err ||
	{ cat record.err; die "cprof-record: $?"; }
for source in io block; do
	grep -q "$source *on:" record.err || { cat record.err; die "no $source"; }
done
read_records trace
folder_real=$(cd "$folder" && pwd -P)

# Of the program, not of strace: images called "io".
mine='def mine: [every("process") | select(.name == "io") | [.tgid, .generation]] as $images | select([.who.tgid, .who.generation] as $who | $images | index([$who]));'

# --- counts
ask_strace "system calls" strace.out 18 "$mine"

# --- by context and file
ask_io 1
ask "a deep path keeps its last names" '[sums(3) | select(path(.who)[0] == "write_deep" and .sub == 1) | .path] |
	length == 1 and (.[0] | startswith(".../level") and endswith("/level18/level19/deep") and (split("/") | length) == 17)'
ask "both writes to the renamed file" '[sums(3) | select(path(.who)[0] == "write_renamed" and .sub == 1) | [.count, .bytes, .inode]] == [[2, 37, $inode]]' \
	--argjson inode "$(file before 4)"

ask "a number that is used again is another file" '
	[sums(3) | select(path(.who)[0] == "write_in_turn" and .sub == 1)] | ($alone == "no" or (map(.inode) | unique | length) < 10) and
	(map([.path, .bytes, .count]) | sort) == [range(10) | ["\($folder)/turn\(.)", . + 1, 1]]' --arg folder "$folder_real" --arg alone "$alone"

# --- block device: FUNCTION OP FILE BYTES LEAST. A kernel may keep to itself what happens while a certain process runs, interrupts that come then included, and so
# that a request ended. Such requests are counted: with them it is as many as there have to be, and without one nothing is missing.
unseen=$(tell 'counter("block.end-unseen") + counter("block.open")')
[ "$unseen" = 0 ] || echo "of $unseen requests the kernel did not say that they ended"
ask "of nearly all it did" '$unseen <= 3 + counter("block.produced") / 10' --argjson unseen "$unseen"
while read -r function op name bytes least; do
	ask "$function: $bytes bytes in at least $least requests on $name" '
		[every("block") | select(path(.who)[0] == $function and .op == $op and .inode == $inode)] |
		length + $unseen >= $least and (total(.[].bytes) | . == $bytes or ($unseen > 0 and . < $bytes)) and
		all(.[]; .error == 0 and .device_ns > 0 and .who.quality == 1)' \
		--argjson unseen "$unseen" --arg function "$function" --argjson op "$op" --argjson bytes "$bytes" --argjson least "$least" --argjson inode "$(file "$name" 4)"
	ask "$function: sums of its requests" '
		[every("block") | select(path(.who)[0] == $function and .op == $op and .inode == $inode)] as $records |
		[sums(5) | select(path(.who)[0] == $function and .sub == $op and .inode == $inode)] |
		total(.[].bytes) == total($records[].bytes) and total(.[].count) == ($records | length)' \
		--arg function "$function" --argjson op "$op" --argjson inode "$(file "$name" 4)"
done <<END
direct_write 1 direct 1310720 20
direct_read 0 direct 1310720 20
$([ $alone = no ] || echo write_later 129 later 1048576 1)
$([ $alone = no ] || echo sync_first 1 first 8192 1)
END
ask "what fsync writes besides is the journal, not the file; a flush is for the file" '
	[every("block") | select(path(.who)[0] == "sync_first") | [.op, .inode]] | length > 0 and all(.[]; .[1] == 0 or .[1] == $first) and all(.[] | select(.[0] == 2); .[1] == $first)' \
	--argjson first "$(file first 4)"
ask "so with a file that bypasses the cache" '
	[every("block") | select(path(.who)[0] == "direct_sync") | [.op, .inode]] | all(.[]; .[1] == 0 or . == [2, $direct])' \
	--argjson direct "$(file direct 4)"
ask "sums of requests are those of their records" '
	[every("block") | .bytes] as $bytes | [sums(5)] as $sums | total($sums[] | .bytes) == ($bytes | add) and total($sums[] | .count) == ($bytes | length)'
ask_nothing_lost

# --- what is shown: nothing of what the profiler did for itself, in whichever thread, and the same everywhere
"$cprof_analyze" io --format=json trace.lz4 >io.json || die "cprof-analyze io"
"$cprof_analyze" tree --columns=calls,io,io-time --format=json trace.lz4 >tree.json || die "cprof-analyze tree"
ask "the trace's files were written in the program's threads" '[sums(3) | select(path(.who) != [] and .path != null and (.path | test("/trace[.]lz4")))] != []'
jq -e '.by_file | length > 20 and all(.[]; .file | test("trace([.][0-9]+)*[.]lz4([.]live)?$") | not)' io.json >/dev/null ||
	fail "files of the trace: $(jq -c '[.by_file[] | select(.file | test("trace[^/]*$")) | [.file, .call]]' io.json)"
jq -e '.profiler_ns > 0 and .profiler_bytes > 0' io.json >/dev/null || fail "the profiler's own: $(jq -c '[.profiler_ns, .profiler_bytes]' io.json)"
jq -es '.[0] as $io | .[1].root | .io_bytes.total == ([$io.by_call[].bytes] | add) and .io_ns.total == ([$io.by_call[].ns] | add)' io.json tree.json >/dev/null ||
	fail "io and tree differ: $(jq -cs '[(.[0].by_call | [map(.bytes), map(.ns)] | map(add)), (.[1].root | [.io_bytes.total, .io_ns.total])]' io.json tree.json)"

# --- without --io: time off the CPU knows its file all the same
timeout 100 "$cprof_record" -q --off-cpu --window=10m -o off.lz4 -- ./io "$folder" >said 2>record.err || { cat record.err; die "cprof-record: $?"; }
read_records off
ask "the slow read was off the CPU for its pipe" '[every("off_cpu") | select(path(.who)[0] == "read_slowly" and .syscall == 0 and .path == "pipe")] |
	length == 1 and (.[0] | .blocked_ns >= 20000000 and .blocked_class == 2)'
ask "no system call was looked at" '[sums(3)] == []'

# --- a ring that is too small, and nobody empties it: records are lost and counted (that of the process, too), sums have all
# shellcheck disable=SC2016
timeout 100 "$cprof_record" -q --io --io-threshold=0 --ring-kb=4 --window=10m -o small.lz4 -- \
	sh -c 'kill -STOP $PPID; ./io "$0"; status=$?; kill -CONT $PPID; exit $status' "$folder" >said 2>record.err || { cat record.err; die "cprof-record: $?"; }
read_records small
ask "records are lost" 'counter("io.lost") > 0'
for kind in io block files; do
	ask "$kind: produced = received + lost" 'counter($kind + ".produced") == counter($kind + ".received") + counter($kind + ".lost")' --arg kind $kind
done
ask "every call is a record or lost" 'counter("io.produced") == total(sums(3) | .count)'
ask "records are those received" '[every("io")] | length == counter("io.received")'
ask "sums are whole" '[sums(3) | select(names(.who.context)[0] == "direct_write" and .bytes > 0) | [.count, .bytes]] == [[20, 1310720]]'
finish
