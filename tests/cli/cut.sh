# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P cut.lz4 2>&1 >/dev/null; cprof-analyze $P cut.lz4 2>&1 | sed -n "2,9p"
