# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --focus=parse plain.lz4
