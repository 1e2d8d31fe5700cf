# SPDX-License-Identifier: BSD-2-Clause
# Both pages render without a warning, and have all that they should.
cprof-analyze --man >analyze.1 && cprof-cc --cprof-man >cc.1
for page in analyze.1 cc.1; do
	MANROFFSEQ="" MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z $page >/dev/null
	MANWIDTH=80 man -E ascii -l $page | col -bx >$page.txt
	awk 'length > 80 { print FILENAME ": too wide: " $0 }' $page.txt
	grep -E '^[A-Z]' $page.txt | sed 's/  */ /g'
done
grep -c "^\.SS" analyze.1
# Every option of every command is there.
for command in tree flat flamegraph icicle callers callees callgraph threads export info replay timeline doctor check recover dump; do
	cprof-analyze $command --help | grep -oE '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -v -e --help | while read -r option; do
		grep -qe "$option" analyze.1.txt || echo "$command $option is not in the manual"
	done
done
for command in tree flat flamegraph icicle callers callees callgraph threads export info replay timeline doctor check recover dump; do
	cprof-analyze $command --help | awk -v command=$command 'length > 80 { print command " --help: too wide: " $0 }'
done
