# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze $P --format=json plain.lz4 | jq -c "[.trace.calls, .trace.clean_exit, (.functions[] | [.name, .calls, .wall_ns.self])]"
