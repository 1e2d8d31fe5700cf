# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=callgrind --sampled=show $P plain.lz4 2>&1
