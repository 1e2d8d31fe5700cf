# SPDX-License-Identifier: BSD-2-Clause
# The tables of both halves; and their records where there are few of them.
cprof-analyze dump --perf-map=kernel.map recorded.lz4
cprof-analyze dump --perf-map=kernel.map --events recorded.lz4 | grep SCHED | head -4
cprof-analyze dump --events --format=json alone.bpf.lz4 | jq -c 'select(.record == "sum" or .record == "off-cpu")' | uniq | head -12
cprof-analyze dump --format=csv alone.bpf.lz4 | wc -l
