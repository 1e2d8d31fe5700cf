# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze check flipped.lz4 2>&1
