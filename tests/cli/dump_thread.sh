# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze dump $P --events --thread=worker --limit=14 plain.lz4
cprof-analyze dump --thread=100 plain.lz4 | grep -c "^thread"
cprof-analyze dump --thread=0 plain.lz4 2>&1
