# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree feature.lz4 2>&1
