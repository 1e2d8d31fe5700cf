# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze $P plain.lz4
