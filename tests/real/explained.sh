#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# explained.sh BUILD sqlite|redis: is a real server's wall time explained? Under a load that makes it wait, of each of its worker threads:
#
#   - wall = on-CPU + run queue + blocked + stopped + unexplained, to the ns, with `unexplained` shown; what is unexplained, and what the kernel saw of the
#     thread outside of every recorded call, is at most 1 % of what the kernel saw of it (counted in each context, either way: two that cancel out count twice)
#   - at least 95 % of the time that the kernel saw it on a CPU lies in contexts with a name (of a thread that only waits, less than 1 % of its wall time on
#     a CPU, its own start is most of that: such threads count in the sum of all)
#   - at least 99 % of its blocked time has a name: the file, the lock, or (poll, sleep, other) who ended it
#
# sqlite: four threads with inserts that are all synced (server_load.c), on SQLite from its Debian source package. redis: a server from Debian's, built with
# CC=cprof-cc, that syncs each write, under redis-benchmark.
set -u
build=$1 program=$2
here=$(cd "$(dirname "$0")" && pwd)
cache=$build/tests/cache
support=$here/../support
. "$here/../bpf/kernel-env.sh"
. "$here/programs.sh"
work=$build/tests/work/real/explained-$program
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

fetch() { sh "$here/fetch.sh" "$cache" "$1" >fetch.log 2>&1 || { cat fetch.log; die "cannot fetch $1"; }; }
# No interval is too short to be said, so that all of the blocked time has to have a name.
record() { timeout 200 "$cprof_record" --all --threshold=0 -o trace.lz4 -- "$@" >said 2>record.err; }

build_sqlite() {
	fetch sqlite3
	sqlite_amalgamation || die "SQLite's own build fails"
	cprof_cc gcc shared -O1 -g -w -c "$cache/sqlite3/build/sqlite3.c" -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION &&
		cprof_cc gcc shared -O1 -g -I"$cache/sqlite3/build" "$here/server_load.c" sqlite3.o -o server_load -pthread -lm || die "does not build"
}
load_sqlite() { record ./server_load "$folder" 300; }
workers_sqlite=4
# name, blocked for: at least that much of all blocked time of the workers (percent)
blocked_sqlite='full_fsync disk /orders-[01][.]db 5
unixDelete disk /orders-[01][.]db-journal 0
pthreadMutexEnter lock mutex 20'

build_redis() {
	fetch redis
	cp -R "$cache/redis" source
	PATH=$build/cc-wrapper:$PATH make -C source/src -j"$(nproc)" CC=cprof-cc MALLOC=libc OPTIMIZATION=-O1 redis-server redis-benchmark >build.log 2>&1 ||
		{ tail -40 build.log; die "redis does not build"; }
	cp source/src/redis-server source/src/redis-benchmark . && rm -rf source
}
load_redis() {
	socket=$(mktemp -u "${TMPDIR:-/tmp}/cprof-redis-XXXXXX.sock") # a path of a socket has room for 107 bytes
	( # the load; a server that does not come, or does not end, is ended by record's time limit
		tries=0
		until [ -S "$socket" ] || [ $tries = 600 ]; do
			tries=$((tries + 1))
			sleep 0.1
		done
		CPROF=off ./redis-benchmark -s "$socket" -n 20000 -c 20 -t set,get,lpush --csv >benchmark.csv 2>benchmark.err
		echo $? >benchmark.status
		kill -TERM "$(cat redis.pid)"
	) &
	record ./redis-server --port 0 --unixsocket "$socket" --appendonly yes --appendfsync always --save "" --dir "$folder" --pidfile "$PWD/redis.pid"
	status=$?
	wait
	[ "$(cat benchmark.status)" = 0 ] && [ "$(wc -l <benchmark.csv)" = 4 ] || { cat benchmark.err benchmark.csv; die "the load fails"; }
	return $status
}
workers_redis=4 # it answers in one, three wait for work
blocked_redis='flushAppendOnlyFile disk /appendonly[.]aof 0
aeApiPoll poll process 0
bioProcessBackgroundJobs lock condition 50'

"build_$program"
make_ext4_folder
"load_$program" || { cat record.err said; die "$program under cprof-record: $?"; }
"$cprof_analyze" check trace.lz4 >/dev/null && "$cprof_analyze" check trace.bpf.lz4 >/dev/null || die "cprof-analyze check"
"$cprof_analyze" tree --by-thread --format=json trace.lz4 >tree.json || die "tree"
jq -r '.trace.kernel.files[].threads[] | select(.name != "cprof") | .tid' tree.json >tids
[ "$program" != sqlite ] || sed -i "/^$(jq .trace.pid tree.json)\$/d" tids # it only waits for the others
while read -r tid; do
	"$cprof_analyze" off-cpu --thread="$tid" --format=json trace.lz4 | jq -c --argjson tid "$tid" '{tid: $tid, rows: .off_cpu}' || die "off-cpu"
done <tids >off.json

# One line for each worker; all numbers are those of JSON that users get.
cat >explain.jq <<'JQ'
def named: .reason as $reason | .intervals[] | select(
	if $reason == "lock" then .lock != null elif $reason == "disk" or $reason == "file" then .file != null else .woken_by != null end) | .blocked_ns;
.trace.kernel.files[0].threads as $threads | .root.children as $trees | $off[] | . as $off |
($threads[] | select(.tid == $off.tid)) as $kernel |
($trees[] | select(.name | endswith("[\($off.tid)]"))) as $tree |
([$tree | recurse(.children[]) | select(.kind == "function" and (.name | test("0x[0-9a-f]+$") | not)) | .cpu_ns.self] | add) as $named_cpu |
($tree | {wall: .wall_ns.total, cpu: .cpu_ns.total, runq: .runq_ns.total, blocked: .blocked_ns.total, stopped: .stopped_ns.total, unexplained: .unexplained_ns.total,
	unexplained_all: ([recurse(.children[]).unexplained_ns.self | fabs] | add)}) +
{thread: $tree.name, kernel_wall: $kernel.wall_ns, kernel_cpu: $kernel.cpu_ns, difference: $kernel.difference_ns, $named_cpu,
 named_blocked: ([$off.rows[] | select(.path and .reason != "run-queue") | named] | add // 0)}
JQ
jq -c --slurpfile off off.json -f explain.jq tree.json >explained.json || die "explain.jq"
jq -r '"\(.thread): wall \(.kernel_wall) ns, of it not explained \(.kernel_wall - .wall + .unexplained_all); on-CPU \(.kernel_cpu), of it named \(.named_cpu);" +
	" blocked \(.blocked), of it named \(.named_blocked); unexplained \(.unexplained)"' explained.json

claim() { # WHAT FILTER: for each worker
	jq -es "map(select($2 | not)) | length == 0" explained.json >/dev/null || fail "$1: $(jq -c "select($2 | not)" explained.json)"
}
[ "$(wc -l <explained.json)" = "$(eval "echo \$workers_$program")" ] || fail "workers: $(cat explained.json)"
claim "wall = on-CPU + run queue + blocked + stopped + unexplained" '.wall == .cpu + .runq + .blocked + .stopped + .unexplained'
claim "so says the kernel, too" '.difference == 0'
claim "at most 1 % of the wall time is not explained" '.kernel_wall - .wall + .unexplained_all <= 0.01 * .kernel_wall'
claim "at least 95 % of the time on the CPU is in named contexts" '.kernel_cpu < 0.01 * .kernel_wall or .named_cpu >= 0.95 * .kernel_cpu'
jq -es '(map(.named_cpu) | add) >= 0.95 * (map(.kernel_cpu) | add)' explained.json >/dev/null || fail "of all workers together less than 95 % on the CPU has a name"
claim "at least 99 % of the blocked time is for something with a name" '.blocked == 0 or .named_blocked >= 0.99 * .blocked'
# The kernel's intervals go on while the runtime ends the trace, 10 ms on a busy machine.
claim "and no more than all of it" '.named_blocked <= 1.001 * .blocked + .kernel_wall - .wall and .named_cpu <= .kernel_cpu + .unexplained_all'
"$cprof_analyze" tree --by-thread --depth=1 --columns=total,cpu,runq,blocked,unexplained trace.lz4 >text || die "tree"
grep -q ' unexpl ' text || fail "unexplained is not shown: $(cat text)"

# What a user must find there: FUNCTION REASON NAME PERCENT
eval "echo \"\$blocked_$program\"" >expected
while read -r function reason name percent; do
	jq -es --arg function "$function" --arg reason "$reason" --arg name "$name" --argjson percent "$percent" '
		([.[].rows[] | select(.reason != "run-queue") | .ns] | add) as $all |
		[.[].rows[] | select(.path[-1] == $function and .reason == $reason)] | ([.[].ns] | add) as $ns |
		$ns > 0 and $ns >= $percent / 100 * $all and
		([.[].intervals[] | select((.file // .lock.class // .woken_by) as $what | $what != null and ($what | test($name))) | .blocked_ns] | add) > 0' off.json >/dev/null ||
		fail "$function: no $reason time for $name of at least $percent %: $(jq -c --arg function "$function" '.rows[] | select(.path[-1] == $function) | [.reason, .ns, .intervals[].file]' off.json | head -c 2000)"
done <expected
jq -e '[.trace.kernel.files[0].losses | to_entries[] | select(.value != 0 and (.key | test("^(kernel-symbols[.]|modules[.]|block[.]end-unseen)") | not))] == []' tree.json >/dev/null ||
	fail "lost: $(jq -c '.trace.kernel.files[0].losses | with_entries(select(.value != 0))' tree.json)"

# The profiler itself is in no row; every line fits into 80 columns; no two rows of off-cpu look alike.
for view in off-cpu locks io; do
	"$cprof_analyze" $view trace.lz4 >$view.text || die "$view"
	grep -q 'runtime\]' $view.text && fail "$view: rows of the profiler's own: $(grep 'runtime\]' $view.text)"
	grep -q "^(the profiler\('s own thread\| itself\)" $view.text || fail "$view: nothing is said of the profiler itself"
	awk 'length > 80 { bad = 1; print } END { exit bad }' $view.text || fail "$view: lines of more than 80 columns"
done
awk '/^[ 0-9.]+ (s|ms|us|ns) / { rows[row]++; row = $4 " " $5; next } /^    [^ ]/ { row = row $0 }
	END { rows[row]++; for (row in rows) if (rows[row] > 1) { print row; bad = 1 } exit bad }' off-cpu.text || fail "off-cpu: rows that look alike"
finish
