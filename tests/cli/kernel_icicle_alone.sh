# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze icicle --perf-map=kernel.map alone.bpf.lz4 | sed -n "/<defs>/,/<script/p" | grep -v -E "interactive|details"
