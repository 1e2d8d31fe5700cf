# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flat empty.lz4 2>&1
