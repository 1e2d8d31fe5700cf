# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze check recorded.lz4 cut_kernel.lz4
