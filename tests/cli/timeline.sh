# SPDX-License-Identifier: BSD-2-Clause
cprof-analyze timeline $P -o x.svg plain.lz4 && xmllint --noout x.svg && cprof-analyze timeline $P plain.lz4 | cmp - x.svg && sed -n "/<g id=.calls.>/,/<\/g>/p; /<script id=.data/,/<\/script>/p; /id=.foot/p" x.svg
