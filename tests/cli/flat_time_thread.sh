# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P --time=:50% --thread=worker plain.lz4
