#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# record_command_test.sh CASE BUILD: the command: how it starts a program, with which rights, within which limits, and what it says of itself.
set -u
. "$(dirname "$0")/record-env.sh"

# Exit status, signal, arguments, standard streams; a program that is not there.
case_launch() {
	echo hello | cprof-record -q -o t.lz4 sh -c 'read -r x; echo "$x $1"; exit 7' sh world >out 2>err
	[ $? = 7 ] || fail "exit status"
	[ "$(cat out)" = "hello world" ] || fail "streams: $(cat out)"
	[ -s err ] && fail "something on stderr"
	(cprof-record -q -o t.lz4 sh -c 'kill -TERM $$' 2>err)
	[ $? = 143 ] || fail "a signal's status"
	cprof-record -q -o t.lz4 ./none 2>err
	[ $? = 127 ] || fail "no such program"
	grep -q "none" err || fail "no name in: $(cat err)"
	echo >plain
	cprof-record -q -o t.lz4 ./plain 2>err
	[ $? = 126 ] || fail "not executable"
	cp err plain.bpf.lz4
	cprof-record -q -o plain.lz4 true 2>err
	[ $? = 125 ] || fail "a foreign file is in the way"
	grep -q "not a cprof trace" err || fail "no reason in: $(cat err)"
	CPROF_OUTPUT=kept.lz4 cprof-record -q -o t.lz4 sh -c 'echo "$CPROF_OUTPUT"' >out
	[ "$(cat out)" = kept.lz4 ] || fail "CPROF_OUTPUT was overridden"
	cprof-record -q -o t.lz4 sh -c 'echo "$CPROF_OUTPUT"' >out
	[ "$(cat out)" = t.lz4 ] || fail "CPROF_OUTPUT was not set"
	kernel_dump t.bpf.lz4 >facts.json
	check_sound
}

# With the two capabilities alone; without any: said, and the program runs all the same.
case_capabilities() {
	[ "$(id -u)" = 0 ] || { echo "skipped: needs root to take rights away"; exit 77; }
	chmod 777 .
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+bpf,+perfmon --ambient-caps=+bpf,+perfmon --bounding-set=-all,+bpf,+perfmon -- \
		"$(command -v cprof-record)" -o two.lz4 --cpu --off-cpu --faults -- "$(command -v record_target)" naps 20 >out 2>err || fail "with two capabilities: $?"
	grep -c "on: " err | grep -qx 3 || fail "not all sources are on"
	kernel_dump two.bpf.lz4 >facts.json || fail "unreadable"
	check "20 naps" '.[] | select(.record == "sum" and .kind == 1 and .sub == 4 and .who.context == 1003) | .count == 20 and .who.quality == 1'
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+bpf,+perfmon --ambient-caps=+bpf,+perfmon --bounding-set=-all,+bpf,+perfmon -- \
		"$(command -v cprof-record)" -o all.lz4 --all -- "$(command -v record_target)" naps 20 >out 2>err || fail "all sources with two capabilities: $?"
	for source in cpu off-cpu io block locks memory faults; do
		grep -q "$source *on:" err || fail "with two capabilities, not on: $source: $(cat err)"
	done
	setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all -- "$(command -v cprof-record)" -o none.lz4 -- sh -c 'echo ran; exit 9' >out 2>err
	[ $? = 9 ] || fail "without capabilities: the program's status"
	grep -qx ran out || fail "the program did not run"
	grep -q "setcap cap_bpf,cap_perfmon+ep" err || fail "no advice in: $(cat err)"
	grep -q "^cprof-record: off-cpu .*on: .*by perf events" err || fail "it does not say what is recorded instead" # perf_test.sh has the rest
	setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all -- "$(command -v cprof-record)" -o none.lz4 -p $$ 2>err
	[ $? = 125 ] || fail "nothing to run and no rights: status"
}

# Limits that were asked for are kept, and said.
case_limits() {
	record --cpu -F 997 --max-samples=50 -- record_target spin 300 || fail "status $?"
	check_sound
	check "50 samples, the rest counted" '
		(map(select(.record == "sample")) | length) == 50 and
		(map(select(.record == "counter" and .name == "samples.over-limit").value) | add) == (map(select(.record == "thread").samples) | add) - 50'
	record --cpu --interval=20ms -- record_target spin 300 || fail "status $?"
	check "a sample stands for 20 ms" 'map(select(.record == "sample")) | length > 0 and all(.period_ns == 20000000)'
	record --off-cpu -d 0.2 -- sh -c 'sleep 0.6; exit 4'
	[ $? = 4 ] || fail "a program that outlives its recording: status"
	check "it was recorded for as long as was asked, and ran on" '
		(.[] | select(.record == "end") | .end_ns - .start_ns >= 2e8) and ([.[] | select(.record == "process") | select(.end_ns == 0)] | length > 0)'
	cprof-record -F 0 true 2>err
	[ $? = 2 ] || fail "-F 0: status"
	cprof-record -a -p 1 2>err
	[ $? = 2 ] || fail "-a -p: status"
	cprof-record --events=cpu,nonsense true 2>err
	[ $? = 2 ] || fail "--events=nonsense: status"
	grep -q "'nonsense' is not one of cpu" err || fail "no list in: $(cat err)"
}

# Help, manual and completion come from the table that parses.
case_texts() {
	cprof-record --help | grep -q -- "--off-cpu" || fail "--help"
	cprof-record --man >page.1
	groff -man -ww -Tutf8 page.1 2>warnings >page || fail "groff"
	[ -s warnings ] && fail "groff: $(cat warnings)"
	grep -q "EXIT STATUS" page.1 || fail "no exit status in the manual"
	cprof-record --completion=bash >completion
	answer=$(bash -c '. ./completion; COMP_WORDS=(cprof-record --du); COMP_CWORD=1; _cprof_record; echo "${COMPREPLY[@]}"')
	[ "$answer" = "--duration=" ] || fail "completion: $answer"
	cprof-record --completion=zsh | grep -q "'--off-cpu\[" || fail "zsh"
	cprof-record --off-cpy true 2>err
	[ $? = 2 ] || fail "status of a wrong option"
	grep -q "did you mean '--off-cpu'? (see: cprof-record --help)\|did you mean '--off-cpu'?" err || fail "no help in: $(cat err)"
}

run_case
