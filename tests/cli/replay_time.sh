# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze replay $P --time=0.4ms:50% --thread=app plain.lz4; cprof-analyze replay $P --time=300us:320us --thread=101 --no-merge plain.lz4
