# SPDX-License-Identifier: BSD-2-Clause
# A process that went on as another program is one process, and that is no unclean end.
cprof-analyze $P --session exec.lz4 | grep -E 'ran|went on|complete|cleanly'
cprof-analyze info $P --session exec.lz4 --format=json | jq -c '.trace | [.processes, .clean_exit, .execs]'
cprof-analyze check exec.lz4 exec.1.lz4 | grep note
cprof-analyze $P --only exec.lz4 | grep -E 'went on|complete|cleanly'
