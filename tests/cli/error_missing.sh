# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze nothing.lz4 2>&1
