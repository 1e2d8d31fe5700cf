# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay --skip-first=3 plain.lz4 2>&1
