# SPDX-License-Identifier: BSD-2-Clause
# The calls that replay leaves out are those that tree leaves out.
cprof-analyze replay $P --focus=lex --skip-first=3 --no-merge --format=json plain.lz4 >r
jq -s '{ calls: length, ns: (map(.duration_ns) | add) }' -c r
cprof-analyze flat $P --focus=lex --skip-first=3 --format=json plain.lz4 | jq -c '{ calls: .functions[0].calls, ns: .functions[0].wall_ns.self }'
