# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze callgraph $P --format=json plain.lz4 | jq -c ".edges[]"
