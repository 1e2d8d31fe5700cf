# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze recover killed.lz4 2>&1
