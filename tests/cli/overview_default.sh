# SPDX-License-Identifier: BSD-2-Clause
cp plain.lz4 trace.lz4 && cprof-analyze $P | head -3
