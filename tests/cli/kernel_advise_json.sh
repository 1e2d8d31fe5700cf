# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze advise --perf-map=kernel.map --format=json recorded.lz4 | jq -c ".findings[]"
