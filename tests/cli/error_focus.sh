# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --focus=nobody plain.lz4 2>&1
