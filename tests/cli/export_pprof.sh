# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze export --to=pprof $P plain.lz4 >a && cprof-analyze export --to=pprof $P plain.lz4 | cmp - a && gzip -dc a | od -An -tx1 | tr -d "\n " | fold -w 76; echo
