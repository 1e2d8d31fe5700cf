# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze dump $P plain.lz4
