# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze tree $P --format=json hostile.lz4 | jq -r ".trace.command, (.root | recurse(.children[]) | .name)" | od -c
