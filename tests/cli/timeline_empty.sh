# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze timeline $P --time=5s: plain.lz4 >x.svg && xmllint --noout x.svg && grep -e "class=.small" -e "\"threads\"" x.svg
