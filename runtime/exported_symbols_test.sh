#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# exported_symbols_test.sh LIBCPROF_SO LIBCPROF_A: what a guest's names can collide with, and what its threads pay.
#
# The libraries define for others what the lists here name and nothing else (LZ4 stays hidden); every version of a hook counts once.
# The shared library's static TLS stays small: it is taken from a reserve that the program shares with others that are loaded late.
set -u
so=$1 archive=$2
here=$(cd "$(dirname "$0")" && pwd)
failures=0

compare() { # WHAT EXPECTED-FILES...
	what=$1
	shift
	sort -u "$@" >expected.$$
	sort -u actual.$$ >sorted.$$
	diff expected.$$ sorted.$$ || { echo "FAILED: $what exports other symbols than listed (<: listed, >: there)"; failures=$((failures + 1)); }
	rm -f expected.$$ sorted.$$ actual.$$
}

cd "${TMPDIR:-/tmp}" || exit 1
nm -D --defined-only "$so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' >actual.$$
[ -s actual.$$ ] || { echo "FAILED: nm says nothing of $so"; exit 1; }
compare "$so" "$here/exported_symbols.txt" "$here/exported_symbols_shared.txt"
nm -g --defined-only "$archive" | awk 'NF == 3 { print $3 }' >actual.$$
compare "$archive" "$here/exported_symbols.txt" "$here/exported_symbols_static.txt"

tls=$(readelf -lW "$so" | awk '$1 == "TLS" { print $6 }')
if [ -z "$tls" ] || [ $((tls)) -gt 512 ]; then
	echo "FAILED: static TLS of $so is ${tls:-unknown} bytes, 512 at most"
	failures=$((failures + 1))
fi
[ $failures = 0 ] && echo "passed: $((tls)) bytes of TLS"
exit $failures
