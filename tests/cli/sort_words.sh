# SPDX-License-Identifier: BSD-2-Clause
# Words of gprof and pstats.
for sort in cumulative:total cumtime:total time:self tottime:self ncalls:calls percall:avg stdname:name; do
	cprof-analyze flat $P --sort="${sort%:*}" plain.lz4 >a
	cprof-analyze flat $P --sort="${sort#*:}" plain.lz4 >b
	cmp a b
done
cprof-analyze flat $P --sort=p99 --format=csv plain.lz4
