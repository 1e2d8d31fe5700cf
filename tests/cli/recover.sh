# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze recover -o whole.lz4 killed.lz4 2>&1 && rm -f killed.lz4.live && cprof-analyze check whole.lz4 && cprof-analyze tree $P whole.lz4
