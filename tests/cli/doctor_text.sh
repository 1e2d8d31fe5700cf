# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze doctor text.lz4 2>&1
