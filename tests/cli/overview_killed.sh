# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze $P killed.lz4
