# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P lost.lz4
