# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze why parse $P slow_first.lz4
