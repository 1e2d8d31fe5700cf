# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --thread=worker plain.lz4
