# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flamegraph --sampled=hide --perf-map=kernel.map recorded.lz4 | sed -n "/^<rect/,/<script/p" | grep -v -E "interactive|details"
