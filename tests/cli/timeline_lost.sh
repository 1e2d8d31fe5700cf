# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze timeline $P lost.lz4 | grep -e "class=.mark" -e "\"marks\"" -e "<text class=.small"
