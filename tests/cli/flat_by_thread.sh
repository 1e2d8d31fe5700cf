# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --by-thread plain.lz4
cprof-analyze flat $P --by-thread --format=csv --focus=lex --skip-first=1 plain.lz4
cprof-analyze flat $P --by-thread --format=json --thread=worker --limit=1 plain.lz4 | jq -c '.functions[] | [.thread, .name, .wall_ns, .call_ns.p99]'
# The threads together are the whole.
cprof-analyze flat $P --by-thread --format=json plain.lz4 | jq -c '.functions | group_by(.name) | map([.[0].name, (map(.calls) | add), (map(.wall_ns.total) | add)])'
cprof-analyze flat $P --format=json plain.lz4 | jq -c '.functions | map([.name, .calls, .wall_ns.total]) | sort'
