# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --format=json plain.lz4 | jq -c ".functions[]"
