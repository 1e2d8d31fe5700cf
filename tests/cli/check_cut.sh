# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze check cut.lz4 2>&1
