#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run.sh BUILD NAME            runs tests/cli/NAME.sh on the traces of make_traces.c and compares what it prints (stdout; a script that
#                              tests messages says 2>&1) with NAME.stdout.exact or NAME.stdout.glob, and its exit status with NAME.exit
# run.sh --update BUILD [NAME] writes NAME.stdout.exact and NAME.exit from what happens now, for all scripts or one: read the diff
set -u
here=$(cd "$(dirname "$0")" && pwd)
update=
[ "$1" = --update ] && { update=1; shift; }
build=$(cd "$1" && pwd)
PATH=$build/analyzer:$build/cc-wrapper:$PATH
LC_ALL=C
P="--perf-map=perf.map"
export PATH LC_ALL P
unset COLUMNS NO_COLOR CPROF_OUTPUT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
"$build/tests/cli/make_traces" || exit 1
mkdir folder

# Line by line, * and ? as in file names.
matches_glob() { # PATTERNS OUTPUT
	while IFS= read -r pattern <&3; do
		IFS= read -r line <&4 || { echo "missing: $pattern"; return 1; }
		# shellcheck disable=SC2254
		case $line in
		$pattern) ;;
		*) printf 'expected: %s\nfound:    %s\n' "$pattern" "$line"; return 1 ;;
		esac
	done 3<"$1" 4<"$2"
	[ "$(wc -l <"$1")" = "$(wc -l <"$2")" ] || { echo "more lines than expected"; return 1; }
}

run_case() {
	sh "$here/$1.sh" >"$work/stdout" 2>"$work/stderr"
	status=$?
	if [ -n "$update" ]; then
		[ -e "$here/$1.stdout.glob" ] || cp "$work/stdout" "$here/$1.stdout.exact"
		[ $status = 0 ] && rm -f "$here/$1.exit" || echo $status >"$here/$1.exit"
		return 0
	fi
	result=0
	expected_status=$(cat "$here/$1.exit" 2>/dev/null || echo 0)
	[ $status = "$expected_status" ] || { echo "$1: exit status $status, expected $expected_status"; result=1; }
	if [ -e "$here/$1.stdout.glob" ]; then
		matches_glob "$here/$1.stdout.glob" "$work/stdout" || result=1
	else
		diff -u "$here/$1.stdout.exact" "$work/stdout" || result=1
	fi
	[ -s "$work/stderr" ] && { echo "on stderr:"; cat "$work/stderr"; result=1; }
	return $result
}

if [ $# -gt 1 ]; then
	run_case "$2"
else
	[ -n "$update" ] || exit 2
	for script in "$here"/*.sh; do
		name=$(basename "$script" .sh)
		[ "$name" = run ] || run_case "$name"
	done
fi
