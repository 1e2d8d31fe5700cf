#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# timeline.sh BUILD CHROMIUM: what the script in a timeline does, in a real browser.
set -u
build=$(cd "$1" && pwd) chromium=$2
PATH=$build/analyzer:$PATH
export PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
"$build/tests/cli/make_traces" || exit 1

# The picture after a script of ours ran in it: what it leaves in the title is printed.
answer() { # TRACE SCRIPT
	{
		cprof-analyze timeline --perf-map=perf.map "$1" | sed '/^]]><\/script>$/,$d'
		printf '%s\n' "window.addEventListener('load', function () { var say = []; $2;" \
			"document.querySelector('.title').textContent = 'ANS' + 'WER ' + say.join(' ') + ' END'; });" ']]></script>' '</svg>'
	} >page.svg
	rm -rf profile
	HOME=$work timeout 60 "$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$work/profile" --dump-dom "file://$work/page.svg" 2>/dev/null |
		sed -n 's/.*ANSWER \(.*\) END.*/\1/p'
}

check() { # WHAT EXPECTED FOUND
	[ "$2" = "$3" ] || { echo "$1: expected '$2', found '$3'"; exit 1; }
}

texts='var texts = function () { return Array.from(document.querySelectorAll("#calls text")).map(function (t) { return t.textContent; }).join(","); }'
# The script draws the same bars as the program did.
cprof-analyze timeline --perf-map=perf.map plain.lz4 | sed -n 's/.*<path class="\(c[0-9r ]*\)" d="\(M[^"]*\)".*/\1 \2/p' | sort >written
answer plain.lz4 "document.querySelectorAll('#calls path').forEach(function (p) { say.push('|' + p.getAttribute('class') + ' ' + p.getAttribute('d')); })" |
	tr '|' '\n' | sed 's/ *$//; /^$/d' | sort >drawn
cmp written drawn || { diff written drawn; exit 1; }
check "zoom" "1 parse,lex,lex,lex,lex,lex" "$(answer plain.lz4 "$texts; cprof.zoom(400000, 900000); say.push(document.querySelectorAll('#calls text').length > 5 ? 1 : 0, texts().replace('main,', '').replace(',worker', ''))")"
check "reset" "1 false" "$(answer plain.lz4 "$texts; cprof.zoom(0, 100); say.push(document.querySelectorAll('#calls text').length); cprof.reset(); say.push(!document.getElementById('reset').classList.contains('gone'))")"
check "search" "matched: 12 bars 1" "$(answer plain.lz4 "cprof.search('^LEX\$'.toLowerCase()); say.push(document.getElementById('matched').textContent, document.querySelectorAll('#calls path.match').length)")"
check "tool tip" "parse · 200.0 us · at 109.0 us · app [100] · called from 0x1010" "$(answer plain.lz4 "say.push(cprof.at(160 + 1200 * 0.15, 84 + 20).replace(/ +/g, ' '))")"
check "loss" "1" "$(answer lost.lz4 "say.push(document.querySelectorAll('#threads .mark').length)")"
check "hostile names" "0 2" "$(answer hostile.lz4 "say.push(document.querySelectorAll('img').length, document.querySelectorAll('script').length)")"
