#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# guarantees.sh BUILD PAGE: every test that docs/guarantees.md names is there, alone or as a family (NAME.VARIANT), and every promise names one.
set -u
build=$1 page=$2
ctest --test-dir "$build" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$build/tests/guarantees.tests"
awk -F'|' '
	NR == FNR { tests[$0]; for (name = $0; sub(/\.[^.]*$/, "", name);) tests[name]; next }
	/^\| / && $2 !~ /^ *promise *$/ {
		promises++
		n = split($3, part, "`")
		if (n < 3) { printf "no test: %s\n", $2; wrong = 1 }
		for (i = 2; i <= n; i += 2)
			if (!(part[i] in tests)) { printf "no such test: %s\n", part[i]; wrong = 1 }
	}
	END { if (!promises) print "no promises"; exit wrong || !promises }' "$build/tests/guarantees.tests" "$page"
