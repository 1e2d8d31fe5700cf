# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze threads $P plain.lz4
