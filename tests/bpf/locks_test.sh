#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# locks_test.sh BUILD [namespace]: what cprof-record --locks says of the waits in locks_target.c; namespace: with ids of a pid namespace.
#
# For each line "wait: FUNCTION CLASS HOLDER" of its first comment: one sum and one record, of that class, in the context of that function, at
# least as long as the lock was held, with a holder that was below that function, in another thread; or with none ("nobody"; "several": the wait may be in parts, with holders of any kind). Nothing is lost.
set -u
build=$1 variant=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel-env.sh"
work=$build/tests/work/bpf/locks$variant
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

cprof_cc gcc shared -g -O2 -D_GNU_SOURCE "$here/locks_target.c" -o locks -pthread || die "does not build"
inside=
if [ "$variant" = namespace ]; then
	inside="unshare --pid --fork --mount-proc"
	$inside true 2>/dev/null || skip "no right to make a pid namespace"
fi
# shellcheck disable=SC2086
timeout 100 "$cprof_record" --locks --lock-threshold=9500us --off-cpu --threshold=9500us --window=10m -o trace.lz4 -- $inside ./locks 2>record.err || { cat record.err; die "cprof-record: $?"; }
grep -q 'locks *on:' record.err || { cat record.err; die "no locks"; }
read_records trace

sed -n '/^\/\*$/,/^ \*\/$/p' "$here/locks_target.c" | sed -n 's/^ \* wait: //p' >expected
[ "$(wc -l <expected)" -ge 20 ] || die "no expectations"
while read -r function class holder; do
	ask "$function: one wait of class $class, held by $holder" '
		[sums(6) | select(path(.who)[0] == $function)] |
		($holder == "several" or length == 1) and length >= 1 and
		all(.[]; .sub == $class and .who.quality == 1 and
			($holder == "several" or .count == 1 and if $holder == "nobody" then .other == 0 else names(.other) | index($holder) end)) and
		total(.[].ns) >= 9500000' --arg function "$function" --argjson class "$class" --arg holder "$holder"
	ask "$function: one record" '
		[every("lock") | select(path(.who)[0] == $function)] |
		($holder == "several" or length == 1) and (.[0] | .lock_class == $class and .duration_ns >= 9500000 and .result == 0 and .who.quality == 1 and
			if $holder == "nobody" then .holder.tgid == 0
			else $holder == "several" or .holder.tgid == .who.tgid and .holder.tid != .who.tid and .holder.quality == 1 and
				(path(.holder) | index($holder))
			end)' --arg function "$function" --argjson class "$class" --arg holder "$holder"
done <expected
ask "off the CPU for the same futex" '
	[every("lock") | select(path(.who)[0] == "wait_mutex")][0] as $lock |
	[every("off_cpu") | select(path(.who)[0] == "wait_mutex") | [.inode, .blocked_class, .open]] == [[$lock.address, 0, 0]]'
"$cprof_analyze" locks --format=json trace.lz4 | jq -e '[.locks[] | select(.waiter.path[-1] == "wait_mutex" or .waiter.path[-1] == "wait_condition") | [.class, .variable]] | unique ==
	[["condition", "condition"], ["mutex", "mutex"]]' >/dev/null || fail "locks that are variables have no names"
ask_nothing_lost

# The same for a program that is not traced, whose modules are those that the kernel told of.
cat >plain.c <<-'END'
	#include <pthread.h>
	#include <unistd.h>
	static pthread_mutex_t of_plain = PTHREAD_MUTEX_INITIALIZER;
	static void *run(void *lock) { pthread_mutex_lock(lock); usleep(20000); pthread_mutex_unlock(lock); return 0; }
	int main(void)
	{
		pthread_t threads[2];
		for (int i = 0; i < 2; i++)
			pthread_create(&threads[i], 0, run, &of_plain);
		for (int i = 0; i < 2; i++)
			pthread_join(threads[i], 0);
		return 0;
	}
END
gcc -O1 plain.c -o plain -pthread || die "does not build"
"$cprof_record" -q --locks -o plain.lz4 -- ./plain || die "cprof-record: $?"
"$cprof_analyze" locks --format=json plain.bpf.lz4 | jq -e '[.locks[] | select(.class == "mutex").variable] | unique == ["of_plain"]' >/dev/null || { "$cprof_analyze" locks plain.bpf.lz4; fail "a lock of a program without a trace"; }
finish
