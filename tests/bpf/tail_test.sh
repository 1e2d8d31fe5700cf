#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# tail_test.sh BUILD: a thread that waits when its process ends was blocked and not on a processor. No event of its own stream says so.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel-env.sh"
work=$build/tests/work/bpf/tail
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

cprof_cc gcc shared -g -O1 "$here/tail_target.c" -o tail_target -pthread || die "does not build"
"$cprof_record" -q --off-cpu -o trace.lz4 -- ./tail_target 2>record.err || die "$(cat record.err)"
"$cprof_analyze" flat --format=json trace.lz4 >flat.json || die "flat"
jq -e '[.functions[] | select(.name == "wait_to_the_end")] | length == 1 and (.[0] | .wall_ns.self >= 250000000 and
	.blocked_ns.self > 0.9 * .wall_ns.self and .cpu_ns.self < 0.1 * .wall_ns.self and .blocked_by.lock.self > 0.9 * .wall_ns.self)' flat.json >/dev/null ||
	fail "$(jq -c '.functions[] | select(.name == "wait_to_the_end")' flat.json)"
finish
