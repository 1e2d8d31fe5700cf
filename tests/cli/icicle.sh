# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze icicle $P plain.lz4 | grep -o "data-t=\"[0-9]*\"\|y=\"[0-9]*\" height"
