#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# browser.sh BUILD CHROMIUM: a flame graph in a real browser: zoom and search work, a hostile name is text and runs nothing.
set -eu
build=$(cd "$1" && pwd)
chromium=$2
export LC_ALL=C PATH="$build/analyzer:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$build/tests/cli/make_traces"

# The picture after a script of ours ran in it: what it leaves in the title is printed.
answer() { # TRACE SCRIPT
	{
		cprof-analyze flamegraph --perf-map=perf.map "$1" | sed '/^]]><\/script>$/,$d'
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

frames='var frames = Array.from(document.querySelectorAll("g.f")); var named = function (name) { return frames.filter(function (g) { return g.querySelector("title").textContent.split("\n")[0] === name; })[0]; }'
check "search" "matched: 17.9 % 3" "$(answer plain.lz4 "$frames; cprof.search('^lex\$'); say.push(document.getElementById('matched').textContent, frames.filter(function (g) { return g.classList.contains('match'); }).length)")"
check "nested matches count once" "matched: 51.4 %" "$(answer plain.lz4 "cprof.search('parse|LEX'.toLowerCase()); say.push(document.getElementById('matched').textContent)")"
check "zoom" "1200.00 parse true" "$(answer plain.lz4 "$frames; var p = named('parse'); p.querySelector('rect').dispatchEvent(new MouseEvent('click', {bubbles: true})); say.push(p.querySelector('rect').getAttribute('width'), p.querySelector('text').textContent, named('worker').classList.contains('gone'))")"
check "reset" "857.14 false" "$(answer plain.lz4 "$frames; cprof.zoom(0, 10); cprof.reset(); say.push(named('main').querySelector('rect').getAttribute('width'), named('worker').classList.contains('gone'))")"
check "sampled frames" "url(#kernel) 1200.00 submit_bio_wait matched: 17.0 %" "$(answer recorded.lz4 "$frames; var k = named('do_fsync'), r = k.querySelector('rect'); say.push(r.getAttribute('fill')); r.dispatchEvent(new MouseEvent('click', {bubbles: true})); cprof.search('^do_fsync\$'); say.push(r.getAttribute('width'), named('submit_bio_wait').querySelector('text').textContent, document.getElementById('matched').textContent)")"
check "hostile names" "0 1 3" "$(answer hostile.lz4 "say.push(document.querySelectorAll('img').length, document.querySelectorAll('script').length, document.querySelectorAll('g.f').length)")"
