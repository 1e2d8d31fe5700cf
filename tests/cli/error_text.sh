# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree text.lz4 2>&1
