# SPDX-License-Identifier: BSD-2-Clause
# A kernel file is no trace to recover; the commands of traces say nothing of it, and do not fail.
cprof-analyze recover alone.bpf.lz4 -o recovered.lz4 2>&1
for command in tree flat callgraph threads info check dump "export --to=folded" "flamegraph -o f.svg" "timeline -o t.svg" replay icicle; do
	# shellcheck disable=SC2086
	cprof-analyze $command alone.bpf.lz4 >/dev/null || echo "$command: $?"
done
