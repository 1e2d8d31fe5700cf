# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=chrome $P plain.lz4 | jq -c "[.traceEvents[] | select(.ph != \"M\") | {tid, ph}] | group_by(.tid)[] | [.[0].tid, (map(select(.ph == \"B\")) | length), (map(select(.ph == \"E\")) | length)]"
