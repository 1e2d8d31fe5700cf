# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze dump --events --format=json $P recursion.lz4 | jq -c .
