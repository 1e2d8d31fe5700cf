#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# sites.sh BUILD COMPILER: whether SQLite's tree tells where calls are made, held against SQLite's source. Runs on the trace that real.sh leaves.
#
# The ten hottest contexts, as the overview gives them, have a file and line in every step; which they are depends on the machine. Of all contexts, these
# among them: the line names the function, or a macro that has it, or calls through a pointer; and it lies in the function that the tree shows as
# the caller, so that an inlined helper stands under the function it was written in, not under the one it was inlined to.
set -u
build=$1 compiler=$2
real=$(cd "$(dirname "$0")" && pwd)
support=$real/../support
cache=$build/tests/cache
. "$support/cprof-env.sh"
cd "$build/tests/work/real/sqlite-$compiler" || exit 1
sources="$cache/sqlite3/build/sqlite3.c $cache/sqlite3/test/speedtest1.c $support/timed_call.c"

"$cprof_analyze" --format=json --paths=10 trace.lz4 >overview.json || die "overview"
[ "$(jq '.paths | length' overview.json)" = 10 ] || die "not ten paths"
# All but the call of timed_call() from timed_main.c, which has no debug info.
jq -r '.paths[].path[1:][] | "\(.name) \(.file) \(.line)"' overview.json | sort -u >hottest.sites
symbolizer=$(command -v llvm-symbolizer || command -v llvm-symbolizer-14) || die "no llvm-symbolizer"
# Clang gives no line to what it merged of two calls: then the oracle, too, has none.
unmerged() { # FUNCTION: is there no place among those that call it that has line 0?
	"$cprof_analyze" dump trace.lz4 | sed -nE "s/.* site 1\+(0x[0-9a-f]+)  $1\$/\1/p" | sort -u | while read -r address; do
		printf '0x%x\n' $((address - 1))
	done >addresses
	[ -s addresses ] && ! "$symbolizer" --obj="$(jq -r .trace.exe overview.json)" --no-inlines <addresses | grep -q ':0:0$'
}
sed -nE 's/^([^ ]*) .*null$/\1/p' hottest.sites | while read -r name; do
	[ "$compiler" = clang ] && ! unmerged "$name" || echo "$name"
done >nowhere
[ -s nowhere ] && die "the overview does not say where these are called: $(cat nowhere)"
echo "$(wc -l <hottest.sites) places in the paths of the ten hottest contexts"

# As CSV: no name or path of SQLite has a comma.
"$cprof_analyze" tree --format=csv --min-percent=0 trace.lz4 >tree.csv && "$cprof_analyze" flat --format=csv trace.lz4 >flat.csv || die "csv"
cat >sites.awk <<'EOF'
function base(path) { sub(/.*\//, "", path); return path }
function has(text, name) { return match(" " text " ", "[^A-Za-z0-9_]" name "[^A-Za-z0-9_]") }
function through_pointer(text) { return text ~ /[^A-Za-z0-9_]x[A-Z][A-Za-z0-9]*\)?[ ]?\(/ || text ~ /\]\(/ || text ~ /\(\*/ }
# Which function of the file is the last to begin before the line.
function owner(file, line, low, high, middle) {
	low = 0
	high = starts[file] + 1
	while (high - low > 1) {
		middle = int((low + high) / 2)
		if (start_line[file, middle] <= line) low = middle
		else high = middle
	}
	return low ? start_name[file, low] : ""
}
function judge(name, file, line, text, words, n, i) {
	text = ""
	if (has(source[file, line], name)) { named++; return }
	for (i = 0; i < 8; i++) text = text " " source[file, line + i]
	if (has(text, name)) { near++; return }
	if (through_pointer(text)) { pointers++; return }
	n = split(text, words, /[^A-Za-z0-9_]+/)
	for (i = 1; i <= n; i++)
		if ((words[i] in body) && (has(body[words[i]], name) || through_pointer(body[words[i]]))) { macros++; return }
	wrong++
	print "does not call " name ": " file ":" line ": " source[file, line]
}
FILENAME == "flat.sorted" { file = base($3); start_line[file, ++starts[file]] = $4; start_name[file, starts[file]] = $1; next }
FILENAME != "tree.csv" {
	file = base(FILENAME)
	source[file, FNR] = $0
	if (/^#[ \t]*define/) { macro = $0; sub(/^#[ \t]*define[ \t]+/, "", macro); sub(/[^A-Za-z0-9_].*/, "", macro); inside = 1 }
	if (inside) { body[macro] = body[macro] " " $0; inside = /\\$/ }
	next
}
FNR > 1 {
	path[$1] = $3
	if ($2 != "function" || $1 == 1) next
	contexts++
	if (!$5) { nowhere++; next } # Clang gives no line to what it merged of two calls
	name = $3
	sub(/[.].*/, "", name)
	caller = path[$1 - 1]
	if (owner(base($4), $5) != caller) { strays++; print name " is called by " caller ", not at " base($4) ":" $5 }
	if (!seen[name, $4, $5]++) judge(name, base($4), $5)
}
END {
	sites = named + near + pointers + macros + wrong
	printf "%d contexts, %d places: %d name the function, %d do in the lines that follow, %d a macro, %d a pointer, %d none of these; ", \
		contexts, sites, named, near, macros, pointers, wrong
	printf "%d contexts have no line, %d lie outside of their caller\n", nowhere, strays
	# GCC merges equal ends of a function, two calls among them: what is left has the line of one.
	exit !(contexts > 10000 && named > 0.9 * sites && nowhere < 0.05 * contexts && !wrong && strays < 0.001 * contexts)
}
EOF
sort -t, -k3,3 -k4,4n flat.csv | awk -F, '$4 ~ /^[0-9]+$/' >flat.sorted
# shellcheck disable=SC2086
awk -F, -f sites.awk flat.sorted $sources tree.csv >sites.out || { tail -40 sites.out; die "see $PWD/sites.out"; }
tail -1 sites.out
