# SPDX-License-Identifier: BSD-2-Clause
# A run of two processes, from one of its traces, by --session, and as a folder.
cprof-analyze $P fork.lz4 | grep -E 'processes|of this run|complete'
cprof-analyze $P --only fork.lz4 | grep -c 'of this run'
cprof-analyze info $P fork.lz4 | grep -E 'files|others|processes'
cprof-analyze tree $P --session fork.11.lz4
cp fork.lz4 fork.11.lz4 folder/ && cprof-analyze tree $P folder
cprof-analyze check folder | grep sound
for view in flat replay dump export\ --to=folded timeline; do cprof-analyze $view $P folder >1 && cprof-analyze $view $P --session fork.lz4 >2 && cmp 1 2 || echo "$view differs"; done
