# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat $P plain.lz4
