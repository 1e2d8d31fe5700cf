# SPDX-License-Identifier: BSD-2-Clause
# The recorder was killed: said, and what is there is used.
cprof-analyze --perf-map=kernel.map cut_kernel.lz4
