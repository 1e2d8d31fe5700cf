# SPDX-License-Identifier: BSD-2-Clause
# Sourced, with $cprof_analyze set.

# counts_compare COUNTS PROGRAM TRACE: whether every function's and every (caller, callee) pair's number of calls is the same in what
# counter.c wrote and in the trace. Leaves functions.expected, functions.recorded, pairs.expected, pairs.recorded and flat.json in the
# current folder. Names are compared, not addresses: nm gives them for the counter, symbols and DWARF for cprof; functions that share a
# name are compared as a set of counts.
counts_compare() {
	"$cprof_analyze" flat --format=json "$3" >flat.json && "$cprof_analyze" callgraph --format=json "$3" >callgraph.json || return
	# ADDRESS NAME in the program, FILE+ADDRESS NAME in its libraries.
	nm --defined-only "$2" | awk '$2 ~ /[tTwWi]/ { print $1, $3 }' >names
	grep -oE ' /[^ +]*\+' "$1" | sort -u | tr -d ' +' | while read -r library; do
		nm --defined-only "$library" | awk -v library="$library" '$2 ~ /[tTwWi]/ { print library "+" $1, $3 }'
	done >>names
	cat >name.awk <<'END'
function name(address) { return address ~ /^@/ ? substr(address, 2) : address ~ /^0*$/ ? "-" : names[address] }
NR == FNR { if (!($1 in names)) names[$1] = $2; next }
$1 == "function" { print name($2), $3 > "functions.counted" }
$1 == "pair" { print name($2), name($3), $4 > "pairs.counted" }
END
	rm -f functions.counted pairs.counted
	awk -f name.awk names "$1" || return
	c++filt -i <functions.counted | sort >functions.expected
	c++filt -i <pairs.counted | sort >pairs.expected
	jq -r '.functions[] | select(.calls > 0) | "\(.name) \(.calls)"' flat.json | sort >functions.recorded
	jq -r '.edges[] | "\(.caller // "-") \(.callee) \(.calls)"' callgraph.json | sort >pairs.recorded
	for what in functions pairs; do
		diff $what.expected $what.recorded >$what.diff || {
			head -40 $what.diff
			echo "$what differ: see $PWD"
			return 1
		}
		[ "$(wc -l <$what.expected)" -gt 20 ] || {
			echo "too few $what to mean anything"
			return 1
		}
	done
}
