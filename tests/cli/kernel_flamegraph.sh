# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flamegraph --perf-map=kernel.map -o x.svg recorded.lz4 && xmllint --noout x.svg && sed -n "/<defs>/,/<script/p" x.svg | grep -v -E "interactive|details"
