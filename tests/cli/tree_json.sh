# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --format=json recursion.lz4 | jq -c ".root | del(.. | .call_ns?)"
