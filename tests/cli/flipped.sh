# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze $P flipped.lz4 2>&1 | sed -n "2,9p"
