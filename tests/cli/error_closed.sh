# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat plain.lz4 2>&1 >&-
