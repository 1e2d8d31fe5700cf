# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze flamegraph $P -o x.svg plain.lz4 && xmllint --noout x.svg && cprof-analyze flamegraph $P plain.lz4 | cmp - x.svg && grep "^<g class=\"f\"" x.svg
