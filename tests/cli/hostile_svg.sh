# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flamegraph $P -o x.svg hostile.lz4 && xmllint --noout x.svg && grep -c "<script" x.svg && ! grep -q "<img" x.svg
