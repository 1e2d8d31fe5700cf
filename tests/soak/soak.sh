#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# soak.sh BUILD [SECONDS [SEED]]: storm.c again and again for SECONDS (1800), each time another way, and what is left is counted. Seeds count up from SEED
# (1); `soak.sh BUILD 1 SEED` repeats a round that failed (its moments are not the same again, all else is).
#
# Of each function, over all processes of a round:
#   ended with return      recorded = counted (of children that were killed: or one more each)
#   aborted, killed        counted <= recorded <= counted + the threads that may be inside it
#   exit while others run  recorded <= counted + those threads; what they call after the end of recording is not in it. The main thread's: recorded = counted
# A trace is read while the process still runs, from what `recover` made, and after a `recover` that was killed. A clean end leaves no live file.
set -u
build=$1 seconds=${2:-1800} seed=${3:-1}
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../support/cprof-env.sh"

work=$build/tests/work/soak
rm -rf "$work" && mkdir -p "$work" && cd "$work" || exit 1
for compiler in gcc clang; do
	mkdir $compiler
	cprof_cc $compiler shared -g -O2 "$here/storm.c" -o $compiler/storm -pthread -ldl &&
		cprof_cc $compiler shared -g -O2 -shared -fPIC -DNAME=plugin_red "$here/plugin.c" -o $compiler/red.so &&
		cprof_cc $compiler shared -g -O2 -shared -fPIC -DNAME=plugin_blue "$here/plugin.c" -o $compiler/blue.so || exit 1
done

failures=0
fail() {
	echo "FAILED: seed $seed ($compiler, $end): $*"
	failures=$((failures + 1))
}
counters_read() { od -An -v -tu8 -w8 counters 2>/dev/null | tr -d ' ' >"$1"; }

# compare BEFORE AFTER LOWER ONLY TRACE...: recorded calls of each function (or of those that match ONLY) lie between BEFORE (if LOWER is yes; = for
# exactly) and AFTER and as many as may be inside.
compare() {
	compare_before=$1 compare_after=$2 compare_lower=$3 compare_only=$4
	shift 4
	"$cprof_analyze" flat --format=json "$@" >flat.json 2>flat.err || {
		fail "flat $*: $(cat flat.err)"
		return
	}
	jq -r '.functions[] | "\(.name) \(.calls)"' flat.json >recorded
	awk -v lower="$compare_lower" -v only="$compare_only" '
		BEGIN {
			split("step_0 step_1 step_2 step_3 leaf_0 leaf_1 leaf_2 leaf_3 handler short_thread child_work jump_down plugin_red plugin_blue", name, " ")
			split("1 1 1 1 1 1 1 1 16 8 12 1 1 1", inside, " ")
			while ((getline <"recorded") > 0)
				recorded[$1] += $2
		}
		FNR == 1 { file++ }
		file == 1 { before[FNR] = $1; next }
		{ after[FNR] = $1 }
		END {
			for (i = 1; i in name; i++) {
				if (name[i] !~ only)
					continue
				n = recorded[name[i]] + 0
				most = after[i] + (lower == "=" && name[i] != "child_work" ? 0 : inside[i])
				if ((lower != "no" && n < before[i]) || n > most)
					printf "%s: counted %d to %d, recorded %d\n", name[i], before[i], after[i], n
				total += n
			}
			exit total == 0
		}' "$compare_before" "$compare_after" >wrong || echo "nothing was recorded" >>wrong
	while IFS= read -r line; do
		fail "$* $line"
	done <wrong
}

group_end() { # the processes of the round are gone
	for _ in $(seq 3000); do
		kill -0 "-$pid" 2>/dev/null || return
		sleep 0.01
	done
	fail "processes that do not end"
	kill -9 "-$pid"
}

round() {
	compiler=gcc
	[ $((seed / 8 % 2)) = 0 ] || compiler=clang
	case $((seed % 8)) in
	0) end=return ;;
	1) end=exit ;;
	2) end=thread ;;
	3) end=abort ;;
	*) end=never ;;
	esac
	rm -f trace* recovered* counters counted* stderr
	cp $compiler/red.so $compiler/blue.so .
	setsid $compiler/storm counters "$seed" "$end" 2>stderr &
	pid=$!
	if [ $end = never ]; then
		for _ in $(seq 1000); do
			[ "$(counters_read counted; grep -cvx 0 counted)" -ge 8 ] && break
			sleep 0.01
		done
		sleep "0.$(printf %03d $((seed * 7919 % 600)))"
		if [ $((seed % 3)) = 0 ]; then # while it runs
			counters_read counted_before
			cp counted_before counted_after
			running=trace.lz4
			[ ! -e "trace.$pid.lz4" ] || running=trace.$pid.lz4 # a child was the first to record
			"$cprof_analyze" flat "$running" >/dev/null || fail "flat of a trace that is being written"
			"$cprof_analyze" flat --format=json "$running" >running.json || fail "flat of a trace that is being written"
			counters_read counted_after
			cp running.json flat.json
			compare_running
		fi
		kill -9 "-$pid"
	fi
	wait $pid 2>/dev/null
	status=$?
	group_end
	counters_read counted
	[ ! -s stderr ] || fail "stderr: $(head -3 stderr)"
	case $end:$status in
	return:7 | exit:7 | thread:7 | abort:134 | never:137) ;;
	*) fail "exit status $status" ;;
	esac

	for trace in trace*.lz4; do
		"$cprof_analyze" check "$trace" >check.out 2>&1 && continue
		# Killed before it had recorded anything.
		grep -q 'is not a cprof live file\|is empty' check.out || fail "check $trace: $(cat check.out)"
	done
	traces=
	for trace in trace*.lz4; do
		[ ! -s "$trace" ] || traces="$traces $trace"
	done
	if [ $end = never ] && [ $((seed % 2)) = 0 ]; then
		"$cprof_analyze" recover trace.lz4 -o recovered.lz4 >recover.out 2>&1 &
		recover=$!
		sleep "0.$(printf %03d $((seed * 104729 % 40)))"
		kill -9 $recover 2>/dev/null
		wait $recover 2>/dev/null
		rm -f recovered*
		"$cprof_analyze" recover trace.lz4 -o recovered.lz4 >recover.out 2>&1 || fail "recover: $(cat recover.out)"
		lz4 -t -q recovered.lz4 || fail "lz4 -t of the recovered trace"
		traces="recovered.lz4 $(printf '%s' "$traces" | sed 's/\<trace\.lz4\>//')"
	fi
	# shellcheck disable=SC2086
	case $end in
	return) compare counted counted = . $traces ;;
	exit)
		compare counted counted no . $traces
		compare counted counted = '_0$' $traces
		;;
	thread) compare counted counted no . $traces ;;
	*) compare counted counted yes . $traces ;;
	esac
	case $end in # a child that was killed may have been the first to record, and so have that name
	return | exit | thread) [ ! -e trace.lz4.live ] || [ -e "trace.$pid.lz4" ] || fail "a live file is left" ;;
	esac
}

compare_running() {
	jq -r '.functions[] | "\(.name) \(.calls)"' running.json >recorded
	paste -d' ' counted_before counted_after | awk '
		BEGIN {
			split("step_0 step_1 step_2 step_3 leaf_0 leaf_1 leaf_2 leaf_3", name, " ")
			while ((getline <"recorded") > 0)
				recorded[$1] += $2
		}
		FNR in name {
			if (recorded[name[FNR]] < $1 || recorded[name[FNR]] > $2 + 1)
				printf "%s: counted %d to %d, recorded %d while it ran\n", name[FNR], $1, $2, recorded[name[FNR]]
		}' >wrong
	while IFS= read -r line; do
		fail "$line"
	done <wrong
}

first=$seed
end_time=$(($(date +%s) + seconds))
while :; do
	round
	[ $failures = 0 ] || break
	seed=$((seed + 1))
	[ "$(date +%s)" -lt $end_time ] || break
done
if [ $failures != 0 ]; then
	echo "repeat it with: $0 $build 1 $seed; files in $work"
	exit 1
fi
echo "$((seed - first)) rounds, seeds $first to $((seed - 1))"
