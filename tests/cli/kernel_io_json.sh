# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze io --perf-map=kernel.map --format=json recorded.lz4 | jq -c 'del(.trace) | .[][]'
