# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze info --format=json recorded.lz4 | jq .trace.kernel
