# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze $P --paths=2 plain.lz4 | sed -n '/Hottest/,/^$/p'
cprof-analyze $P --paths=3 --format=json plain.lz4 | jq -c '.paths[] | { self: .wall_ns.self, calls, path: [.path[].name] }'
cprof-analyze $P --paths=0 --limit=1 plain.lz4 | sed -n '/Functions/,$p'
