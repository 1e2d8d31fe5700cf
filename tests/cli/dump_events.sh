# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze dump --events $P lost.lz4
