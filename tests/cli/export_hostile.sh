# SPDX-License-Identifier: BSD-2-Clause
for to in folded speedscope callgrind chrome; do cprof-analyze export --to=$to $P hostile.lz4 | grep -c "" | sed "s/^/$to lines: /"; done; cprof-analyze export --to=speedscope $P hostile.lz4 | jq -r ".shared.frames[].name" | od -c
