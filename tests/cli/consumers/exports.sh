#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# exports.sh BUILD FORMAT [NODE_MODULES CHROMIUM]: the export, as the tool that it is for reads it, has the numbers of `flat` for every function. A tool
# that is missing is a failure. FORMAT may be one of the formats, or speedscope-browser and chrome-browser: as speedscope shows them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
format=$2
export LC_ALL=C PATH="$build/analyzer:$PATH" NODE_PATH="${3:-}"
chromium=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/elsewhere" # callgrind_annotate takes the current folder off some of the names
cd "$work"
export HOME="$work"
"$build/tests/cli/make_traces"

fail() { echo "$*"; exit 1; }
map=perf.map
write() { cprof-analyze export --perf-map=$map "$@" "$trace"; }

# The table is in flat.json. ns: what times of single events may be off, where some are equal.
check_pprof() {
	jq -r '.functions[] | "\(.name) \(.calls)"' flat.json | sort >expected
	write --to=pprof -o profile.pb.gz
	go tool pprof -sample_index=calls -nodecount=1000 -nodefraction=0 -top profile.pb.gz | awk 'seen { print $6, $1 } $1 == "flat" { seen = 1 }' |
		sort >found
	diff -u expected found
	jq -r '.functions[] | "\(.name) \(.wall_ns.self) \(.wall_ns.total)"' flat.json | sort >expected
	go tool pprof -sample_index=wall -unit=ns -nodecount=1000 -nodefraction=0 -top profile.pb.gz |
		awk 'seen { sub("ns", "", $1); sub("ns", "", $4); print $6, $1, $4 } $1 == "flat" { seen = 1 }' | sort >found
	diff -u expected found
	# Samples as they are: of each context, and together all calls and all time.
	go tool pprof -raw profile.pb.gz >raw
	jq -r '"\([.functions[].calls] | add) \([.functions[].wall_ns.self] | add)"' flat.json >expected
	awk '/^Locations/ { exit } NF >= 3 && $2 ~ /^[0-9]+:$/ { calls += $1; sub(":", "", $2); ns += $2 } END { print calls, ns }' raw >found
	diff -u expected found
}
# With sampled frames: they are in the totals of the functions above them, which are what they were.
check_pprof_sampled() {
	write --to=pprof --sampled=show -o profile.pb.gz
	go tool pprof -sample_index=wall -unit=ns -nodecount=1000 -nodefraction=0 -top profile.pb.gz |
		awk 'seen { self = $1; total = $4; $1 = $2 = $3 = $4 = $5 = ""; sub(/^ */, ""); gsub("ns", "", self); gsub("ns", "", total); print $0 "\t" self "\t" total } $1 == "flat" { seen = 1 }' >top
	jq -r '.functions[] | "\(.name)\t\(.wall_ns.total)"' flat.json | sort >expected
	grep -v '_\[[sk]\]' top | cut -f 1,3 | sort | diff -u expected -
	write --to=folded --sampled=show | sed -E 's/^(.*;)?([^;]*) ([0-9]+)$/\2\t\3/' | grep '_\[[sk]\]' | sort >expected
	grep '_\[[sk]\]' top | cut -f 1,2 | awk -F '\t' '$2 > 0' | sort | diff -u expected -
	[ "$(wc -l <expected)" = 3 ] || fail "these are not all sampled frames"
}
check_callgrind() {
	jq -r '.functions[] | "\(.name) \(.wall_ns.total)"' flat.json | sort >expected
	write --to=callgrind -o callgrind.out.1
	(cd elsewhere && callgrind_annotate --inclusive=yes --threshold=100 ../callgrind.out.1) |
		sed -n 's/^ *\([0-9,]*\) .*???:\([^ ]*\).*/\2 \1/p' | tr -d , | sort >found
	diff -u expected found
}
check_folded() { # the weight is self time
	jq -r '.functions[] | "\(.name) \(.wall_ns.self)"' flat.json | sort >expected
	write --to=folded | awk '{ frames = split($1, frame, ";"); self[frame[frames]] += $2 } END { for (name in self) print name, self[name] }' | sort >found
	diff -u expected found
}
check_perfetto() {
	write --to=perfetto -o run.pftrace
	protoc -I"$here" --decode=Trace "$here/perfetto_min.proto" <run.pftrace >decoded
	node "$here/perfetto_check.js" flat.json "$ns" <decoded
}
check_chrome() {
	write --to=chrome -o run.json
	jq -e '.traceEvents | length > 0' run.json >jq.out
	node "$here/chrome_check.js" flat.json "$ns" <run.json
}
check_speedscope() { # balanced, never back in time
	write --to=speedscope -o run.speedscope.json
	jq -e '.profiles[0] as $p | $p.events as $e | ([$e[].at] | . == sort) and ($e[-1].at <= $p.endValue) and
		(reduce $e[] as $x ([]; if $x.type == "O" then . + [$x.frame] elif .[-1] == $x.frame then .[:-1] else ["wrong"] + . end) == [])' \
		run.speedscope.json >jq.out || fail "not balanced, or back in time"
}
check_chrome_browser() {
	write --to=chrome -o run.json
	node "$here/speedscope_check.js" "$chromium" flat.json run.json "Trace Event Format profile"
}
check_speedscope_browser() {
	write --to=speedscope -o run.json
	node "$here/speedscope_check.js" "$chromium" flat.json run.json "speedscope json file"
}

check() { # TRACE NS
	trace=$1 ns=$2
	cprof-analyze flat --perf-map=$map --format=json "$trace" >flat.json
	[ "$(jq '.functions | length' flat.json)" -ge 2 ] || fail "$trace: too few functions to tell anything"
	echo "$format of $trace"
	"check_$(echo "$format" | tr - _)"
}
check plain.lz4 0
check recursion.lz4 0
case $format in
pprof)
	map=kernel.map format=pprof_sampled
	check recorded.lz4 0
	;;
perfetto | chrome)
	check killed.lz4 1
	check lost.lz4 1
	check hostile.lz4 0
	;;
esac
