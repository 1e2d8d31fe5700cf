#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# shares_test.sh BUILD: cprof-record and perf sample the same run of a program with three hot functions (shares_target.c): each function's share of the samples
# is the same within 3 sigma, and so is its share of the exact on-CPU time.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
. "$here/kernel-env.sh"
command -v perf >/dev/null || skip "no perf (package linux-perf)"
work=$build/tests/work/bpf/shares
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1

cprof_cc gcc shared -g -O1 "$here/shares_target.c" -o shares_target || die "does not build"
timeout 100 "$cprof_record" --cpu --off-cpu -F 997 --window=10m -o trace.lz4 -- perf record -q -e cpu-clock -F 997 -o perf.data ./shares_target >said 2>record.err ||
	{ cat record.err said; die "status $?"; }
grep -q "cpu *on:" record.err || { cat record.err; die "no samples"; }
perf script -i perf.data --comm shares_target -F ip,sym 2>perf.err | awk 'NF { count[$2]++ } END { for (name in count) print name, count[name] }' >theirs || { cat perf.err; die "perf script"; }
"$cprof_analyze" cpu --format=json trace.lz4 >cpu.json || die "cpu"
"$cprof_analyze" flat --format=json trace.lz4 >flat.json || die "flat"

total() { awk '$1 ~ /^work_/ { n += $2 } END { print n + 0 }' "$1"; }
jq -r '.leaves[] | select(.kind != "sampled") | "\(.name) \(.samples)"' cpu.json >ours
jq -r '.functions[] | "\(.name) \(.cpu_ns.self)"' flat.json >exact
echo "samples: $(total ours) by cprof-record, $(total theirs) by perf"
[ "$(total ours)" -gt 500 ] && [ "$(total theirs)" -gt 500 ] || fail "too few samples: $(cat ours theirs)"
for name in work_five work_three work_two; do
	awk -v name=$name -v files="ours theirs exact" 'BEGIN {
		split(files, file)
		for (i = 1; i <= 3; i++)
			while ((getline line < file[i]) > 0) {
				split(line, field, " ")
				if (field[1] ~ /^work_/)
					all[i] += field[2]
				if (field[1] == name)
					own[i] += field[2]
			}
		for (i = 1; i <= 3; i++)
			share[i] = own[i] / all[i]
		both = (own[1] + own[2]) / (all[1] + all[2])
		sigma = sqrt(both * (1 - both) * (1 / all[1] + 1 / all[2]))
		one = sqrt(share[3] * (1 - share[3]) / all[1])
		printf "%s: %.2f %% by cprof-record, %.2f %% by perf, %.2f %% of the on-CPU time; sigma %.2f %%\n", name, 100 * share[1], 100 * share[2], 100 * share[3], 100 * sigma
		exit !((share[1] - share[2]) ^ 2 <= 9 * sigma ^ 2 && (share[1] - share[3]) ^ 2 <= 9 * one ^ 2)
	}' || fail "$name: other shares"
done
finish
