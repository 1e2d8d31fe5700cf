# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --wide --width=0 plain.lz4
