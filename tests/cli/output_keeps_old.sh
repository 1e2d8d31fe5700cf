# SPDX-License-Identifier: BSD-2-Clause
echo old >x.svg; cprof-analyze flamegraph --focus=nobody -o x.svg plain.lz4 2>/dev/null; cat x.svg; ls x.svg*
