# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze $P lost.lz4
