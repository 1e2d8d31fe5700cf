# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# Sourced by bench.sh, in BUILD/bench, its programs built: what the kernel half costs. Writes kernel.tsv (facts) and slots.tsv (rounds), and where
# cprof-record cannot record, "kernel.missing<tab>why" instead: the page then says that.
cprof_record=$build/bpf/cprof-record

kernel_missing() {
	[ -x "$cprof_record" ] || { echo "cprof-record is not built"; return; }
	# -q: it says nothing unless something asked for is off
	"$cprof_record" -q --cpu --off-cpu -o probe.lz4 -- true 2>probe.err || echo "cprof-record failed" >>probe.err
	tr '\t\n' '  ' <probe.err
	rm -f probe.lz4 probe.bpf.lz4
}

# kernel_records KIND: how many samples and single times off the CPU came, and what was lost.
kernel_records() {
	"$cprof_analyze" dump --only --format=json recorded.bpf.lz4 >recorded.json
	jq -rn --arg kind "$1" '
		reduce (inputs | select(.record == "kernel-counter")) as $c ({samples: 0, blocked: 0, lost: 0};
			if $c.name == "samples.received" then .samples += $c.value elif $c.name == "off-cpu.received" then .blocked += $c.value
			elif $c.is_loss != 0 and ($c.name | test("^(kernel-symbols|modules)[.]") | not) then .lost += $c.value else . end) |
		"\($kind).samples\t\(.samples)", "\($kind).blocked\t\(.blocked)", "\($kind).lost\t\(.lost)"' recorded.json
}

recorded() { # WORK KIND OPTION...
	recorded_work=$1 recorded_kind=$2
	shift 2
	"$cprof_record" -q "$@" -o recorded.lz4 -- ./kernel_costs "$recorded_work" "$recorded_kind" recorded
	kernel_records "$recorded_kind"
}

# By a preloaded library, as for somebody without any right.
measure_libc_calls() {
	instrumented "$bench/libc_calls.c" -o libc_calls -pthread
	without_rights=
	[ "$(id -u)" != 0 ] || without_rights="setpriv --bounding-set=-all --inh-caps=-all --"
	for round in 1 2 3 4 5; do # interleaved; the best of each counts
		CPROF_OUTPUT=recorded.lz4 ./libc_calls called_plain
		$without_rights "$cprof_record" -q --io --locks -o recorded.lz4 -- ./libc_calls called_counted 2>record.err || cat record.err >&2
	done | sort -k1,1 -k2,2g | awk -F '\t' '!seen[$1]++' >>facts.tsv
	"$cprof_analyze" info recorded.lz4 | grep -q "calls of libc's functions" || { echo "bench: the calls were not counted" >&2; exit 1; }
	rm -f recorded.*
}

measure_kernel_costs() {
	: >kernel.tsv
	: >slots.tsv
	missing=$(kernel_missing)
	if [ -n "$missing" ]; then
		printf 'kernel.missing\t%s\n' "$missing" >kernel.tsv
		return
	fi
	instrumented "$bench/kernel_costs.c" -o kernel_costs -pthread
	round=0
	while [ $round -lt "$rounds" ] && [ $round -lt 5 ]; do # interleaved, as all
		round=$((round + 1))
		for work in busy switches calls; do
			CPROF_OUTPUT=recorded.lz4 ./kernel_costs $work alone
			case $work in
			busy)
				recorded busy sampled_99 --cpu -F 99
				recorded busy sampled_9999 --cpu -F 9999
				;;
			switches) recorded switches switched --off-cpu ;;
			calls) recorded calls called --off-cpu ;;
			esac
		done
		recorded sleeps slept --off-cpu --threshold=0
	done >kernel_rounds.tsv
	# Events and the recorder's time for them belong to one run: as a quotient, whose best counts. The other numbers are minima, losses maxima.
	awk -F '\t' '
		{ split($1, name, "."); kind = name[1]; what = name[2] }
		what == "elapsed_ns" { elapsed[kind] = $2 }
		what == "recorder_cpu_ns" { recorder[kind] = $2 }
		what == "samples" { samples = $2 }
		what == "blocked" { nr = samples > $2 ? samples : $2; if (nr) least(kind ".recorder_ns_per_event", recorder[kind] / nr) }
		what == "blocked" { rate = nr / elapsed[kind] * 1e9; if (rate > most[kind ".events_per_s"]) most[kind ".events_per_s"] = rate }
		what == "blocked" { least(kind ".recorder_share", recorder[kind] / elapsed[kind]) }
		what == "lost" { lost += $2 }
		what ~ /_ns$/ && what !~ /^(elapsed|recorder)/ { least($1, $2) }
		function least(key, x) { if (!(key in best) || x < best[key]) best[key] = x }
		END {
			for (key in best) printf "%s\t%.9g\n", key, best[key]
			for (key in most) printf "%s\t%.9g\n", key, most[key]
			printf "kernel.lost\t%d\n", lost
		}' kernel_rounds.tsv | sort >kernel.tsv

	: >commands
	for program in fib lua; do
		eval "arguments=\$arguments_$program"
		printf '%s\tcd %s/plain && exec ./program %s >/dev/null\n' slots.$program.plain $program "$arguments"
		printf '%s\tcd %s/instrumented && CPROF_OUTPUT=without.lz4 exec ./traced %s >/dev/null\n' slots.$program.without $program "$arguments"
		printf '%s\tcd %s/instrumented && exec %s -q --off-cpu -o with.lz4 -- ./traced %s >/dev/null\n' slots.$program.with $program \
			"$cprof_record" "$arguments"
	done >>commands
	./bench_rounds "$rounds" <commands >slots.tsv
	rm -f recorded.* ./*/instrumented/with.* ./*/instrumented/without.*
}
