# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat --skip-first=3 plain.lz4 2>&1
