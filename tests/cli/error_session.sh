# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze $P fork.lz4 other.lz4 2>&1
cp fork.lz4 fork.11.lz4 other.lz4 folder/ && cprof-analyze $P folder 2>&1
cp fork.lz4 copy.lz4 && cprof-analyze $P fork.lz4 copy.lz4 2>&1
cprof-analyze $P --session --only fork.lz4 2>&1
