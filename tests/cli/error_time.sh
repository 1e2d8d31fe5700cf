# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P --time=5x:6 plain.lz4 2>&1; cprof-analyze replay $P --min-duration=soon plain.lz4 2>&1
