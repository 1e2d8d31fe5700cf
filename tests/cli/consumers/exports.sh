#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# exports.sh BUILD pprof|callgrind|folded: the export as its own tool reads it has the numbers of `flat`, for every function.
set -eu
build=$(cd "$1" && pwd)
export LC_ALL=C PATH="$build/analyzer:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/elsewhere" # callgrind_annotate takes the current folder off some of the names
cd "$work"
"$build/tests/cli/make_traces"
for trace in plain.lz4 recursion.lz4; do
	cprof-analyze flat --perf-map=perf.map --format=json $trace >flat.json
	case $2 in
	pprof)
		jq -r '.functions[] | "\(.name) \(.wall_ns.self) \(.wall_ns.total)"' flat.json | sort >expected
		cprof-analyze export --to=pprof --perf-map=perf.map -o profile.pb.gz $trace
		go tool pprof -sample_index=wall -unit=ns -nodecount=1000 -nodefraction=0 -top profile.pb.gz 2>/dev/null |
			awk 'seen { sub("ns", "", $1); sub("ns", "", $4); print $6, $1, $4 } $1 == "flat" { seen = 1 }' | sort >found
		;;
	callgrind)
		jq -r '.functions[] | "\(.name) \(.wall_ns.total)"' flat.json | sort >expected
		cprof-analyze export --to=callgrind --perf-map=perf.map -o callgrind.out.1 $trace
		(cd elsewhere && callgrind_annotate --inclusive=yes --threshold=100 ../callgrind.out.1) |
			sed -n 's/^ *\([0-9,]*\) .*???:\([^ ]*\).*/\2 \1/p' | tr -d , | sort >found
		;;
	folded)
		jq -r '.functions[] | "\(.name) \(.wall_ns.self)"' flat.json | sort >expected
		cprof-analyze export --to=folded --perf-map=perf.map $trace |
			awk '{ frames = split($1, frame, ";"); self[frame[frames]] += $2 } END { for (name in self) print name, self[name] }' | sort >found
		;;
	esac
	diff -u expected found
	[ "$(wc -l <found)" -ge 2 ]
done
