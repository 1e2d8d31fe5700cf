# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze off-cpu --perf-map=kernel.map --format=json recorded.lz4 | jq -c 'del(.trace) | .[][]'
