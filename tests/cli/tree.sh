# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P plain.lz4
