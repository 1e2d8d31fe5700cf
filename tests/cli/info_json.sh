# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze info --format=json lost.lz4 | jq -c ".trace | del(.start_realtime_ns)"
