# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export plain.lz4 2>&1
