# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree future.lz4 2>&1
