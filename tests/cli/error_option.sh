# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree --dpeth=3 plain.lz4 2>&1
