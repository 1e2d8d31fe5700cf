# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P --thread=nobody plain.lz4 2>&1
